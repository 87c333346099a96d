#include <memory>

#include <unistd.h>

#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/commands/flags.h"
#include "cli/offline/simulate_render.h"
#include "cli/process/parallel.h"
#include "cli/render/progress.h"
#include "messages/files.h"

namespace avocet {
namespace {

struct SimulateOptions {
  std::filesystem::path file; ///< a placement instance, JSON
  Statistic statistic = Statistic::kP95;
  PlacementOptions placement; ///< otherwise than Policy's defaults
  uint64_t seed = 1;
  int jobs = 0; ///< threads; 0: as many as processors
};

int SimulateCommand(const Context& context, const SimulateOptions& options) {
  auto text = ReadWholeFile(options.file, kMaxInstanceBytes);
  if (!text.ok()) return Fail(context, text.status());
  auto instance = ParsePlacementInstance(*text, options.file.string(), options.statistic);
  if (!instance.ok()) return Fail(context, instance.status());

  SimulatePlan plan{.policy = {}, .check = {.seed = options.seed}, .jobs = options.jobs};
  if (plan.jobs == 0) plan.jobs = AvailableJobs();
  plan.policy = WithOptions(plan.policy, options.placement);
  // How much memory may be used is part of the instance, so that published results can be compared.
  plan.policy.memory_fraction = instance->memory_fraction;

  ProgressBar bar(std::cerr, "simulate",
                  {.terminal = isatty(STDERR_FILENO) != 0, .width = TerminalWidth(STDERR_FILENO)});
  const auto report = SimulateInstance(*instance, plan, [&](const char* phase, double fraction) {
    if (!context.quiet) bar.Update(fraction, phase);
  });
  if (!context.quiet) bar.Finish("done");

  const SimulateTitle title{.instance = instance->name.empty() ? options.file.stem().string() : instance->name,
                            .policy = std::string(ToString(plan.policy.placement)),
                            .statistic = options.statistic,
                            .seed = options.seed};
  std::cout << Render(title, report, context.render);
  return kExitOk;
}

} // namespace

void AddSimulateCommand(CommandLine& line) {
  auto options = std::make_shared<SimulateOptions>();
  CLI::App& simulate =
      line.Add("simulate", "Place an instance's applications one by one, then check every promise request by request",
               [options](const Context& c) { return SimulateCommand(c, *options); });
  simulate.add_option("file", options->file, "Nodes and applications, JSON; see tests/data/placement")->required();
  const auto set_statistic = [options](const std::string& name) {
    options->statistic = ParseStatistic(name).value_or(options->statistic);
  };
  simulate
      .add_option_function<std::string>("--statistic", set_statistic,
                                        "mean, p50, p95 or p99: what the objectives are about [p95]")
      ->check(OneOf({"mean", "p50", "p95", "p99"}))
      ->type_name("STATISTIC");

  AddPlacementFlags(simulate, options->placement, "--moves,--max-moves");
  simulate.add_option("--seed", options->seed, "Of the simulated requests")->capture_default_str();
  simulate.add_option("--jobs", options->jobs, "Threads; the answer does not depend on them [all processors]")
      ->check(Within(1, 1024));

  // The criterion stands in the help, because counts of violations mean nothing without it.
  simulate.footer("Prints how many applications were hosted, the clean prefix (those before the first rejection or\n"
                  "violation), and each violation: an application whose measured statistic exceeds its objective by\n"
                  "more than 3 %, with 95 % confidence, in two runs with different seeds. Runs are at most 30,000\n"
                  "simulated seconds; what is open then counts as undecided.");
}

} // namespace avocet
