#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <google/protobuf/message.h>

#include "inference/grpc_service.pb.h"
#include "messages/status.h"
#include "node_agent/inference/byte_budget.h"
#include "node_agent/inference/http_coding.h"

namespace grpc::internal {

/// gRPC lets a class of this name see what a ByteBuffer holds: otherwise nothing says how a message is compressed.
class GrpcByteBufferPeer {
public:
  static grpc_byte_buffer* Get(const ByteBuffer& bytes) { return const_cast<ByteBuffer&>(bytes).c_buffer(); }
  /// Takes ownership.
  static void Set(ByteBuffer& bytes, grpc_byte_buffer* raw) { bytes.set_buffer(raw); }
};

} // namespace grpc::internal

namespace avocet {

// Messages of gRPC as they travel, where its own decompression is switched off: it knows no bound before it has
// decompressed a message.

/// How the message is compressed.
HttpCoding CodingOf(const grpc::ByteBuffer& bytes);

/// Reads a message, compressed or not, and frees `bytes`. What it takes is reserved in `lease` before it is allocated;
/// what the message takes stays reserved: a hundred times its bytes when it holds nothing but empty tensors.
/// kResourceExhausted: more than `most` bytes once it is decompressed;
/// kUnavailable: more than the budget has; kInvalidArgument: not compressed as it says, or no such message.
Status ParseMessage(grpc::ByteBuffer& bytes, uint64_t most, ByteBudget::Lease& lease,
                    google::protobuf::Message& message);

/// Not compressed: gRPC does that, when the call says so. kInternal: more than 2 GiB.
Status SerializeMessage(const google::protobuf::MessageLite& message, grpc::ByteBuffer& bytes);

/// An answer whose raw_output_contents are `raw`: parts of what `owner` keeps, which lives as long as the bytes do.
/// Long ones are not copied.
struct AnswerMessage {
  inference::ModelInferResponse facts; ///< the rest of the answer
  std::shared_ptr<const void> owner;
  std::vector<std::span<const std::byte>> raw;
};
/// The answer, or a ModelStreamInferResponse that holds it. Errors as SerializeMessage.
Status SerializeAnswer(const AnswerMessage& answer, bool is_streamed, grpc::ByteBuffer& bytes);

} // namespace avocet
