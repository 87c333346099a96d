#pragma once

#include <functional>
#include <memory>
#include <span>

#include "messages/status.h"
#include "node_agent/tensors/probe_inputs.h"

namespace avocet {

/// The run with which loading a model ends: it fills caches and memory, and shows what the model can be measured with.
struct FirstRun {
  std::shared_ptr<const ProbeInputs> inputs; ///< what it ran on, or was tried with first; null: none fit the model
  Status status;                             ///< why the model does not run on them
};

using RunOnInputs = std::function<Status(const std::shared_ptr<const ProbeInputs>&)>;

/// Runs a model on what was given for it. What was not is invented: ones first, which divide and scale and count where
/// zeros cannot; zeros where those fail.
FirstRun MakeFirstRun(const ModelSignature& signature, std::span<const GivenInput> given, const RunOnInputs& run);

} // namespace avocet
