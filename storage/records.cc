#include "storage/records.h"

#include <array>
#include <cassert>
#include <charconv>

#include "messages/codec.h"

namespace avocet {
namespace {

constexpr std::string_view kSchemaKey = "meta/schema"; // "<role> <version>"
constexpr size_t kSequenceDigits = 20;                 // of the largest uint64_t

constexpr std::array kPrefixes{
    kApplications.prefix, kPlacements.prefix, kDecisions.prefix, kModels.prefix, kProfiles.prefix,
    kDeviceFits.prefix,   kNodes.prefix,      kEvents.prefix,    kPlan.prefix,   std::string_view("meta/"),
};

constexpr bool NoPrefixBeginsAnother() {
  for (size_t i = 0; i < kPrefixes.size(); ++i) {
    for (size_t j = 0; j < kPrefixes.size(); ++j) {
      if (i != j && kPrefixes[i].starts_with(kPrefixes[j])) return false;
    }
  }
  return true;
}
static_assert(NoPrefixBeginsAnother(), "tables would share keys");

std::string IdOf(const Application& app) {
  return app.name.str();
}
std::string IdOf(const Placement& placement) {
  return placement.app.str();
}
std::string IdOf(const Decision& decision) {
  return decision.app.name.str();
}
std::string IdOf(const Model& model) {
  return model.id().str();
}
std::string IdOf(const Profile& profile) {
  return profile.key();
}
std::string IdOf(const DeviceFit& fit) {
  return fit.device.str();
}
std::string IdOf(const NodeInfo& node) {
  return node.id.str();
}
std::string IdOf(const Event& event) {
  return EventId(event.sequence);
}
std::string IdOf(const RunningApp& app) {
  return app.app.str();
}

std::string KeyOf(std::string_view prefix, std::string_view id) {
  return std::string(prefix).append(id);
}

/// Keys come from the disk: show bytes that are not printable as \xNN.
std::string Quoted(std::string_view key) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "'";
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else {
      text.append("\\x").append(1, kHex[byte >> 4U]).append(1, kHex[byte & 0xfU]);
    }
  }
  return text + "'";
}

Status Unreadable(std::string_view key, std::string_view why) {
  return Corruption("record " + Quoted(key) + " cannot be read: " + std::string(why));
}

template <class T> Result<T> DecodeRecord(Table<T> table, std::string_view key, std::string_view bytes) {
  auto value = Decode<T>(bytes);
  if (!value.ok()) return Unreadable(key, value.status().message());
  const std::string own_key = KeyOf(table.prefix, IdOf(*value));
  if (own_key != key) return Unreadable(key, "it holds what belongs under " + Quoted(own_key));
  return value;
}

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

struct Schema {
  std::string role;
  uint64_t version = 0;
};

std::optional<Schema> ParseSchema(std::string_view text) {
  const size_t space = text.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto version = ParseNumber(text.substr(space + 1));
  if (!version || *version == 0) return std::nullopt;
  return Schema{std::string(text.substr(0, space)), *version};
}

/// The version first: a newer program may know roles that this one does not.
Status CheckSchema(std::string_view text, StoreRole role) {
  const auto schema = ParseSchema(text);
  if (!schema) return Unreadable(kSchemaKey, "it is " + Quoted(text) + ", not '<role> <version>'");
  if (schema->version > kSchemaVersion) {
    return Unsupported("the store was written by schema " + std::to_string(schema->version) +
                       ", this program reads up to " + std::to_string(kSchemaVersion) + "; install a newer avocet");
  }
  if (schema->role != ToString(role)) {
    return InvalidArgument("the store belongs to role " + Quoted(schema->role) + ", not to '" +
                           std::string(ToString(role)) + "'; choose another data_dir");
  }
  return {};
}

Status CreateSchema(Store& store, StoreRole role) {
  std::optional<std::string> stray;
  AVOCET_RETURN_IF_ERROR(store.Scan("", [&](std::string_view key, std::string_view) {
    stray = key;
    return false;
  }));
  if (stray) return Corruption("the store has no schema record but holds " + Quoted(*stray) + "; it is not Avocet's");
  WriteBatch batch;
  batch.Put(std::string(kSchemaKey), std::string(ToString(role)) + " " + std::to_string(kSchemaVersion));
  return store.Write(batch, Sync::kYes);
}

} // namespace

std::string EventId(uint64_t sequence) {
  const std::string digits = std::to_string(sequence);
  return std::string(kSequenceDigits - digits.size(), '0') + digits;
}

template <class T> void Put(WriteBatch& batch, Table<T> table, std::string_view id, const T& value) {
  assert(id == IdOf(value));
  batch.Put(KeyOf(table.prefix, id), Encode(value));
}

void Put(WriteBatch& batch, Counter counter, uint64_t value) {
  batch.Put(std::string(counter.key), std::to_string(value));
}

template <class T> Result<std::optional<T>> Load(const Store& store, Table<T> table, std::string_view id) {
  const std::string key = KeyOf(table.prefix, id);
  const auto bytes = store.Get(key);
  if (!bytes.ok()) return bytes.status();
  if (!*bytes) return std::optional<T>{};
  auto value = DecodeRecord(table, key, **bytes);
  if (!value.ok()) return value.status();
  return std::optional<T>(std::move(*value));
}

Result<std::optional<uint64_t>> Load(const Store& store, Counter counter) {
  const auto text = store.Get(counter.key);
  if (!text.ok()) return text.status();
  if (!*text) return std::optional<uint64_t>{};
  const auto number = ParseNumber(**text);
  if (!number) return Unreadable(counter.key, Quoted(**text) + " is not a number");
  return number;
}

template <class T> Result<std::vector<T>> LoadAll(const Store& store, Table<T> table) {
  std::vector<T> values;
  Status decoded;
  AVOCET_RETURN_IF_ERROR(store.Scan(table.prefix, [&](std::string_view key, std::string_view bytes) {
    auto value = DecodeRecord(table, key, bytes);
    if (value.ok()) {
      values.push_back(std::move(*value));
    } else {
      decoded = value.status();
    }
    return decoded.ok();
  }));
  if (!decoded.ok()) return decoded;
  return values;
}

std::string_view ToString(StoreRole role) {
  switch (role) {
  case StoreRole::kController:
    return "controller";
  case StoreRole::kAgent:
    return "agent";
  }
  return "?";
}

Status OpenSchema(Store& store, StoreRole role) {
  const auto schema = store.Get(kSchemaKey);
  if (!schema.ok()) return schema.status();
  return *schema ? CheckSchema(**schema, role) : CreateSchema(store, role);
}

#define AVOCET_RECORDS_OF(Type)                                                                                        \
  template void Put(WriteBatch&, Table<Type>, std::string_view, const Type&);                                          \
  template Result<std::optional<Type>> Load(const Store&, Table<Type>, std::string_view);                              \
  template Result<std::vector<Type>> LoadAll(const Store&, Table<Type>)
AVOCET_RECORDS_OF(Application);
AVOCET_RECORDS_OF(Placement);
AVOCET_RECORDS_OF(Decision);
AVOCET_RECORDS_OF(Model);
AVOCET_RECORDS_OF(Profile);
AVOCET_RECORDS_OF(DeviceFit);
AVOCET_RECORDS_OF(NodeInfo);
AVOCET_RECORDS_OF(Event);
AVOCET_RECORDS_OF(RunningApp);
#undef AVOCET_RECORDS_OF

} // namespace avocet
