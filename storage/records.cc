#include "storage/records.h"

#include <array>
#include <charconv>
#include <random>

#include "messages/codec/codec.h"
#include "messages/codec/codec_reader.h"

namespace avocet {
namespace {

constexpr std::string_view kSchemaKey = "meta/schema"; // "<role> <version>"
constexpr size_t kSequenceDigits = 20;                 // of the largest uint64_t
constexpr std::string_view kAsidePrefix = "aside/";

#define AVOCET_PREFIX(name, Type, prefix, id) std::string_view(prefix),
constexpr std::array kPrefixes{AVOCET_RECORDS(AVOCET_PREFIX) kPlan.prefix, std::string_view("meta/"), kAsidePrefix};
#undef AVOCET_PREFIX

constexpr bool NoPrefixBeginsAnother() {
  for (size_t i = 0; i < kPrefixes.size(); ++i) {
    for (size_t j = 0; j < kPrefixes.size(); ++j) {
      if (i != j && kPrefixes[i].starts_with(kPrefixes[j])) return false;
    }
  }
  return true;
}
static_assert(NoPrefixBeginsAnother(), "tables would share keys");

#define AVOCET_ID(name, Type, prefix, id)                                                                              \
  std::string IdOf(const Type& value) {                                                                                \
    return id;                                                                                                         \
  }
AVOCET_RECORDS(AVOCET_ID)
#undef AVOCET_ID

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

/// Decodes each record of a table: a value goes to `take`, any other to `unreadable`, which says whether to go on.
template <class T, class Take, class Bad>
Status ForEach(const Store& store, Table<T> table, const Take& take, const Bad& unreadable) {
  return store.Scan(table.prefix, [&](std::string_view key, std::string_view bytes) {
    auto value = DecodeRecord(table, key, bytes);
    if (!value.ok()) return unreadable(key, bytes, value.status());
    take(std::move(*value));
    return true;
  });
}

const Status& RefuseIn(WriteBatch& batch, Status why) {
  if (batch.refused.ok()) batch.refused = std::move(why);
  return batch.refused;
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

template <class T> const Status& Put(WriteBatch& batch, Table<T> table, const T& value) {
  const std::string key = KeyOf(table.prefix, IdOf(value));
  if (Status valid = Validate(value); !valid.ok())
    return RefuseIn(batch, valid.WithContext("record " + Quoted(key) + " is not written"));
  std::string bytes = Encode(value);
  if (bytes.size() > kMaxMessageBytes)
    return RefuseIn(batch, ResourceExhausted("record " + Quoted(key) + " is not written: it has " +
                                             std::to_string(bytes.size()) + " bytes, at most " +
                                             std::to_string(kMaxMessageBytes) + " can be read"));
  batch.Put(key, std::move(bytes));
  return batch.refused;
}

const Status& Put(WriteBatch& batch, Counter counter, uint64_t value) {
  if (value > counter.most)
    return RefuseIn(batch, ResourceExhausted("record " + Quoted(counter.key) + " is not written: " +
                                             std::to_string(value) + " is more than " + std::to_string(counter.most)));
  batch.Put(std::string(counter.key), std::to_string(value));
  return batch.refused;
}

template <class T> Result<std::optional<T>> Load(const Store& store, Table<T> table, std::string_view id) {
  const std::string key = KeyOf(table.prefix, id);
  AVOCET_ASSIGN_OR_RETURN(const auto bytes, store.Get(key));
  if (!bytes) return std::optional<T>{};
  AVOCET_ASSIGN_OR_RETURN(auto value, DecodeRecord(table, key, *bytes));
  return std::optional<T>(std::move(value));
}

Result<std::optional<uint64_t>> Load(const Store& store, Counter counter) {
  AVOCET_ASSIGN_OR_RETURN(const auto text, store.Get(counter.key));
  if (!text) return std::optional<uint64_t>{};
  const auto number = ParseNumber(*text);
  if (!number) return Unreadable(counter.key, Quoted(*text) + " is not a number");
  if (*number > counter.most) return Unreadable(counter.key, *text + " is more than " + std::to_string(counter.most));
  return number;
}

Result<uint64_t> LoadOrDraw(Store& store, Counter counter) {
  AVOCET_ASSIGN_OR_RETURN(const auto known, Load(store, counter));
  if (known) return *known;

  std::random_device entropy;
  const uint64_t drawn = std::uniform_int_distribution<uint64_t>(1, counter.most)(entropy);
  WriteBatch batch;
  Put(batch, counter, drawn);
  AVOCET_RETURN_IF_ERROR(store.Write(batch, Sync::kYes));
  return drawn;
}

template <class T> Result<std::vector<T>> LoadAll(const Store& store, Table<T> table) {
  std::vector<T> values;
  Status decoded;
  AVOCET_RETURN_IF_ERROR(ForEach(
      store, table, [&](T value) { values.push_back(std::move(value)); },
      [&](std::string_view, std::string_view, const Status& why) { return decoded = why, false; }));
  if (!decoded.ok()) return decoded;
  return values;
}

template <class T> Status ForEachReadable(const Store& store, Table<T> table,
                                          const std::function<void(std::type_identity_t<T>)>& take,
                                          std::vector<UnreadableRecord>& unreadable) {
  return ForEach(store, table, take, [&](std::string_view key, std::string_view bytes, const Status& why) {
    unreadable.push_back({std::string(key), std::string(bytes), Quoted(key), why});
    return true;
  });
}

void SetAside(WriteBatch& batch, const UnreadableRecord& record) {
  batch.Put(KeyOf(kAsidePrefix, record.key), record.bytes);
  batch.Delete(record.key);
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
  AVOCET_ASSIGN_OR_RETURN(const auto schema, store.Get(kSchemaKey));
  return schema ? CheckSchema(*schema, role) : CreateSchema(store, role);
}

#define AVOCET_INSTANTIATE(name, Type, prefix, id)                                                                     \
  template const Status& Put(WriteBatch&, Table<Type>, const Type&);                                                   \
  template Result<std::optional<Type>> Load(const Store&, Table<Type>, std::string_view);                              \
  template Result<std::vector<Type>> LoadAll(const Store&, Table<Type>);                                               \
  template Status ForEachReadable(const Store&, Table<Type>, const std::function<void(Type)>&,                         \
                                  std::vector<UnreadableRecord>&);
AVOCET_RECORDS(AVOCET_INSTANTIATE)
#undef AVOCET_INSTANTIATE

} // namespace avocet
