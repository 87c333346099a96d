#include "node_agent/http/http_body_reader.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace avocet {

Status HttpBodyReader::Begin(HttpHeadReader& reader, boost::beast::flat_buffer& buffer) {
  const HttpRequestHead& head = reader.head();
  coding_ = head.coding;
  json_bytes_ = head.json_bytes;
  have_ = 0;

  if (head.is_chunked) {
    chunks_.emplace(reader.parser(), limits_, lease_, json_bytes_.value_or(0));
    return TakeChunks(buffer);
  }

  // Reserved before it is allocated: a budget that is full must refuse the body, not notice it afterwards.
  AVOCET_RETURN_IF_ERROR(lease_.Reserve(head.body_bytes));
  // HttpBody places the raw tensors, which follow the JSON, so that engines can use them where they are.
  if (head.body_bytes > 0) body_ = HttpBody(head.body_bytes, json_bytes_.value_or(head.body_bytes));

  // What came along with the head is copied once; the rest is read into its place.
  have_ = std::min(head.body_bytes, buffer.size());
  if (have_ > 0) std::memcpy(body_.bytes().data(), buffer.data().data(), have_);
  buffer.consume(have_);
  return {};
}

Status HttpBodyReader::TakeChunks(boost::beast::flat_buffer& buffer) {
  AVOCET_ASSIGN_OR_RETURN(const auto is_whole, chunks_->Put(buffer));
  if (!is_whole) return {};
  body_ = chunks_->Take();
  have_ = body_.bytes().size();
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
  body_ = std::move(inflated);
  return {};
}

void HttpBodyReader::End() {
  chunks_.reset();
  body_ = {};
  lease_.Release();
}

} // namespace avocet
