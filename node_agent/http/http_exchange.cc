#include "node_agent/http/http_exchange.h"

#include <utility>

#include "messages/invariant.h"
#include "node_agent/http/http_answer.h"

namespace avocet {
namespace {

/// A text below this size is sent in one piece with its head: one buffer less for the kernel, one record for TLS.
constexpr size_t kJoined = 8 * 1024;
/// The longest body of a request that is not for inference, or leads nowhere.
constexpr uint64_t kSmallBody = 64 * 1024;

} // namespace

HttpExchange::HttpExchange(HttpShared& shared, HttpSurface surface, std::shared_ptr<BudgetShare> client)
    : shared_(shared), surface_(surface), body_(shared.limits, shared.core->budget(), std::move(client)) {
  incoming_.reserve(kReadAtOnce);
}

// Reading

void HttpExchange::Begin() {
  AVOCET_CHECK(!inference_.has_value());
  keeps_alive_ = true;
  head_.emplace(surface_, shared_.limits);
}

HttpExchange::Step HttpExchange::TakeHead(bool has_seat, const std::string& why) {
  const auto progress = head_->Put(incoming_);
  if (progress == HttpHeadReader::Progress::kNeedsMore) return Step::kReadHead;
  if (progress == HttpHeadReader::Progress::kRefused) return Refuse(std::move(head_->refusal()));
  if (!has_seat) return Refuse(ErrorReply(503, why + "; retry"));

  keeps_alive_ = head().keeps_alive && !shared_.is_draining;
  if (head().match.status != 200 && head().body_bytes > kSmallBody)
    return Refuse(AnswerMismatch(head().match.status, head_->target()));
  const auto most = MostOfBody();
  if (!most.ok()) return RefuseBody(most.status());
  if (const Status begun = body_.Begin(*head_, incoming_, *most); !begun.ok()) return RefuseBody(begun);

  // A client that sent its body without waiting has no use for "100 Continue".
  if (body_.is_complete()) return Serve();
  return head().expects_continue ? Step::kWriteContinue : Step::kReadBody;
}

/// Only an inference that can be served may have a body that is worth memory; it is counted for its application. A body
/// that leads nowhere and is small is read, so that the connection can go on behind the error.
Result<uint64_t> HttpExchange::MostOfBody() {
  const auto& [status, route] = head().match;
  if (status != 200 || route.action != HttpAction::kInfer) return kSmallBody;
  auto found = shared_.core->Find(route.model, route.version);
  if (found.ok()) {
    body_.lease().ChargeTo(std::move(found->share));
    return shared_.limits.max_body_bytes;
  }
  if (head().body_bytes > kSmallBody) return found.status();
  return kSmallBody;
}

HttpExchange::Step HttpExchange::TakeBody(size_t bytes) {
  AVOCET_CHECK(bytes <= missing().size());
  if (const Status taken = body_.Took(bytes); !taken.ok()) return RefuseBody(taken);
  return body_.is_complete() ? Serve() : Step::kReadBody;
}

HttpExchange::Step HttpExchange::TakeChunks() {
  AVOCET_CHECK(is_chunked());
  if (const Status taken = body_.TakeChunks(incoming_); !taken.ok()) return RefuseBody(taken);
  if (!body_.is_complete()) return Step::kReadBody;
  if (incoming_.size() == 0) incoming_.shrink_to_fit(); // an idle connection should not hold room for chunks
  return Serve();
}

HttpExchange::Step HttpExchange::RefuseBody(const Status& why) {
  shared_.core->CountRefusal(why.code());
  return Refuse(ErrorReply(why));
}

// Answering

HttpExchange::Step HttpExchange::Serve() {
  const auto& [status, route] = head().match;
  if (status != 200) return Answer(AnswerMismatch(status, head_->target()));
  if (route.action == HttpAction::kMetrics) return Do(Job::kMetrics, true);
  if (route.action != HttpAction::kInfer) return Answer(AnswerQuestion(*shared_.core, route));
  if (head().coding != HttpCoding::kIdentity) return Do(Job::kInflate, true);
  return Infer();
}

HttpExchange::Step HttpExchange::Infer() {
  const auto bytes = body_.bytes();
  const HttpInferBody body{bytes, head().json_bytes.value_or(bytes.size()),
                           static_cast<size_t>(shared_.limits.max_body_bytes), head().json_bytes == 0};
  inference_.emplace(*shared_.core, MonotonicTime::clock::now(), body);
  if (const Status found = inference_->Open(head().match.route); !found.ok()) return Answer(inference_->Fail(found));
  return Do(Job::kDecode, inference_->is_long_to_decode());
}

HttpExchange::Step HttpExchange::Do(Job job, bool is_long) {
  job_ = job;
  is_long_ = is_long;
  return Step::kCompute;
}

void HttpExchange::Compute() {
  // May run on the coders' thread: nothing here may touch keeps_alive_ or incoming_, which the loop uses meanwhile.
  switch (job_) {
  case Job::kInflate:
    inflated_ = body_.Inflate();
    break;
  case Job::kMetrics:
    reply_ = Metrics();
    break;
  case Job::kDecode:
    inference_->Decode(body_.lease());
    break;
  case Job::kEncode:
    inference_->Encode(head().answer_coding, body_.lease());
    break;
  }
}

HttpExchange::Step HttpExchange::AfterCompute() {
  // What was computed aside is counted and answered here, on the loop's thread.
  switch (job_) {
  case Job::kInflate:
    if (inflated_.ok()) return Infer();
    shared_.core->CountRefusal(inflated_.code());
    return Answer(ErrorReply(inflated_));
  case Job::kMetrics:
    return Answer(std::move(reply_));
  case Job::kDecode:
    return Step::kRun;
  case Job::kEncode:
    break;
  }
  return AnswerReserved(inference_->End());
}

HttpReply HttpExchange::Metrics() {
  HttpReply reply;
  reply.text = shared_.metrics(
      {shared_.connections, shared_.refused_connections, shared_.evicted_connections, shared_.slow_connections});
  reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return reply;
}

HttpExchange::Step HttpExchange::Run(std::function<void()> notify) {
  const auto progress = inference_->Begin(std::move(notify));
  if (!progress.ok()) return Answer(inference_->Fail(progress.status()));
  return *progress == InferenceProgress::kQueued ? Step::kWait : AfterRun();
}

HttpExchange::Step HttpExchange::AfterRun() {
  return Do(Job::kEncode, inference_->is_long_to_encode(head().answer_coding));
}

void HttpExchange::Abandon() {
  if (inference_) (void)inference_->Fail(Cancelled("the client went away"));
}

HttpExchange::Step HttpExchange::Refuse(HttpReply reply) {
  keeps_alive_ = false;
  return Answer(std::move(reply));
}

/// Also what is no inference's answer may be long, and then needs room: errors never do.
HttpExchange::Step HttpExchange::Answer(HttpReply reply) {
  const Status reserved = reply.status == 200 ? body_.lease().Reserve(reply.size()) : Status();
  return AnswerReserved(reserved.ok() ? std::move(reply) : ErrorReply(reserved));
}

HttpExchange::Step HttpExchange::AnswerReserved(HttpReply reply) {
  reply_ = std::move(reply);

  // The head says whether the connection goes on, so this is the last moment to notice that the server drains.
  if (shared_.is_draining) keeps_alive_ = false;
  reply_head_ = HeadOf(reply_, {keeps_alive_, head().is_http10});

  // Only now: the head of an answer to HEAD tells the length that a GET would bring.
  if (head().is_head) reply_ = {};
  if (reply_.text.size() < kJoined) reply_head_ += std::exchange(reply_.text, {});

  unsent_.assign({boost::asio::buffer(reply_head_), boost::asio::buffer(reply_.text)});
  for (const auto tail : reply_.tails)
    unsent_.emplace_back(tail.data(), tail.size());
  return Step::kSend;
}

void HttpExchange::Release() {
  // The answer may point into the inference's outputs, and the inference into the body.
  reply_ = {};
  inference_.reset();
  body_.End();
}

} // namespace avocet
