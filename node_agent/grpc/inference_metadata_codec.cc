#include "node_agent/grpc/inference_metadata_codec.h"

#include <string>

#include "node_agent/inference/model_config.h"

namespace avocet {
namespace {

void EncodeSpec(const TensorSpec& spec, inference::ModelMetadataResponse::TensorMetadata& message) {
  message.set_name(spec.name);
  message.set_datatype(std::string(ToString(spec.type)));
  message.mutable_shape()->Add(spec.shape.begin(), spec.shape.end());
}

template <class Message> void EncodeConfigTensor(const TensorSpec& spec, Message& message) {
  inference::DataType type = inference::TYPE_INVALID;
  inference::DataType_Parse(ConfigTypeName(spec.type), &type);
  message.set_name(spec.name);
  message.set_data_type(type);
  message.mutable_dims()->Add(spec.shape.begin(), spec.shape.end());
}

void Encode(const SectionTotal& section, inference::StatisticDuration& message) {
  message.set_count(section.count);
  message.set_ns(static_cast<uint64_t>(section.time.count()));
}

} // namespace

void EncodeMetadata(const ServedModel& model, inference::ModelMetadataResponse& message) {
  message.set_name(model.name);
  message.add_versions(model.version);
  message.set_platform(model.platform);
  for (const TensorSpec& input : model.signature.inputs)
    EncodeSpec(input, *message.add_inputs());
  for (const TensorSpec& output : model.signature.outputs)
    EncodeSpec(output, *message.add_outputs());
  auto& properties = *message.mutable_properties();
  properties["model"] = model.model.str();
  properties["device"] = model.device.str();
  if (model.emulated) properties["emulated"] = "true";
}

void EncodeConfig(const ServedModel& model, inference::ModelConfig& message) {
  message.set_name(model.name);
  // Triton's models have a platform or a backend, and clients look at either.
  message.set_platform(model.platform);
  message.set_backend(model.platform);

  for (const TensorSpec& input : model.signature.inputs)
    EncodeConfigTensor(input, *message.add_input());
  for (const TensorSpec& output : model.signature.outputs)
    EncodeConfigTensor(output, *message.add_output());

  // A name that this version of the protocol lacks leaves KIND_AUTO.
  auto kind = inference::ModelInstanceGroup::KIND_AUTO;
  inference::ModelInstanceGroup::Kind_Parse(std::string(InstanceKindName(model.kind)), &kind);

  auto& group = *message.add_instance_group();
  group.set_name(model.device.str());
  group.set_count(1);
  group.set_kind(kind);
}

void EncodeStatistics(const ServedStatistics& statistics, inference::ModelStatistics& message) {
  const InferenceTotals& totals = statistics.totals;
  message.set_name(statistics.name);
  message.set_version(statistics.version);

  const auto epoch = std::chrono::duration_cast<std::chrono::milliseconds>(totals.last_inference.time_since_epoch());
  message.set_last_inference(static_cast<uint64_t>(epoch.count()));
  // Without batching, each inference is an execution of its own.
  message.set_inference_count(totals.success.count);
  message.set_execution_count(totals.success.count);

  auto& sections = *message.mutable_inference_stats();
  Encode(totals.success, *sections.mutable_success());
  Encode(totals.fail, *sections.mutable_fail());
  Encode(totals.queue, *sections.mutable_queue());
  Encode(totals.compute_input, *sections.mutable_compute_input());
  Encode(totals.compute_infer, *sections.mutable_compute_infer());
  Encode(totals.compute_output, *sections.mutable_compute_output());
  Encode(totals.cache_hit, *sections.mutable_cache_hit());
  Encode(totals.cache_miss, *sections.mutable_cache_miss());

  if (totals.success.count == 0) return;
  // The list holds batch sizes that occurred: without an inference there are none.
  auto& batch = *message.add_batch_stats();
  batch.set_batch_size(1);
  Encode(totals.compute_input, *batch.mutable_compute_input());
  Encode(totals.compute_infer, *batch.mutable_compute_infer());
  Encode(totals.compute_output, *batch.mutable_compute_output());
}

} // namespace avocet
