#include "node_agent/http/http_metadata_codec.h"

#include <functional>

#include "node_agent/http/json_writer.h"
#include "node_agent/inference/model_config.h"

namespace avocet {
namespace {

std::string ToJson(const std::function<void(JsonWriter&)>& write) {
  std::string text;
  StringSink sink{text};
  JsonWriter json(sink);
  write(json);
  return text;
}

void Text(JsonWriter& json, std::string_view key, std::string_view text) {
  json.Key(key);
  json.Text(text);
}

void Number(JsonWriter& json, std::string_view key, uint64_t number) {
  json.Key(key);
  json.Uint64(number);
}

void Shape(JsonWriter& json, std::string_view key, const std::vector<int64_t>& shape) {
  json.Key(key);
  json.StartArray();
  for (const int64_t extent : shape)
    json.Int64(extent);
  json.EndArray();
}

void Tensors(JsonWriter& json, std::string_view key, const std::vector<TensorSpec>& specs) {
  json.Key(key);
  json.StartArray();
  for (const TensorSpec& spec : specs) {
    json.StartObject();
    Text(json, "name", spec.name);
    Text(json, "datatype", ToString(spec.type));
    Shape(json, "shape", spec.shape);
    json.EndObject();
  }
  json.EndArray();
}

void Boolean(JsonWriter& json, std::string_view key, bool value) {
  json.Key(key);
  json.Bool(value);
}

void EmptyArray(JsonWriter& json, std::string_view key) {
  json.Key(key);
  json.StartArray();
  json.EndArray();
}

void EmptyObject(JsonWriter& json, std::string_view key) {
  json.Key(key);
  json.StartObject();
  json.EndObject();
}

// Of a model's configuration every field of Triton's is written, also where it has the default that clients of gRPC see
// without being told: clients of JSON index into it without looking.

void ConfigInputs(JsonWriter& json, const std::vector<TensorSpec>& specs) {
  json.Key("input");
  json.StartArray();
  for (const TensorSpec& spec : specs) {
    json.StartObject();
    Text(json, "name", spec.name);
    Text(json, "data_type", ConfigTypeName(spec.type));
    Text(json, "format", "FORMAT_NONE");
    Shape(json, "dims", spec.shape);
    Boolean(json, "is_shape_tensor", false);
    Boolean(json, "allow_ragged_batch", false);
    Boolean(json, "optional", false);
    json.EndObject();
  }
  json.EndArray();
}

void ConfigOutputs(JsonWriter& json, const std::vector<TensorSpec>& specs) {
  json.Key("output");
  json.StartArray();
  for (const TensorSpec& spec : specs) {
    json.StartObject();
    Text(json, "name", spec.name);
    Text(json, "data_type", ConfigTypeName(spec.type));
    Shape(json, "dims", spec.shape);
    Text(json, "label_filename", "");
    Boolean(json, "is_shape_tensor", false);
    json.EndObject();
  }
  json.EndArray();
}

/// One instance on one device, always: several placements of a model are several applications here.
void ConfigInstances(JsonWriter& json, const ServedModel& model) {
  json.Key("instance_group");
  json.StartArray();
  json.StartObject();
  Text(json, "name", model.device.str());
  Text(json, "kind", InstanceKindName(model.kind));
  Number(json, "count", 1);
  EmptyArray(json, "gpus");
  EmptyArray(json, "secondary_devices");
  EmptyArray(json, "profile");
  Boolean(json, "passive", false);
  Text(json, "host_policy", "");
  json.EndObject();
  json.EndArray();
}

void ConfigVersions(JsonWriter& json) {
  json.Key("version_policy");
  json.StartObject();
  json.Key("latest");
  json.StartObject();
  Number(json, "num_versions", 1);
  json.EndObject();
  json.EndObject();
}

void Section(JsonWriter& json, std::string_view key, const SectionTotal& section) {
  json.Key(key);
  json.StartObject();
  Number(json, "count", section.count);
  Number(json, "ns", static_cast<uint64_t>(section.time.count()));
  json.EndObject();
}

void ComputeSections(JsonWriter& json, const InferenceTotals& totals) {
  Section(json, "compute_input", totals.compute_input);
  Section(json, "compute_infer", totals.compute_infer);
  Section(json, "compute_output", totals.compute_output);
}

void Sections(JsonWriter& json, const InferenceTotals& totals) {
  json.Key("inference_stats");
  json.StartObject();
  Section(json, "success", totals.success);
  Section(json, "fail", totals.fail);
  Section(json, "queue", totals.queue);
  ComputeSections(json, totals);
  Section(json, "cache_hit", totals.cache_hit);
  Section(json, "cache_miss", totals.cache_miss);
  json.EndObject();
}

/// Nothing is batched: every execution is of one request.
void Batches(JsonWriter& json, const InferenceTotals& totals) {
  json.Key("batch_stats");
  json.StartArray();
  if (totals.success.count > 0) {
    json.StartObject();
    Number(json, "batch_size", 1);
    ComputeSections(json, totals);
    json.EndObject();
  }
  json.EndArray();
}

void WriteModel(JsonWriter& json, const ServedStatistics& one) {
  const auto last = std::chrono::duration_cast<std::chrono::milliseconds>(one.totals.last_inference.time_since_epoch());
  json.StartObject();
  Text(json, "name", one.name);
  Text(json, "version", one.version);
  Number(json, "last_inference", static_cast<uint64_t>(last.count()));
  Number(json, "inference_count", one.totals.success.count);
  Number(json, "execution_count", one.totals.success.count);
  Sections(json, one.totals);
  Batches(json, one.totals);
  json.EndObject();
}

} // namespace

std::string HealthJson(const char* key, bool value) {
  return ToJson([&](JsonWriter& json) {
    json.StartObject();
    json.Key(std::string_view(key));
    json.Bool(value);
    json.EndObject();
  });
}

std::string ServerMetadataJson(const InferenceCoreOptions& options) {
  return ToJson([&](JsonWriter& json) {
    json.StartObject();
    Text(json, "name", options.server_name);
    Text(json, "version", options.server_version);
    json.Key("extensions");
    json.StartArray();
    for (const std::string_view extension : InferenceCore::extensions())
      json.Text(extension);
    json.EndArray();
    json.EndObject();
  });
}

std::string ModelReadyJson(const std::string& name, bool ready) {
  return ToJson([&](JsonWriter& json) {
    json.StartObject();
    Text(json, "name", name);
    json.Key("ready");
    json.Bool(ready);
    json.EndObject();
  });
}

std::string ModelMetadataJson(const ServedModel& model) {
  return ToJson([&](JsonWriter& json) {
    json.StartObject();

    Text(json, "name", model.name);
    json.Key("versions");
    json.StartArray();
    json.Text(model.version);
    json.EndArray();

    Text(json, "platform", model.platform);
    Tensors(json, "inputs", model.signature.inputs);
    Tensors(json, "outputs", model.signature.outputs);

    // Own facts stand in a member of their own: clients that check the known ones are not disturbed.
    json.Key("properties");
    json.StartObject();
    Text(json, "model", model.model.str());
    Text(json, "device", model.device.str());
    if (model.emulated) Text(json, "emulated", "true");
    json.EndObject();
    json.EndObject();
  });
}

std::string ModelConfigJson(const ServedModel& model) {
  return ToJson([&](JsonWriter& json) {
    json.StartObject();

    Text(json, "name", model.name);
    Text(json, "platform", model.platform);
    Text(json, "backend", model.platform);
    ConfigVersions(json);
    // 0: no batches beyond the shape. Clients then do not add a batch dimension of their own.
    Number(json, "max_batch_size", 0);

    ConfigInputs(json, model.signature.inputs);
    ConfigOutputs(json, model.signature.outputs);
    EmptyArray(json, "batch_input");
    EmptyArray(json, "batch_output");
    ConfigInstances(json, model);

    Text(json, "default_model_filename", "");
    EmptyObject(json, "cc_model_filenames");
    EmptyObject(json, "metric_tags");
    EmptyObject(json, "parameters");
    EmptyArray(json, "model_warmup");
    json.EndObject();
  });
}

std::string StatisticsJson(const std::vector<ServedStatistics>& all) {
  return ToJson([&](JsonWriter& json) {
    json.StartObject();
    json.Key("model_stats");
    json.StartArray();
    for (const ServedStatistics& one : all)
      WriteModel(json, one);
    json.EndArray();
    json.EndObject();
  });
}

std::string IndexJson(const std::vector<IndexEntry>& index) {
  return ToJson([&](JsonWriter& json) {
    json.StartArray();
    for (const IndexEntry& entry : index) {
      json.StartObject();
      Text(json, "name", entry.name);
      Text(json, "version", entry.version);
      Text(json, "state", "READY");
      Text(json, "reason", "");
      json.EndObject();
    }
    json.EndArray();
  });
}

} // namespace avocet
