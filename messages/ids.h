#pragma once

#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace avocet {

/// A name that cannot be mixed up with a name of another kind. Value type, ordered, hashable.
template <class Tag> class Id {
public:
  Id() = default;
  explicit Id(std::string value) : value_(std::move(value)) {}

  const std::string& str() const { return value_; }
  bool empty() const { return value_.empty(); }

  friend auto operator<=>(const Id&, const Id&) = default; // NOLINT(modernize-use-nullptr): a false positive
  friend bool operator==(const Id&, const Id&) = default;

private:
  std::string value_;
};

/// An application's name; also the model name that inference clients use.
using AppId = Id<struct AppTag>;
/// A node's name.
using NodeId = Id<struct NodeTag>;
/// "<node>/<device>", e.g. "jetson-1/gpu0".
using DeviceId = Id<struct DeviceTag>;
/// "<name>:<version>", e.g. "pose:1": what is loaded, shared by the applications that use it.
using ModelId = Id<struct ModelTag>;
/// A random id drawn at every start of a process; tells one life from the next.
using BootId = Id<struct BootTag>;
/// 64 lower-case hex digits.
using Sha256 = Id<struct Sha256Tag>;

DeviceId MakeDeviceId(const NodeId& node, std::string_view device);
ModelId MakeModelId(std::string_view name, std::string_view version);

/// True for 1 to 63 characters of [a-z0-9_.-] (either case) that begin with a letter or digit.
bool IsName(std::string_view text);
/// True for 1 to 18 decimal digits without a leading zero ("0" itself is one).
bool IsVersion(std::string_view text);
bool IsDeviceId(const DeviceId& id);
bool IsModelId(const ModelId& id);
bool IsSha256(const Sha256& digest);

/// The two halves of "<name>" or "<name>:<version>".
struct ModelName {
  std::string name;
  std::string version; ///< empty when the text has none
  friend bool operator==(const ModelName&, const ModelName&) = default;
};
std::optional<ModelName> ParseModelName(std::string_view text);

/// The two halves of "<node>/<device>".
struct DeviceName {
  NodeId node;
  std::string device;
  friend bool operator==(const DeviceName&, const DeviceName&) = default;
};
std::optional<DeviceName> ParseDeviceId(std::string_view text);

} // namespace avocet

template <class Tag> struct std::hash<avocet::Id<Tag>> {
  size_t operator()(const avocet::Id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.str()); }
};
