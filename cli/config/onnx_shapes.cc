#include "cli/config/onnx_shapes.h"

#include <charconv>
#include <limits>
#include <optional>
#include <set>

#include <fmt/format.h>

namespace avocet {
namespace {

// An ONNX file is one Protocol Buffers message. The path from it to an extent, in field numbers of onnx.proto:
// ModelProto.graph, GraphProto.input, ValueInfoProto.type, TypeProto.tensor_type, Tensor.shape, TensorShapeProto.dim.
constexpr uint32_t kGraph = 7;
constexpr uint32_t kInput = 11;
constexpr uint32_t kInputName = 1;
constexpr uint32_t kInputType = 2;
constexpr uint32_t kTensorType = 1;
constexpr uint32_t kShape = 2;
constexpr uint32_t kDim = 1;
constexpr uint32_t kDimValue = 1;

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

/// One field: its number, the bytes that it took, and its contents or value.
struct Field {
  uint32_t number = 0;
  uint32_t wire = 0;
  std::string_view whole;
  std::string_view contents; ///< kBytes
  uint64_t value = 0;        ///< kVarint
};

std::optional<uint64_t> TakeVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= uint64_t{byte & 127U} << shift;
    if (byte < 128) return value;
  }
  return std::nullopt;
}

bool TakePayload(std::string_view& bytes, Field& field) {
  if (field.wire == kVarint) {
    const auto value = TakeVarint(bytes);
    field.value = value.value_or(0);
    return value.has_value();
  }

  // The wire type gives the size; groups, which protobuf abandoned, are refused.
  uint64_t size = field.wire == kFixed64 ? 8 : 4;
  if (field.wire == kBytes) {
    const auto length = TakeVarint(bytes);
    if (!length) return false;
    size = *length;
  } else if (field.wire != kFixed64 && field.wire != kFixed32) {
    return false;
  }

  if (size > bytes.size()) return false;
  // After the comparison: lengths in a file may lie.
  field.contents = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

std::optional<Field> TakeField(std::string_view& bytes) {
  const std::string_view begin = bytes;
  const auto key = TakeVarint(bytes);
  if (!key || *key >> 3 > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  Field field{static_cast<uint32_t>(*key >> 3), static_cast<uint32_t>(*key & 7), {}, {}, 0};
  if (!TakePayload(bytes, field)) return std::nullopt;
  field.whole = begin.substr(0, begin.size() - bytes.size());
  return field;
}

Result<std::vector<Field>> Fields(std::string_view message) {
  std::vector<Field> fields;
  while (!message.empty()) {
    const auto field = TakeField(message);
    if (!field) return InvalidArgument("not an ONNX model");
    fields.push_back(*field);
  }
  return fields;
}

void PutVarint(uint64_t value, std::string& out) {
  for (; value >= 128; value >>= 7)
    out += static_cast<char>((value & 127) | 128);
  out += static_cast<char>(value);
}

void PutBytes(uint32_t number, std::string_view contents, std::string& out) {
  PutVarint(uint64_t{number} << 3 | kBytes, out);
  PutVarint(contents.size(), out);
  out += contents;
}

/// Copies a message, with `change` applied to the contents of its fields of that number.
template <class Change> Result<std::string> Rewrite(std::string_view message, uint32_t number, const Change& change) {
  AVOCET_ASSIGN_OR_RETURN(const auto fields, Fields(message));
  std::string out;
  for (const Field& field : fields) {
    if (field.number != number || field.wire != kBytes) {
      out += field.whole;
      continue;
    }
    Result<std::string> changed = change(field.contents);
    if (!changed.ok()) return changed.status();
    PutBytes(number, *changed, out);
  }
  return out;
}

/// The extents that the file has, -1 for an open one.
Result<std::vector<int64_t>> Extents(std::string_view shape) {
  AVOCET_ASSIGN_OR_RETURN(const auto dims, Fields(shape));
  std::vector<int64_t> extents;
  for (const Field& dim : dims) {
    if (dim.number != kDim) continue;
    AVOCET_ASSIGN_OR_RETURN(const auto parts, Fields(dim.contents));
    int64_t& extent = extents.emplace_back(-1);
    for (const Field& part : parts)
      if (part.number == kDimValue && part.wire == kVarint) extent = static_cast<int64_t>(part.value);
  }
  return extents;
}

std::string Text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t extent : shape)
    text += (text.empty() ? "" : "x") + (extent < 1 ? std::string("?") : std::to_string(extent));
  return text;
}

Result<std::string> SetShape(std::string_view shape, const std::vector<int64_t>& wanted) {
  AVOCET_ASSIGN_OR_RETURN(const auto found, Extents(shape));
  // An extent below 1 is symbolic and takes any number.
  bool agrees = found.size() == wanted.size();
  for (size_t i = 0; agrees && i < wanted.size(); ++i)
    agrees = found[i] < 1 || found[i] == wanted[i];
  if (!agrees) return InvalidArgument(fmt::format("is {} in the model; {} does not fit", Text(found), Text(wanted)));

  // All extents are written anew, as numbers take the place of symbolic names.
  std::string out;
  for (const int64_t extent : wanted) {
    std::string dim;
    PutVarint(kDimValue << 3 | kVarint, dim);
    PutVarint(static_cast<uint64_t>(extent), dim);
    PutBytes(kDim, dim, out);
  }
  return out;
}

std::string NameOf(std::string_view input) {
  const auto fields = Fields(input);
  for (const Field& field : fields.ok() ? *fields : std::vector<Field>{})
    if (field.number == kInputName && field.wire == kBytes) return std::string(field.contents);
  return "";
}

Result<std::string> SetInput(std::string_view input, const std::vector<int64_t>& wanted) {
  return Rewrite(input, kInputType, [&](std::string_view type) {
    return Rewrite(type, kTensorType, [&](std::string_view tensor) {
      return Rewrite(tensor, kShape, [&](std::string_view shape) { return SetShape(shape, wanted); });
    });
  });
}

} // namespace

Status ParseInputShape(std::string_view text, InputShapes& shapes) {
  Status bad = InvalidArgument(fmt::format("shape '{}' is not NAME=EXTENTxEXTENT..., e.g. x=1x3x48x192", text));
  // The last '=', because names of inputs may contain one.
  const size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0) return bad;
  const std::string name(text.substr(0, equals));
  std::vector<int64_t> shape;

  for (std::string_view rest = text.substr(equals + 1);;) {
    const std::string_view extent = rest.substr(0, rest.find('x'));
    const auto [stop, error] = std::from_chars(extent.data(), extent.data() + extent.size(), shape.emplace_back());
    // from_chars accepts a number with something after it, so the end is compared as well.
    if (error != std::errc{} || stop != extent.data() + extent.size() || shape.back() < 1) return bad;
    if (extent.size() == rest.size()) break;
    rest.remove_prefix(extent.size() + 1);
  }

  if (!shapes.emplace(name, std::move(shape)).second)
    return InvalidArgument(fmt::format("the shape of input '{}' is given twice", name));
  return {};
}

Result<std::string> SetInputShapes(std::string_view model, const InputShapes& shapes) {
  // Collected for the message below: whoever mistypes a name sees the right ones.
  std::set<std::string> inputs;
  auto changed = Rewrite(model, kGraph, [&](std::string_view graph) {
    return Rewrite(graph, kInput, [&](std::string_view input) -> Result<std::string> {
      const auto shape = shapes.find(*inputs.insert(NameOf(input)).first);
      if (shape == shapes.end()) return std::string(input);
      auto set = SetInput(input, shape->second);
      if (!set.ok()) return set.status().WithContext(fmt::format("input '{}'", shape->first));
      return set;
    });
  });

  if (!changed.ok()) return changed.status();

  // A name that the graph lacks would otherwise change nothing, silently.
  for (const auto& [name, shape] : shapes)
    if (!inputs.contains(name))
      return InvalidArgument(fmt::format("the model has no input '{}'; it has {}", name, fmt::join(inputs, ", ")));
  return changed;
}

} // namespace avocet
