#include <unistd.h>

#include "cli/commands_simulate.h"
#include "cli/parallel.h"
#include "cli/progress.h"
#include "cli/simulate_render.h"
#include "messages/files.h"

namespace avocet {

int SimulateCommand(const Context& context, const SimulateOptions& options) {
  auto text = ReadWholeFile(options.file, kMaxInstanceBytes);
  if (!text.ok()) return Fail(context, text.status());
  auto instance = ParsePlacementInstance(*text, options.file.string(), options.statistic);
  if (!instance.ok()) return Fail(context, instance.status());

  SimulatePlan plan{.policy = {}, .check = {.seed = options.seed}, .jobs = options.jobs};
  if (plan.jobs == 0) plan.jobs = AvailableJobs();
  plan.policy = WithOptions(plan.policy, options.placement);
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

} // namespace avocet
