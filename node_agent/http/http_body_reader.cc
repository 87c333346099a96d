#include "node_agent/http/http_body_reader.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace avocet {
namespace {

/// Room that a body gets before its bytes came: a longer one is copied once when it has filled that.
constexpr size_t kFirstRoom = kMiB;

} // namespace

Status HttpBodyReader::Begin(HttpHeadReader& reader, boost::beast::flat_buffer& buffer, uint64_t most) {
  const HttpRequestHead& head = reader.head();
  coding_ = head.coding;
  json_bytes_ = head.json_bytes;
  have_ = 0;
  length_ = head.body_bytes;

  if (head.is_chunked) {
    reader.parser().body_limit(most);
    chunks_.emplace(reader.parser(), HttpChunkedBody::Bounds{static_cast<size_t>(most), limits_.max_header_bytes},
                    lease_, json_bytes_.value_or(0));
    return TakeChunks(buffer);
  }

  // Said before a byte of the body is read: the client gets its answer while it still sends.
  if (length_ > most) return BodyTooLarge(most);
  AVOCET_RETURN_IF_ERROR(budget_.CheckPossible(length_));
  // HttpBody places the raw tensors, which follow the JSON, so that engines can use them where they are.
  if (length_ > 0) body_ = HttpBody(std::min(length_, kFirstRoom), json_bytes_.value_or(length_));

  // What came along with the head is copied once; the rest is read into its place.
  const size_t along = std::min({length_, buffer.size(), body_.bytes().size()});
  if (along > 0) std::memcpy(body_.bytes().data(), buffer.data().data(), along);
  buffer.consume(along);
  return Took(along);
}

Status HttpBodyReader::Took(size_t bytes) {
  have_ += bytes;
  AVOCET_RETURN_IF_ERROR(lease_.Reserve(bytes));
  if (have_ < body_.bytes().size() || have_ == length_) return {};

  // As much came as is given on trust, so there is room for all from now on. Only what is written to becomes memory.
  HttpBody whole(length_, json_bytes_.value_or(length_));
  std::memcpy(whole.bytes().data(), body_.bytes().data(), have_);
  body_ = std::move(whole);
  return {};
}

Status HttpBodyReader::TakeChunks(boost::beast::flat_buffer& buffer) {
  AVOCET_ASSIGN_OR_RETURN(const auto is_whole, chunks_->Put(buffer));
  if (!is_whole) return {};
  body_ = chunks_->Take();
  have_ = length_ = body_.bytes().size();
  chunks_.reset();
  return coding_ == HttpCoding::kIdentity ? CheckJsonLength(have_) : Status();
}

Status HttpBodyReader::CheckJsonLength(size_t bytes) const {
  if (json_bytes_.value_or(0) <= bytes) return {};
  return InvalidArgument(std::string(kWrongJsonLength));
}

Status HttpBodyReader::Inflate() {
  const auto size = InflatedSize(coding_, body_.bytes(), static_cast<size_t>(limits_.max_body_bytes));
  if (!size.ok()) return size.status();
  AVOCET_RETURN_IF_ERROR(CheckJsonLength(*size));
  AVOCET_RETURN_IF_ERROR(lease_.Reserve(*size));
  HttpBody inflated = *size > 0 ? HttpBody(*size, json_bytes_.value_or(*size)) : HttpBody();
  AVOCET_RETURN_IF_ERROR(avocet::Inflate(coding_, body_.bytes(), inflated.bytes()));
  // Both existed while zlib worked.
  lease_.Shrink(length_);
  length_ = have_ = *size;
  body_ = std::move(inflated);
  return {};
}

void HttpBodyReader::End() {
  chunks_.reset();
  body_ = {};
  length_ = have_ = 0;
  lease_.Release();
}

} // namespace avocet
