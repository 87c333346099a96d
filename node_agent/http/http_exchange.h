#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "messages/status.h"
#include "node_agent/http/http_body_reader.h"
#include "node_agent/http/http_head.h"
#include "node_agent/http/http_inference.h"
#include "node_agent/http/http_loop.h"
#include "node_agent/http/http_reply.h"
#include "node_agent/http/http_routes.h"

namespace avocet {

/// One request and its answer after another, without a socket or a clock: a connection brings the bytes that come,
/// follows the steps, and sends what unsent() shows. Reserves its share of the byte budget before it holds a body, and
/// counts every inference that it began or refused. For the loop's thread, except for Compute(), during which that
/// thread may call incoming(), keeps_alive() and EndWithThisAnswer() only.
class HttpExchange {
public:
  /// What the connection does next; each says which call follows.
  enum class Step {
    kReadHead,      ///< read into incoming(), then TakeHead
    kWriteContinue, ///< write "100 Continue", then go on as for kReadBody
    kReadBody,      ///< read into missing(), then TakeBody; when is_chunked(): into incoming(), then TakeChunks
    kCompute,       ///< Compute, on a thread of its own if is_long(); then AfterCompute
    kRun,           ///< Run
    kWait,          ///< the device works: AfterRun once it has notified
    kSend,          ///< write unsent() to its end, then Release; close unless keeps_alive()
  };

  /// Bytes that are read at once while a head is due: what of the body comes along must be copied.
  static constexpr size_t kReadAtOnce = 8 * 1024;

  /// `shared` outlives it. `client` may be null: the share of the budget that its requests are counted for.
  HttpExchange(HttpShared& shared, HttpSurface surface, std::shared_ptr<BudgetShare> client = nullptr);
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  /// What came and is not taken yet: heads, what comes along with them, chunks.
  boost::beast::flat_buffer& incoming() { return incoming_; }

  // Reading

  /// Waits for the next head. Requires that the request before was released.
  void Begin();
  /// A client that has no seat: each of its requests is answered 503 with `why`, once its head has come.
  Step TakeHead(bool has_seat, const std::string& why);
  /// So many bytes came into missing(). Requires that they fit.
  Step TakeBody(size_t bytes);
  /// Takes what of a chunked body is in incoming(). Requires is_chunked().
  Step TakeChunks();
  std::span<std::byte> missing() { return body_.missing(); }
  bool is_chunked() const { return body_.is_chunked(); }

  // Answering

  /// Whether Compute takes longer than a thread with other connections should be busy.
  bool is_long() const { return is_long_; }
  void Compute();
  Step AfterCompute();
  /// Gives the request to its device. After kWait, `notify` is called once, from any thread, perhaps before this
  /// returns; after any other step never.
  Step Run(std::function<void()> notify);
  Step AfterRun();
  /// Stops a request between Run and AfterRun; its device still notifies.
  void Cancel() { inference_->Cancel(); }
  /// The client went away before its answer: counts that. Its device must be done.
  void Abandon();

  /// What is left of the answer, to be shortened by what was written. Valid until Release.
  std::vector<boost::asio::const_buffer>& unsent() { return unsent_; }
  /// Frees what the request and its answer hold. Harmless when there is none.
  void Release();

  /// Whether another request may follow on this connection.
  bool keeps_alive() const { return keeps_alive_; }
  void EndWithThisAnswer() { keeps_alive_ = false; }

private:
  enum class Job { kInflate, kMetrics, kDecode, kEncode };

  const HttpRequestHead& head() const { return head_->head(); }
  Result<uint64_t> MostOfBody();
  Step Serve();
  Step Infer();
  Step Do(Job job, bool is_long);
  Step Answer(HttpReply reply);
  Step AnswerReserved(HttpReply reply);
  /// The request was not read to its end: nothing can follow on this connection.
  Step Refuse(HttpReply reply);
  Step RefuseBody(const Status& why);
  HttpReply Metrics();

  HttpShared& shared_;
  const HttpSurface surface_;
  bool keeps_alive_ = true;
  boost::beast::flat_buffer incoming_;
  std::optional<HttpHeadReader> head_;
  HttpBodyReader body_; ///< its lease covers the answer, too
  Job job_ = Job::kDecode;
  bool is_long_ = false;
  Status inflated_; ///< of a compressed body

  std::optional<HttpInference> inference_;
  HttpReply reply_;
  std::string reply_head_;
  std::vector<boost::asio::const_buffer> unsent_;
};

} // namespace avocet
