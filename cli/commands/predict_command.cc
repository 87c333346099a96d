#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/commands/flags.h"
#include "cli/config/config_files.h"
#include "cli/offline/predict_file.h"
#include "cli/offline/predict_render.h"
#include "controller/queueing/uncertainty.h"
#include "messages/files.h"
#include <memory>

namespace avocet {
namespace {

int PredictCases(const Context& context, const PredictOptions& options) {
  auto text = ReadWholeFile(options.cases, kMaxCaseBytes);
  if (!text.ok()) return Fail(context, text.status());
  auto cases = ParseCases(*text, options.cases.string());
  if (!cases.ok()) return Fail(context, cases.status());
  std::vector<std::pair<std::string, CaseAnswer>> answers;
  for (const auto& one : *cases)
    answers.emplace_back(one.id, AnswerCase(one, options.simulated_requests));
  std::cout << Render(answers, context.render);
  return kExitOk;
}

int PredictFile(const Context& context, const PredictOptions& options) {
  auto text = ReadConfigFile(options.file);
  if (!text.ok()) return Fail(context, text.status());
  auto devices = ParsePredictFile(*text, options.file.string());
  if (!devices.ok()) return Fail(context, devices.status());
  std::vector<PredictedDevice> predictions;
  for (auto& device : *devices) {
    if (options.pessimistic) device.load = AtUpperEnd(std::move(device.load));
    predictions.push_back(PredictOne(device, options.simulated_requests));
  }
  std::cout << Render(predictions, context.render);
  return kExitOk;
}

} // namespace

int PredictCommand(const Context& context, const PredictOptions& options) {
  if (options.file.empty() == options.cases.empty()) {
    return Fail(context, InvalidArgument("give either a file of devices or --cases, not both"));
  }
  return options.file.empty() ? PredictCases(context, options) : PredictFile(context, options);
}

void AddPredictCommand(CommandLine& line) {
  auto options = std::make_shared<PredictOptions>();
  CLI::App& predict = line.Add("predict", "Response times that the latency models give; asks no controller",
                               [options](const Context& c) { return PredictCommand(c, *options); });
  predict.add_option("file", options->file, "Devices and their applications, TOML or JSON");
  predict.add_option("--cases", options->cases, "Instead: queueing cases, JSON");

  predict
      .add_option("--simulate", options->simulated_requests,
                  "Requests to simulate where only an approximation is known; 0: none")
      ->check(Within(0, 100000000))
      ->capture_default_str();

  // Pessimism needs counts of observations, hence the hint at the file.
  predict.add_flag("--pessimistic", options->pessimistic,
                   "With rates, service and switch times at their upper 95 % bounds: the file says how often each "
                   "was observed");

  predict.parse_complete_callback([options] {
    if (options->file.empty() && options->cases.empty())
      throw CLI::RequiredError("a file of devices, or --cases FILE,");
    if (!options->file.empty() && !options->cases.empty()) throw CLI::ExcludesError("a file of devices", "--cases");
  });
}

} // namespace avocet
