#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "controller/placement/content_key.h"
#include "controller/placement/device_load.h"

namespace avocet {

/// What every application of a model brings to a device: its timing at the pessimistic end of what was measured, and
/// its memory.
struct ModelDemand {
  const Profile* profile = nullptr;  ///< borrowed from the view
  std::optional<ModelTiming> timing; ///< nullopt: nothing is known of it there
  uint64_t model_bytes = 0;          ///< once, for all applications of the model
  uint64_t own_bytes = 0;            ///< of each of them
  ContentKey key;                    ///< of all of it that counts for a prediction
};

/// Of the view's models, found once for all devices of a type where the model was not measured by itself. Borrows the
/// view, which must not change. Not thread-safe.
class ModelDemands {
public:
  explicit ModelDemands(const ClusterView& view) : view_(view) {}

  /// Of a device of the view. Valid until the next call.
  const ModelDemand& Find(const DeviceView& device, const ModelId& model, ModelFormat format);

private:
  const ContentKey& TypeOf(const DeviceView& device);

  const ClusterView& view_;
  std::unordered_map<ContentKey, ModelDemand, ContentKey::Hash> by_type_;
  ModelDemand measured_;
  const DeviceView* last_ = nullptr; ///< whose type's key is `type_`
  ContentKey type_;
};

/// ModelDemand::key of what the load says of its model.
ContentKey KeyOfModel(const AppLoad& load, uint64_t model_bytes, uint64_t own_bytes);

} // namespace avocet
