#pragma once

#include <cstdint>

#include "messages/device.h"
#include "node_agent/engines/engine.h"
#include "node_agent/scheduling/deadline_watch.h"
#include "node_agent/scheduling/device_request.h"
#include "node_agent/scheduling/meter.h"
#include "node_agent/scheduling/work.h"

namespace avocet {

/// Takes note of how long a run took. For the executor of the model.
void NoteRun(Resident& model, Duration run);

/// Turns a piece of work into its completion: refuses what is too late, decides about the switch,
/// runs the model. Keeps the model that its executor ran last. For one executor's thread only.
class ModelRunner {
public:
  /// `watch` is null where the engine cannot cancel. Both must outlive the runner.
  ModelRunner(Discipline discipline, Meter& meter, DeadlineWatch* watch);

  Completion Run(const Work& work);

private:
  bool SwitchesTo(const Resident& model) const;
  bool Prepare(const Work& work);
  Result<RunResult> RunCancellable(const Work& work, RunRequest run);
  Result<RunResult> RunModel(Resident& resident, const RunRequest& run);

  const Discipline discipline_;
  Meter& meter_;
  DeadlineWatch* const watch_;
  uint64_t last_generation_ = 0; ///< of the model that ran last; 0: none
  MonotonicTime free_since_{};   ///< end of the previous run
};

} // namespace avocet
