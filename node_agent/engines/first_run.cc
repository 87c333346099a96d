#include "node_agent/engines/first_run.h"

#include <string>

namespace avocet {
namespace {

FirstRun Try(const ModelSignature& signature, std::span<const GivenInput> given, SampleFill others,
             const RunOnInputs& run) {
  auto inputs = ProbeInputs::Make(signature, given, others);
  if (!inputs.ok()) return {nullptr, inputs.status()};
  return {*inputs, run(*inputs)};
}

Status Explain(const Status& failure, bool all_given) {
  if (all_given) return Status(failure.code(), "the model does not run on the inputs given: " + failure.message());
  return Status(failure.code(),
                "the model does not run on invented inputs (ones, open extents 1): " + failure.message());
}

} // namespace

FirstRun MakeFirstRun(const ModelSignature& signature, std::span<const GivenInput> given, const RunOnInputs& run) {
  const bool all_given = given.size() >= signature.inputs.size();
  FirstRun ones = Try(signature, given, SampleFill::kOnes, run);
  if (ones.status.ok() || ones.inputs == nullptr) return ones;

  if (!all_given) {
    FirstRun zeros = Try(signature, given, SampleFill::kZeros, run);
    if (zeros.status.ok()) return zeros;
  }
  ones.status = Explain(ones.status, all_given && !given.empty());
  return ones;
}

} // namespace avocet
