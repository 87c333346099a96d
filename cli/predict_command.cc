#include "cli/commands.h"
#include "cli/config_files.h"
#include "cli/predict_file.h"
#include "cli/predict_render.h"
#include "controller/uncertainty.h"
#include "messages/files.h"

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

} // namespace avocet
