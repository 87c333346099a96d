#include "node_agent/http/http_routes.h"

#include <array>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace avocet {
namespace {

struct Pattern {
  std::string_view method;
  std::string_view path; ///< segments; "{m}" and "{v}" stand for any model and version
  HttpAction action;
};

/// Tried in order: what comes most often first.
constexpr std::array kInferencePatterns = {
    Pattern{"POST", "v2/models/{m}/infer", HttpAction::kInfer},
    Pattern{"POST", "v2/models/{m}/versions/{v}/infer", HttpAction::kInfer},
    Pattern{"GET", "v2", HttpAction::kServerMetadata},
    Pattern{"GET", "v2/health/live", HttpAction::kLive},
    Pattern{"GET", "v2/health/ready", HttpAction::kReady},
    Pattern{"GET", "v2/models/stats", HttpAction::kModelStatistics},
    Pattern{"GET", "v2/models/{m}", HttpAction::kModelMetadata},
    Pattern{"GET", "v2/models/{m}/ready", HttpAction::kModelReady},
    Pattern{"GET", "v2/models/{m}/config", HttpAction::kModelConfig},
    Pattern{"GET", "v2/models/{m}/stats", HttpAction::kModelStatistics},
    Pattern{"GET", "v2/models/{m}/versions/{v}", HttpAction::kModelMetadata},
    Pattern{"GET", "v2/models/{m}/versions/{v}/ready", HttpAction::kModelReady},
    Pattern{"GET", "v2/models/{m}/versions/{v}/config", HttpAction::kModelConfig},
    Pattern{"GET", "v2/models/{m}/versions/{v}/stats", HttpAction::kModelStatistics},
    Pattern{"POST", "v2/repository/index", HttpAction::kRepositoryIndex},
    Pattern{"POST", "v2/repository/models/{m}/load", HttpAction::kRepositoryChange},
    Pattern{"POST", "v2/repository/models/{m}/unload", HttpAction::kRepositoryChange},
    Pattern{"GET", "v2/systemsharedmemory/status", HttpAction::kSharedMemoryStatus},
    Pattern{"GET", "v2/systemsharedmemory/region/{m}/status", HttpAction::kSharedMemoryStatus},
    Pattern{"POST", "v2/systemsharedmemory/unregister", HttpAction::kSharedMemoryUnregister},
    Pattern{"POST", "v2/systemsharedmemory/region/{m}/unregister", HttpAction::kSharedMemoryUnregister},
    Pattern{"GET", "v2/cudasharedmemory/status", HttpAction::kSharedMemoryStatus},
    Pattern{"GET", "v2/cudasharedmemory/region/{m}/status", HttpAction::kSharedMemoryStatus},
    Pattern{"POST", "v2/cudasharedmemory/unregister", HttpAction::kSharedMemoryUnregister},
    Pattern{"POST", "v2/cudasharedmemory/region/{m}/unregister", HttpAction::kSharedMemoryUnregister},
};
constexpr std::array kMetricsPatterns = {Pattern{"GET", "metrics", HttpAction::kMetrics}};

/// Triton's families of routes that are not served here.
constexpr std::array kUnsupported = {"v2/systemsharedmemory", "v2/cudasharedmemory", "v2/trace", "v2/logging"};

/// Takes the first segment off a path.
std::string_view TakeSegment(std::string_view& path) {
  const size_t slash = path.find('/');
  const std::string_view segment = path.substr(0, slash);
  path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  return segment;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// nullopt for a '%' without two hexadecimal digits.
std::optional<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }

    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexDigit(text[i + 1]), low = HexDigit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

/// The route when the segments fit the pattern's path.
std::optional<HttpRoute> Fit(const Pattern& pattern, const std::vector<std::string>& segments) {
  HttpRoute route{pattern.action, {}, {}};
  std::string_view rest = pattern.path;
  for (const std::string& segment : segments) {
    const std::string_view wanted = TakeSegment(rest);

    // A placeholder takes any segment but an empty one, which would name nothing.
    if (wanted == "{m}" && !segment.empty())
      route.model = segment;
    else if (wanted == "{v}" && !segment.empty())
      route.version = segment;
    else if (wanted != segment || wanted.empty())
      return std::nullopt;
  }

  if (!rest.empty()) return std::nullopt;
  return route;
}

std::span<const Pattern> PatternsOf(HttpSurface surface) {
  return surface == HttpSurface::kInference ? std::span<const Pattern>(kInferencePatterns)
                                            : std::span<const Pattern>(kMetricsPatterns);
}

bool IsUnsupported(std::string_view path) {
  for (const std::string_view prefix : kUnsupported) {
    if (path == prefix || path.starts_with(std::string(prefix) + "/")) return true;
    if (path.starts_with("v2/models/") && path.ends_with("/trace/setting")) return true;
  }
  return false;
}

} // namespace

HttpMatch MatchRoute(HttpSurface surface, std::string_view method, std::string_view target) {
  std::string_view path = target.substr(0, target.find_first_of("?#"));
  if (!path.starts_with('/')) return {404, {}};
  path.remove_prefix(1);
  // Triton answers both forms.
  if (path == "v2/") path = "v2";

  // Split first, decoded then: an escaped slash is part of a name, not a separator.
  std::vector<std::string> segments;
  for (std::string_view rest = path; !rest.empty();) {
    auto decoded = PercentDecode(TakeSegment(rest));
    if (!decoded) return {400, {}};
    segments.push_back(std::move(*decoded));
  }

  HttpMatch match;
  for (const Pattern& pattern : PatternsOf(surface)) {
    auto route = Fit(pattern, segments);
    if (!route) continue;
    if (pattern.method == method) return {200, std::move(*route)};
    // Another pattern may have this path with the right method, so 405 waits for the end.
    match.status = 405;
  }

  if (match.status == 404 && surface == HttpSurface::kInference && IsUnsupported(path)) match.status = 501;
  return match;
}

} // namespace avocet
