#include "node_agent/formats/onnx_file.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "node_agent/formats/protobuf_fields.h"

namespace avocet {
namespace {

using Field = ProtobufField;

/// Graphs within graphs; Protocol Buffers itself refuses what is nested deeper than 100 messages.
constexpr int kMaxDepth = 100;
constexpr uint64_t kExternal = 1; ///< TensorProto.DataLocation
constexpr std::string_view kCompiledNode = "EPContext";

// Numbers are those of onnx.proto.
namespace model_field {
constexpr uint32_t kGraph = 7, kOpset = 8, kTraining = 20, kFunctions = 25;
}
namespace graph_field {
constexpr uint32_t kNode = 1, kInitializer = 5, kInput = 11, kOutput = 12, kSparseInitializer = 15;
}
namespace tensor_field {
constexpr uint32_t kName = 8, kExternalData = 13, kDataLocation = 14;
}
namespace type_field {
constexpr uint32_t kTensor = 1, kSparse = 8;
}

/// TensorProto.DataType, which ONNX Runtime's enumeration repeats.
constexpr std::array kTypes{
    std::pair{1, DataType::kFp32},    std::pair{2, DataType::kUint8}, std::pair{3, DataType::kInt8},
    std::pair{4, DataType::kUint16},  std::pair{5, DataType::kInt16}, std::pair{6, DataType::kInt32},
    std::pair{7, DataType::kInt64},   std::pair{8, DataType::kBytes}, std::pair{9, DataType::kBool},
    std::pair{10, DataType::kFp16},   std::pair{11, DataType::kFp64}, std::pair{12, DataType::kUint32},
    std::pair{13, DataType::kUint64}, std::pair{16, DataType::kBf16},
};

Status NotOnnx() {
  return InvalidArgument("not an ONNX model, or a damaged one");
}

/// Calls `visit(field)` for each field of a message, as long as that is ok.
template <class Visit> Status ForEach(std::string_view message, const Visit& visit) {
  ProtobufFields fields(message);
  while (const auto field = fields.Next())
    AVOCET_RETURN_IF_ERROR(visit(*field));
  return fields.ok() ? Status() : NotOnnx();
}

/// The last string of that number, as Protocol Buffers reads repeated ones.
Result<std::string> TextOf(std::string_view message, uint32_t number) {
  std::string text;
  AVOCET_RETURN_IF_ERROR(ForEach(message, [&](const Field& field) -> Status {
    if (field.Is(number, WireType::kBytes)) text = field.contents;
    return {};
  }));
  return text;
}

// ---- what may not be in a file: names of others ----

Status CheckTensor(std::string_view tensor) {
  std::string name, location;
  bool external = false;
  AVOCET_RETURN_IF_ERROR(ForEach(tensor, [&](const Field& field) -> Status {
    if (field.Is(tensor_field::kName, WireType::kBytes)) name = field.contents;
    if (field.Is(tensor_field::kDataLocation, WireType::kVarint)) external |= field.value == kExternal;
    if (!field.Is(tensor_field::kExternalData, WireType::kBytes)) return {};
    external = true;
    AVOCET_ASSIGN_OR_RETURN(const auto key, TextOf(field.contents, 1));
    if (key != "location") return {};
    AVOCET_ASSIGN_OR_RETURN(location, TextOf(field.contents, 2));
    return {};
  }));
  if (!external) return {};
  return InvalidArgument("tensor '" + name + "' has its data in another file, '" + location +
                         "'; a model is one file here: save it again with its data inside (Python: "
                         "onnx.save_model(onnx.load(file), file, save_as_external_data=False))");
}

Status CheckGraph(std::string_view graph, int depth);

/// AttributeProto: t, g, tensors, graphs, sparse_tensor, sparse_tensors.
Status CheckAttribute(std::string_view attribute, int depth) {
  return ForEach(attribute, [&](const Field& field) -> Status {
    if (field.wire != WireType::kBytes) return {};
    if (field.number == 5 || field.number == 10) return CheckTensor(field.contents);
    if (field.number == 6 || field.number == 11) return CheckGraph(field.contents, depth + 1);
    if (field.number != 22 && field.number != 23) return {};
    return ForEach(field.contents, [](const Field& part) { // SparseTensorProto: values, indices
      const bool is_tensor = part.Is(1, WireType::kBytes) || part.Is(2, WireType::kBytes);
      return is_tensor ? CheckTensor(part.contents) : Status();
    });
  });
}

/// A node of that name holds a model that a vendor's tool compiled, or the path of one.
Status CheckNode(std::string_view node, int depth) {
  return ForEach(node, [&](const Field& field) -> Status {
    if (field.Is(4, WireType::kBytes) && field.contents == kCompiledNode)
      return InvalidArgument("the model was compiled for one machine (a node 'EPContext'); import the original");
    return field.Is(5, WireType::kBytes) ? CheckAttribute(field.contents, depth) : Status();
  });
}

Status CheckSparse(std::string_view sparse) {
  return ForEach(sparse, [](const Field& part) {
    const bool is_tensor = part.Is(1, WireType::kBytes) || part.Is(2, WireType::kBytes);
    return is_tensor ? CheckTensor(part.contents) : Status();
  });
}

Status CheckGraph(std::string_view graph, int depth) {
  if (depth > kMaxDepth) return InvalidArgument("graphs within graphs, deeper than " + std::to_string(kMaxDepth));
  return ForEach(graph, [&](const Field& field) -> Status {
    if (field.Is(graph_field::kNode, WireType::kBytes)) return CheckNode(field.contents, depth);
    if (field.Is(graph_field::kInitializer, WireType::kBytes)) return CheckTensor(field.contents);
    if (field.Is(graph_field::kSparseInitializer, WireType::kBytes)) return CheckSparse(field.contents);
    return {};
  });
}

/// TrainingInfoProto: two graphs.
Status CheckTraining(std::string_view training) {
  return ForEach(training, [](const Field& field) {
    const bool is_graph = field.Is(1, WireType::kBytes) || field.Is(2, WireType::kBytes);
    return is_graph ? CheckGraph(field.contents, 1) : Status();
  });
}

/// FunctionProto: nodes, and defaults of attributes.
Status CheckFunction(std::string_view function) {
  return ForEach(function, [](const Field& field) -> Status {
    if (field.Is(7, WireType::kBytes)) return CheckNode(field.contents, 1);
    return field.Is(11, WireType::kBytes) ? CheckAttribute(field.contents, 1) : Status();
  });
}

// ---- what a file is asked for: its inputs and outputs ----

/// TensorShapeProto: an extent that is a name, or missing, is open.
Status ReadShape(std::string_view shape, std::vector<int64_t>& extents) {
  return ForEach(shape, [&](const Field& dim) -> Status {
    if (!dim.Is(1, WireType::kBytes)) return {};
    int64_t& extent = extents.emplace_back(-1);
    return ForEach(dim.contents, [&](const Field& part) -> Status {
      if (part.Is(1, WireType::kVarint)) extent = static_cast<int64_t>(part.value);
      if (extent < 0) extent = -1;
      return {};
    });
  });
}

/// TypeProto.Tensor: elem_type, shape.
Status ReadTensorType(std::string_view tensor, TensorSpec& spec) {
  std::optional<DataType> type;
  spec.shape.clear();
  AVOCET_RETURN_IF_ERROR(ForEach(tensor, [&](const Field& field) -> Status {
    if (field.Is(1, WireType::kVarint)) type = DataTypeOfOnnx(static_cast<int64_t>(field.value));
    return field.Is(2, WireType::kBytes) ? ReadShape(field.contents, spec.shape) : Status();
  }));
  if (!type) return Unsupported("tensor '" + spec.name + "' has an element type that is not served");
  spec.type = *type;
  return {};
}

/// ValueInfoProto.
Result<TensorSpec> ReadValue(std::string_view value) {
  TensorSpec spec;
  AVOCET_ASSIGN_OR_RETURN(spec.name, TextOf(value, 1));
  AVOCET_ASSIGN_OR_RETURN(const auto type, TextOf(value, 2));
  bool is_tensor = false;
  AVOCET_RETURN_IF_ERROR(ForEach(type, [&](const Field& field) -> Status {
    if (!field.Is(type_field::kTensor, WireType::kBytes)) return {};
    is_tensor = true;
    return ReadTensorType(field.contents, spec);
  }));
  if (!is_tensor)
    return Unsupported("'" + spec.name + "' is no tensor; sequences, maps and optional values are not served");
  return spec;
}

Result<ModelSignature> ReadSignature(std::string_view graph) {
  // Inputs that have a value in the file are constants, which clients do not send.
  std::set<std::string> constants;
  AVOCET_RETURN_IF_ERROR(ForEach(graph, [&](const Field& field) -> Status {
    if (!field.Is(graph_field::kInitializer, WireType::kBytes)) return {};
    AVOCET_ASSIGN_OR_RETURN(auto name, TextOf(field.contents, tensor_field::kName));
    constants.insert(std::move(name));
    return {};
  }));

  ModelSignature signature;
  AVOCET_RETURN_IF_ERROR(ForEach(graph, [&](const Field& field) -> Status {
    const bool is_input = field.Is(graph_field::kInput, WireType::kBytes);
    if (!is_input && !field.Is(graph_field::kOutput, WireType::kBytes)) return {};
    AVOCET_ASSIGN_OR_RETURN(const auto name, TextOf(field.contents, 1));
    if (is_input && constants.contains(name)) return {};
    AVOCET_ASSIGN_OR_RETURN(auto spec, ReadValue(field.contents));
    (is_input ? signature.inputs : signature.outputs).push_back(std::move(spec));
    return {};
  }));
  return signature;
}

} // namespace

std::optional<DataType> DataTypeOfOnnx(int64_t number) {
  const auto* row = std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& r) { return r.first == number; });
  return row == kTypes.end() ? std::nullopt : std::optional(row->second);
}

int64_t OnnxNumberOf(DataType type) {
  return std::find_if(kTypes.begin(), kTypes.end(), [type](const auto& row) { return row.second == type; })->first;
}

Result<ModelSignature> InspectOnnx(std::string_view file) {
  std::string_view graph;
  bool has_opset = false;
  AVOCET_RETURN_IF_ERROR(ForEach(file, [&](const Field& field) -> Status {
    if (field.wire != WireType::kBytes) return {};
    has_opset |= field.number == model_field::kOpset;
    if (field.number == model_field::kTraining) return CheckTraining(field.contents);
    if (field.number == model_field::kFunctions) return CheckFunction(field.contents);
    if (field.number != model_field::kGraph) return {};
    // Two would be merged into one by some readers, and which one counts is anybody's guess.
    if (!graph.empty()) return InvalidArgument("two graphs in one file");
    graph = field.contents;
    return CheckGraph(field.contents, 1);
  }));
  if (graph.empty() || !has_opset) return NotOnnx();
  return ReadSignature(graph);
}

} // namespace avocet
