#include "node_agent/http/http_answer.h"

#include <string>
#include <utility>

#include "node_agent/http/http_metadata_codec.h"

namespace avocet {
namespace {

constexpr size_t kShownTarget = 128;

HttpReply Json(std::string text, int status = 200) {
  HttpReply reply;
  reply.status = status;
  reply.text = std::move(text);
  return reply;
}

} // namespace

HttpReply AnswerQuestion(const InferenceCore& core, const HttpRoute& route) {
  const auto& [action, model, version] = route;
  switch (action) {
  case HttpAction::kLive:
    return Json(HealthJson("live", true));
  case HttpAction::kReady:
    return Json(HealthJson("ready", core.ready()), core.ready() ? 200 : 400);
  case HttpAction::kServerMetadata:
    return Json(ServerMetadataJson(core.options()));
  case HttpAction::kModelReady: {
    const auto found = core.Find(model, version);
    return found.ok() ? Json(ModelReadyJson(model, true)) : ErrorReply(found.status());
  }
  case HttpAction::kModelMetadata: {
    const auto served = core.Describe(model, version);
    return served.ok() ? Json(ModelMetadataJson(*served)) : ErrorReply(served.status());
  }
  case HttpAction::kModelConfig: {
    const auto served = core.Describe(model, version);
    return served.ok() ? Json(ModelConfigJson(*served)) : ErrorReply(served.status());
  }
  case HttpAction::kModelStatistics: {
    const auto all = core.Statistics(model, version);
    return all.ok() ? Json(StatisticsJson(*all)) : ErrorReply(all.status());
  }
  case HttpAction::kRepositoryIndex:
    return Json(IndexJson(core.Index()));
  case HttpAction::kRepositoryChange:
    return ErrorReply(InferenceCore::RefuseRepositoryChange());
  case HttpAction::kSharedMemoryStatus:
    return model.empty() ? Json("[]") : ErrorReply(InferenceCore::NoSharedMemory(model));
  case HttpAction::kSharedMemoryUnregister:
    return Json(""); // as Triton: what is not registered is unregistered
  // These two never come here: HttpExchange computes their answers aside.
  case HttpAction::kInfer:
  case HttpAction::kMetrics:
    break;
  }
  return ErrorReply(500, "no question");
}

HttpReply AnswerMismatch(int status, std::string_view target) {
  const std::string shown = "'" + std::string(target.substr(0, kShownTarget)) + "'";
  switch (status) {
  case 405:
    return ErrorReply(405, "Method Not Allowed");
  case 501:
    return ErrorReply(501, shown + " is an extension that is not served");
  case 400:
    return ErrorReply(400, shown + " is not percent-encoded");
  default:
    return ErrorReply(404, "there is no " + shown);
  }
}

} // namespace avocet
