#include "node_agent/inference_message.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/proto_buffer_writer.h>

#include <cstddef>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

namespace avocet {
namespace {

using google::protobuf::MessageLite;
using grpc::internal::GrpcByteBufferPeer;

Status NoMessage(const MessageLite& message) {
  return InvalidArgument("the message is no " + message.GetTypeName());
}

Status ParsePlain(grpc::ByteBuffer& bytes, MessageLite& message) {
  grpc::ProtoBufferReader reader(&bytes);
  return reader.status().ok() && message.ParseFromZeroCopyStream(&reader) ? Status() : NoMessage(message);
}

/// In one piece, as zlib is fed here.
std::vector<std::byte> Joined(const grpc_slice_buffer& slices) {
  std::vector<std::byte> joined(slices.length);
  std::byte* next = joined.data();
  for (size_t i = 0; i < slices.count; ++i) {
    const grpc_slice& slice = slices.slices[i];
    if (GRPC_SLICE_LENGTH(slice) == 0) continue;
    std::memcpy(next, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
    next += GRPC_SLICE_LENGTH(slice);
  }
  return joined;
}

Status ParseCompressed(grpc::ByteBuffer& bytes, uint64_t most, ByteBudget::Lease& lease, MessageLite& message) {
  const HttpCoding coding = CodingOf(bytes);
  const size_t length = bytes.Length();
  AVOCET_RETURN_IF_ERROR(lease.Reserve(length));
  const std::vector<std::byte> compressed = Joined(GrpcByteBufferPeer::Get(bytes)->data.raw.slice_buffer);
  bytes.Clear();
  const auto size = InflatedSize(coding, compressed, static_cast<size_t>(most));
  if (!size.ok()) return size.status();
  AVOCET_RETURN_IF_ERROR(lease.Reserve(2 * *size)); // once here, once in the message
  std::vector<std::byte> inflated(*size);
  AVOCET_RETURN_IF_ERROR(Inflate(coding, compressed, inflated));
  if (!message.ParseFromArray(inflated.data(), static_cast<int>(*size))) return NoMessage(message);
  lease.Shrink(length + *size);
  return {};
}

} // namespace

HttpCoding CodingOf(const grpc::ByteBuffer& bytes) {
  const grpc_byte_buffer* raw = GrpcByteBufferPeer::Get(bytes);
  if (raw == nullptr || raw->type != GRPC_BB_RAW) return HttpCoding::kIdentity;
  switch (raw->data.raw.compression) {
  case GRPC_COMPRESS_GZIP:
    return HttpCoding::kGzip;
  case GRPC_COMPRESS_DEFLATE:
    return HttpCoding::kDeflate;
  case GRPC_COMPRESS_NONE:
  case GRPC_COMPRESS_ALGORITHMS_COUNT:
    break;
  }
  return HttpCoding::kIdentity;
}

Status ParseMessage(grpc::ByteBuffer& bytes, uint64_t most, ByteBudget::Lease& lease, MessageLite& message) {
  if (CodingOf(bytes) != HttpCoding::kIdentity) return ParseCompressed(bytes, most, lease, message);
  AVOCET_RETURN_IF_ERROR(lease.Reserve(bytes.Length()));
  AVOCET_RETURN_IF_ERROR(ParsePlain(bytes, message));
  bytes.Clear();
  return {};
}

Status SerializeMessage(const MessageLite& message, grpc::ByteBuffer& bytes) {
  const size_t size = message.ByteSizeLong();
  if (size > static_cast<size_t>(std::numeric_limits<int>::max()))
    return Internal("the answer has " + std::to_string(size) + " bytes, more than a message of gRPC can");
  grpc::ProtoBufferWriter writer(&bytes, grpc::kProtoBufferWriterMaxBufferLength, static_cast<int>(size));
  return message.SerializeToZeroCopyStream(&writer) ? Status() : Internal("the answer cannot be serialized");
}

} // namespace avocet
