#include "messages/codec/codec.h"
#include "messages/codec/codec_reader.h"

namespace avocet {
namespace {

v1::Variant VariantToProto(const Variant& variant) {
  v1::Variant proto;
  proto.set_format(static_cast<v1::ModelFormat>(variant.format));
  proto.set_file(variant.file.str());
  proto.set_size_bytes(variant.size_bytes);
  return proto;
}

Variant ReadVariant(const v1::Variant& proto, Reader& reader) {
  return {.format = reader.Enumerator<ModelFormat>("variants.format", proto.format(), v1::ModelFormat_IsValid),
          .file = Sha256(proto.file()),
          .size_bytes = proto.size_bytes()};
}

} // namespace

v1::SampleInput ToProto(const SampleInput& sample) {
  v1::SampleInput proto;
  proto.set_name(sample.name);
  proto.set_fill(static_cast<v1::SampleFill>(sample.fill));
  if (sample.shape) proto.mutable_shape()->mutable_extents()->Add(sample.shape->begin(), sample.shape->end());
  proto.set_data_type(sample.data_type);
  proto.set_seed(sample.seed);
  proto.set_file(sample.file.str());
  proto.set_size_bytes(sample.size_bytes);
  return proto;
}

Result<SampleInput> FromProto(const v1::SampleInput& proto) {
  Reader reader("SampleInput");
  SampleInput sample;
  sample.name = proto.name();
  sample.fill = reader.Enumerator<SampleFill>("fill", proto.fill(), v1::SampleFill_IsValid);
  if (proto.has_shape()) sample.shape.emplace(proto.shape().extents().begin(), proto.shape().extents().end());
  sample.data_type = proto.data_type();
  sample.seed = proto.seed();
  sample.file = Sha256(proto.file());
  sample.size_bytes = proto.size_bytes();
  return reader.Finish(std::move(sample));
}

v1::Model ToProto(const Model& model) {
  v1::Model proto;
  proto.set_name(model.name);
  proto.set_version(model.version);
  for (const Variant& variant : model.variants)
    *proto.add_variants() = VariantToProto(variant);
  proto.set_imported_at_ns(ToNanos(model.imported_at));
  for (const SampleInput& sample : model.samples)
    *proto.add_samples() = ToProto(sample);
  return proto;
}

Result<Model> FromProto(const v1::Model& proto) {
  Reader reader("Model");
  Model model;
  model.name = proto.name();
  model.version = proto.version();
  for (const auto& variant : proto.variants())
    model.variants.push_back(ReadVariant(variant, reader));
  model.imported_at = WallTimeOf(proto.imported_at_ns());
  for (const auto& part : proto.samples()) {
    auto sample = FromProto(part);
    reader.Part("samples", sample.status());
    if (sample.ok()) model.samples.push_back(std::move(*sample));
  }
  return reader.Finish(std::move(model));
}

v1::Profile ToProto(const Profile& profile) {
  v1::Profile proto;
  proto.set_model(profile.model.str());
  proto.set_format(static_cast<v1::ModelFormat>(profile.format));
  proto.set_device_type(profile.device_type);
  proto.set_service_mean_ns(profile.service_mean.count());
  proto.set_service_scv(profile.service_scv);
  proto.set_switch_overhead_ns(profile.switch_overhead.count());
  proto.set_memory_bytes(profile.memory_bytes);
  proto.set_memory_per_app_bytes(profile.memory_per_app_bytes);
  proto.set_runs(profile.runs);
  proto.set_emulated(profile.emulated);
  proto.set_measured_at_ns(ToNanos(profile.measured_at));

  return proto;
}

Result<Profile> FromProto(const v1::Profile& proto) {
  Reader reader("Profile");

  Profile profile;
  profile.model = ModelId(proto.model());
  profile.format = reader.Enumerator<ModelFormat>("format", proto.format(), v1::ModelFormat_IsValid);
  profile.device_type = proto.device_type();
  profile.service_mean = Duration(proto.service_mean_ns());
  profile.service_scv = proto.service_scv();
  profile.switch_overhead = Duration(proto.switch_overhead_ns());
  profile.memory_bytes = proto.memory_bytes();
  profile.memory_per_app_bytes = proto.memory_per_app_bytes();
  profile.runs = proto.runs();
  profile.emulated = proto.emulated();
  profile.measured_at = WallTimeOf(proto.measured_at_ns());

  return reader.Finish(std::move(profile));
}

AVOCET_BYTES(SampleInput)
AVOCET_BYTES(Model)
AVOCET_BYTES(Profile)

} // namespace avocet
