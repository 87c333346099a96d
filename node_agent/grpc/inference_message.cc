#include "node_agent/grpc/inference_message.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/proto_buffer_writer.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

namespace avocet {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using grpc::internal::GrpcByteBufferPeer;

constexpr size_t kLongest = std::numeric_limits<int>::max(); ///< of a message of protobuf

/// What a field takes in memory beside its bytes, with the allocator's share, rounded up.
constexpr uint64_t kOfMessage = 256;
constexpr uint64_t kOfString = 80;
constexpr uint64_t kOfScalar = 48;

/// Bytes in memory of one packed varint of a field; 0 for all other fields, whose size follows from their bytes.
uint64_t SizeOfVarint(const FieldDescriptor& field) {
  // Packed varints grow when they are parsed: a byte on the wire may become eight in memory.
  switch (field.type()) {
  case FieldDescriptor::TYPE_INT32:
  case FieldDescriptor::TYPE_UINT32:
  case FieldDescriptor::TYPE_SINT32:
  case FieldDescriptor::TYPE_ENUM:
    return sizeof(int32_t);
  case FieldDescriptor::TYPE_INT64:
  case FieldDescriptor::TYPE_UINT64:
  case FieldDescriptor::TYPE_SINT64:
    return sizeof(int64_t);
  default: // not longer than on the wire
    return 0;
  }
}

/// How many varints end within the next `length` bytes, which are taken.
uint64_t CountVarints(CodedInputStream& wire, int length) {
  uint64_t count = 0;
  const void* data = nullptr;
  for (int size = 0; length > 0 && wire.GetDirectBufferPointer(&data, &size); length -= size) {
    size = std::min(size, length);
    const auto* bytes = static_cast<const uint8_t*>(data);
    count += static_cast<uint64_t>(std::count_if(bytes, bytes + size, [](uint8_t byte) { return byte < 0x80; }));
    wire.Skip(size);
  }
  return count;
}

/// What a message will take once it is read, estimated from above. Ends early only where it is malformed. No type of
/// the protocol contains itself, so this goes no deeper than the protocol.
uint64_t MemoryOf(CodedInputStream& wire, const google::protobuf::Descriptor& type) {
  uint64_t bytes = kOfMessage;

  while (const uint32_t tag = wire.ReadTag()) {
    const FieldDescriptor* field = type.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
    // protobuf keeps unknown numbers beside the message, so each number is counted as if it were unknown.
    if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&wire, tag)) break;
      bytes += kOfScalar;
      continue;
    }

    int length = 0;
    if (!wire.ReadVarintSizeAsInt(&length)) break;
    // Nested messages are entered under their own limit: a length that lies must not read into the next field.
    if (field != nullptr && field->message_type() != nullptr) {
      const auto outer = wire.PushLimit(length);
      bytes += MemoryOf(wire, *field->message_type());
      if (wire.BytesUntilLimit() > 0) break;
      wire.PopLimit(outer);
      continue;
    }

    const uint64_t each = field != nullptr ? SizeOfVarint(*field) : 0;
    // protobuf keeps as much room again for further numbers
    bytes += kOfString + (each > 0 ? 2 * each * CountVarints(wire, length) : static_cast<uint64_t>(length));
    // CountVarints has taken the bytes of numbers already.
    if (each == 0 && !wire.Skip(length)) break;
  }
  return bytes;
}

/// Outputs up to this size are copied: that is quicker than a slice of their own.
constexpr size_t kCopied = 4 * 1024;

Status TooLong(size_t size) {
  return Internal("the answer has " + std::to_string(size) + " bytes, more than a message of gRPC can");
}

/// The bytes of a field of type bytes or message, up to its contents.
void AppendLead(std::string& text, int field, size_t length) {
  google::protobuf::io::StringOutputStream stream(&text);
  google::protobuf::io::CodedOutputStream out(&stream);
  out.WriteTag(WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
  out.WriteVarint32(static_cast<uint32_t>(length));
}

/// Bytes of `owner` that gRPC reads in place.
grpc::Slice InPlace(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner) {
  const auto release = [](void* kept) { delete static_cast<std::shared_ptr<const void>*>(kept); };
  auto kept = std::make_unique<std::shared_ptr<const void>>(owner);
  // gRPC only reads, though its type has no const.
  return {const_cast<std::byte*>(bytes.data()), bytes.size(), release, kept.release()};
}

Status NoMessage(const Message& message) {
  return InvalidArgument("the message is no " + message.GetTypeName());
}

Status ParsePlain(grpc::ByteBuffer& bytes, ByteBudget::Lease& lease, Message& message) {
  {
    grpc::ProtoBufferReader reader(&bytes);
    if (!reader.status().ok()) return NoMessage(message);
    CodedInputStream wire(&reader);
    AVOCET_RETURN_IF_ERROR(lease.Reserve(MemoryOf(wire, *message.GetDescriptor())));
  }
  grpc::ProtoBufferReader reader(&bytes);
  return message.ParseFromZeroCopyStream(&reader) ? Status() : NoMessage(message);
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

Status ParseCompressed(grpc::ByteBuffer& bytes, uint64_t most, ByteBudget::Lease& lease, Message& message) {
  const HttpCoding coding = CodingOf(bytes);
  const size_t length = bytes.Length();

  // Reserved step by step, as each size is known, and always before the allocation that it is for.
  AVOCET_RETURN_IF_ERROR(lease.Reserve(length));
  const std::vector<std::byte> compressed = Joined(GrpcByteBufferPeer::Get(bytes)->data.raw.slice_buffer);
  bytes.Clear();

  AVOCET_ASSIGN_OR_RETURN(const auto size, InflatedSize(coding, compressed, static_cast<size_t>(most)));
  // Both forms exist at the same time while zlib works.
  AVOCET_RETURN_IF_ERROR(lease.Reserve(size));
  std::vector<std::byte> inflated(size);
  AVOCET_RETURN_IF_ERROR(Inflate(coding, compressed, inflated));

  // What parsing will take is measured on the bytes: a small message can grow a hundredfold.
  CodedInputStream wire(reinterpret_cast<const uint8_t*>(inflated.data()), static_cast<int>(size));
  AVOCET_RETURN_IF_ERROR(lease.Reserve(MemoryOf(wire, *message.GetDescriptor())));
  if (!message.ParseFromArray(inflated.data(), static_cast<int>(size))) return NoMessage(message);

  lease.Shrink(length + size);
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

Status ParseMessage(grpc::ByteBuffer& bytes, uint64_t most, ByteBudget::Lease& lease, Message& message) {
  if (CodingOf(bytes) != HttpCoding::kIdentity) return ParseCompressed(bytes, most, lease, message);
  AVOCET_RETURN_IF_ERROR(ParsePlain(bytes, lease, message));
  bytes.Clear();
  return {};
}

Status SerializeMessage(const google::protobuf::MessageLite& message, grpc::ByteBuffer& bytes) {
  const size_t size = message.ByteSizeLong();
  if (size > kLongest) return TooLong(size);
  grpc::ProtoBufferWriter writer(&bytes, grpc::kProtoBufferWriterMaxBufferLength, static_cast<int>(size));
  return message.SerializeToZeroCopyStream(&writer) ? Status() : Internal("the answer cannot be serialized");
}

Status SerializeAnswer(const AnswerMessage& answer, bool is_streamed, grpc::ByteBuffer& bytes) {
  using inference::ModelInferResponse;
  // The lead of each output is written first, as the length of all stands at the beginning.
  std::vector<std::string> leads;
  size_t length = answer.facts.ByteSizeLong();
  for (const auto& raw : answer.raw) {
    if (raw.size() > kLongest) return TooLong(raw.size());
    AppendLead(leads.emplace_back(), ModelInferResponse::kRawOutputContentsFieldNumber, raw.size());
    length += leads.back().size() + raw.size();
  }
  if (length > kLongest) return TooLong(length);

  std::string text; // up to the next slice
  if (is_streamed) AppendLead(text, inference::ModelStreamInferResponse::kInferResponseFieldNumber, length);
  if (!answer.facts.AppendToString(&text)) return Internal("the answer cannot be serialized");

  std::vector<grpc::Slice> slices;
  for (size_t i = 0; i < answer.raw.size(); ++i) {
    const auto raw = answer.raw[i];
    text += leads[i];
    if (raw.size() <= kCopied) {
      text.append(reinterpret_cast<const char*>(raw.data()), raw.size());
      continue;
    }
    slices.emplace_back(std::exchange(text, {}));
    slices.push_back(InPlace(raw, answer.owner));
  }
  if (!text.empty() || slices.empty()) slices.emplace_back(text);
  bytes = grpc::ByteBuffer(slices.data(), slices.size());
  return {};
}

} // namespace avocet
