#pragma once

#include <string>
#include <string_view>

namespace avocet {

/// What a client wants of the REST endpoint.
enum class HttpAction {
  kLive,
  kReady,
  kServerMetadata,
  kModelReady,
  kModelMetadata,
  kModelConfig,
  kModelStatistics, ///< an empty model: of all
  kInfer,
  kRepositoryIndex,
  kRepositoryChange,   ///< load or unload
  kSharedMemoryStatus, ///< an empty model: of all regions
  kSharedMemoryUnregister,
  kMetrics,
};

struct HttpRoute {
  HttpAction action = HttpAction::kLive;
  std::string model;   ///< percent-decoded
  std::string version; ///< empty: any
};

/// Which listener was asked: they serve different routes.
enum class HttpSurface { kInference, kMetrics };

struct HttpMatch {
  int status = 404; ///< 200 when `route` is valid; else 400 (encoding), 404, 405 (method) or 501
  HttpRoute route;
};

/// Finds what `method` on `target` (with or without a query, which is ignored) means.
HttpMatch MatchRoute(HttpSurface surface, std::string_view method, std::string_view target);

} // namespace avocet
