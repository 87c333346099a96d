#include "node_agent/http/http_chunked_body.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <boost/beast/http/error.hpp>

namespace avocet {
namespace {

namespace http = boost::beast::http;

/// The first piece of memory; each further one is twice as large.
constexpr size_t kFirstRoom = 16 * 1024;
constexpr std::string_view kEmptyBody = "0\r\n\r\n";

/// When Beast looks at a last chunk for the second time, it takes for granted (asserts) that so much is there.
bool IsTooShortToTell(const boost::beast::flat_buffer& buffer) {
  return buffer.size() < kEmptyBody.size() && buffer.size() > 0 &&
         *static_cast<const char*>(buffer.data().data()) == '0';
}

} // namespace

HttpChunkedBody::HttpChunkedBody(HttpRequestParser& parser, const Bounds& bounds, ByteBudget::Lease& lease,
                                 size_t json_bytes)
    : parser_(parser), bounds_(bounds), lease_(lease), json_bytes_(json_bytes) {}

Result<bool> HttpChunkedBody::Put(boost::beast::flat_buffer& buffer) {
  if (!has_begun_ && IsTooShortToTell(buffer)) return false;
  has_begun_ = has_begun_ || buffer.size() > 0;

  while (!parser_.is_done() && buffer.size() > 0) {
    // Beast may stop between chunk and data, so room is offered again for each piece.
    OfferRoom();
    boost::system::error_code error;
    buffer.consume(parser_.put(buffer.data(), error));

    have_ = body_.bytes().size() - parser_.get().body().size;
    // Chunk sizes, extensions and trailers stay in the buffer until whole: without this bound they could grow forever.
    if (error == http::error::need_more) {
      if (buffer.size() <= bounds_.between) return false;
      return InvalidArgument("malformed HTTP: more than " + std::to_string(bounds_.between) +
                             " bytes between the chunks or behind them");
    }

    if (error == http::error::body_limit) return BodyTooLarge(bounds_.body);
    if (error && error != http::error::need_buffer) return InvalidArgument("malformed HTTP: " + error.message());
    // need_buffer with an error-free parser means that the room is full: grow by what came, not by what is announced.
    if (error) AVOCET_RETURN_IF_ERROR(Grow());
  }
  return parser_.is_done();
}

HttpBody HttpChunkedBody::Take() {
  body_.Truncate(have_);
  return std::move(body_);
}

/// The parser writes the next bytes of the body there.
void HttpChunkedBody::OfferRoom() {
  auto& place = parser_.get().body();
  const auto room = body_.bytes().subspan(have_);
  place.data = room.empty() ? nullptr : room.data();
  place.size = room.size();
}

Status HttpChunkedBody::Grow() {
  const size_t old_room = body_.bytes().size();
  const size_t room = std::min(std::max(kFirstRoom, 2 * old_room), bounds_.body);
  AVOCET_RETURN_IF_ERROR(lease_.Reserve(room));
  HttpBody larger(room, json_bytes_);
  if (have_ > 0) std::memcpy(larger.bytes().data(), body_.bytes().data(), have_);
  body_ = std::move(larger);
  lease_.Shrink(old_room);
  return {};
}

} // namespace avocet
