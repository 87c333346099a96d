#include <algorithm>
#include <memory>

#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/offline/replay_file.h"
#include "cli/offline/replay_render.h"
#include "messages/files.h"

namespace avocet {

int ReplayCommand(const Context& context, const ReplayOptions& options) {
  auto text = ReadWholeFile(options.file, kMaxTraceBytes);
  if (!text.ok()) return Fail(context, text.status());
  auto runs = ParseTrace(*text, options.file.string());
  if (!runs.ok()) return Fail(context, runs.status());

  // Without a name the first run is fitted.
  const auto fit = std::find_if(runs->begin(), runs->end(), [&](const TraceRun& run) {
    return options.fit_run.empty() || run.name == options.fit_run;
  });

  if (fit == runs->end()) {
    std::string names;
    for (const auto& run : *runs)
      names += (names.empty() ? "" : ", ") + run.name;
    return Fail(context, NotFound("the trace has no run '" + options.fit_run + "'; it has " + names));
  }

  std::cout << Render(ReplayTrace(*runs, static_cast<size_t>(fit - runs->begin())), context.render);
  return kExitOk;
}

void AddReplayCommand(CommandLine& line) {
  auto options = std::make_shared<ReplayOptions>();
  CLI::App& replay = line.Add("replay", "Predicted and observed response times of a FIFO device's records",
                              [options](const Context& c) { return ReplayCommand(c, *options); });
  replay.add_option("trace", options->file, "CSV: run, model, nominal_rate_rps, start_s, end_s")->required();
  replay.add_option("--fit", options->fit_run, "The run that service times are fitted on [the first]");
}

} // namespace avocet
