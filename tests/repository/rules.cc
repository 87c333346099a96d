#include "tests/repository/rules.h"

#include <algorithm>
#include <map>
#include <regex>
#include <sstream>

#include "tests/repository/source_text.h"

namespace avocet {
namespace {

using Texts = std::vector<std::string_view>;

/// Project folders that a folder may include. tests/ and bench/ may include everything.
const std::map<std::string_view, Texts> kMayInclude{
    {"messages", {"messages"}},
    {"storage", {"storage", "messages"}},
    {"controller", {"controller", "messages"}},
    {"node_agent", {"node_agent", "messages"}},
    {"actors", {"actors", "storage", "controller", "node_agent", "messages"}},
    {"cli", {"cli", "actors", "storage", "controller", "node_agent", "messages"}},
};
const Texts kUnrestricted{"tests", "bench"};

/// A sub-folder, or the files that stand directly in a folder ("actors"), and what of the same folder it may include
/// beside itself. Lowest first: a row names earlier rows only, so there are no circles (a test checks that).
struct Room {
  std::string_view path;
  Texts may_include;
};
const std::vector<Room> kRooms{
    {"messages", {}},
    {"messages/codec", {"messages"}},
    {"messages/tls", {"messages"}},
    {"storage", {}},
    {"controller/queueing", {}},
    {"controller/cluster", {"controller/queueing"}},
    {"controller/placement", {"controller/queueing", "controller/cluster"}},
    {"controller/planning", {"controller/queueing", "controller/cluster", "controller/placement"}},
    {"node_agent/ports", {}},
    {"node_agent/tensors", {}},
    {"node_agent/formats", {"node_agent/tensors"}},
    {"node_agent/engines", {"node_agent/tensors", "node_agent/formats"}},
    {"node_agent/probes", {"node_agent/engines"}},
    {"node_agent/scheduling", {"node_agent/tensors", "node_agent/engines"}},
    {"node_agent/inference", {"node_agent/tensors", "node_agent/scheduling"}},
    {"node_agent/http",
     {"node_agent/ports", "node_agent/tensors", "node_agent/probes", "node_agent/scheduling", "node_agent/inference"}},
    {"node_agent/grpc", {"node_agent/ports", "node_agent/tensors", "node_agent/inference"}},
    {"node_agent", {"node_agent/engines", "node_agent/scheduling", "node_agent/inference"}},
    {"actors/protocol", {}},
    {"actors", {"actors/protocol"}},
    {"actors/wire", {"actors/protocol", "actors"}},
    {"actors/controller", {"actors/protocol", "actors", "actors/wire"}},
    {"actors/agent", {"actors/protocol", "actors", "actors/wire"}},
    {"cli/text", {}},
    {"cli/config", {"cli/text"}},
    {"cli/process", {"cli/config"}},
    {"cli/load", {"cli/text"}},
    {"cli/render", {"cli/text", "cli/load"}},
    {"cli/offline", {"cli/text", "cli/config", "cli/process", "cli/load", "cli/render"}},
    {"cli/commands", {"cli/text", "cli/config", "cli/process", "cli/load", "cli/render", "cli/offline"}},
    {"cli/demo", {"cli/load", "cli/process", "cli/render", "cli/commands"}},
    {"cli", {"cli/process", "cli/commands"}},
};

/// Generated headers, as they are included.
const std::regex kGeneratedGrpc(R"((avocet/v1|inference)/\w+\.grpc\.pb\.h)");
const std::regex kGenerated(R"((avocet/v1|inference)/\w+\.pb\.h)");

struct LibraryRule {
  std::string_view library;
  bool (*owns)(const std::string& header);
  Texts users;             ///< beginnings of paths
  Texts but_not = Texts{}; ///< beginnings of paths among them
};

bool IsGrpc(const std::string& header) {
  return header.starts_with("grpc") || std::regex_match(header, kGeneratedGrpc);
}
bool IsProtobuf(const std::string& header) { // codec.h brings the generated messages with it
  return header.starts_with("google/protobuf/") || std::regex_match(header, kGenerated) ||
         header == "messages/codec/codec.h";
}
bool IsTransport(const std::string& header) {
  return header.starts_with("boost/asio") || header.starts_with("boost/beast") || header.starts_with("openssl/") ||
         std::regex_match(header, std::regex(R"(sys/socket\.h|netinet/.*|arpa/.*|netdb\.h)"));
}

const std::vector<LibraryRule> kLibraries{
    {"RocksDB", [](const std::string& header) { return header.starts_with("rocksdb/"); }, {"storage/"}},
    // What has sequence numbers, retries or leases is plain: a simulation drives it.
    {"CAF", [](const std::string& header) { return header.starts_with("caf/"); }, {"actors/"}, {"actors/protocol/"}},
    // The endpoint; control and link; what both prove who they are with; the load generator, a client of the endpoint.
    {"gRPC", IsGrpc, {"messages/tls/tls_credentials", "node_agent/grpc/", "actors/wire/", "cli/load/load_client"}},
    {"Protobuf",
     IsProtobuf,
     {"messages/codec/", "storage/", "node_agent/grpc/", "actors/wire/", "cli/load/load_client"}},
    {"FlatBuffers",
     [](const std::string& header) { return header.starts_with("flatbuffers/") || header == "tflite_generated.h"; },
     {"node_agent/formats/"}},
    // What the inference protocol says is the same for all transports, so it knows none.
    {"a transport",
     IsTransport,
     {"messages/", "storage/", "controller/", "node_agent/", "actors/", "cli/"},
     {"node_agent/tensors/", "node_agent/scheduling/", "node_agent/inference/", "actors/protocol/"}},
};

/// Headers for nobody, and why.
const std::map<std::string_view, std::string_view> kBanned{
    {"caf/all.hpp", "it costs seconds in every file; include what is used"},
    {"caf/io/", "CAF's network layer is not fit to be exposed"},
    {"caf/openssl/", "CAF's network layer is not fit to be exposed"},
};

bool Contains(const Texts& texts, std::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

bool BeginsWithOneOf(std::string_view path, const Texts& beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(), [&](auto beginning) { return path.starts_with(beginning); });
}

std::string_view FolderOf(std::string_view path) {
  return path.substr(0, path.find('/'));
}

/// The sub-folder of a file, or its folder when it stands directly in there.
std::string_view RoomOf(std::string_view path) {
  const size_t slash = path.find('/');
  const size_t second = slash == std::string_view::npos ? slash : path.find('/', slash + 1);
  return path.substr(0, second == std::string_view::npos ? slash : second);
}

const Room* FindRoom(std::string_view path) {
  const auto found = std::find_if(kRooms.begin(), kRooms.end(), [&](const Room& room) { return room.path == path; });
  return found == kRooms.end() ? nullptr : &*found;
}

std::string Complaint(std::string_view path, int line, std::string_view what) {
  return std::string(path) + ":" + std::to_string(line) + ": " + std::string(what);
}

/// What is wrong with including `include` from `path`; empty when nothing is.
std::string FolderFault(std::string_view path, const Include& include) {
  if (!include.quoted || std::regex_match(include.header, kGenerated) ||
      std::regex_match(include.header, kGeneratedGrpc)) {
    return {};
  }
  const auto folder = FolderOf(include.header);
  if (!kMayInclude.contains(folder) && !Contains(kUnrestricted, folder)) {
    return "\"" + include.header + "\": quoted includes begin with a folder of the project";
  }
  const auto allowed = kMayInclude.find(FolderOf(path));
  if (allowed == kMayInclude.end() || Contains(allowed->second, folder)) return {};
  return "\"" + include.header + "\": " + std::string(allowed->first) + "/ may not include " + std::string(folder) +
         "/";
}

/// The inner order of a folder: what is wrong with including `include` from `path`; empty when nothing is.
std::string RoomFault(std::string_view path, const Include& include) {
  const auto from = RoomOf(path), to = RoomOf(include.header);
  if (!include.quoted || from == to || FolderOf(path) != FolderOf(include.header)) return {};
  const Room* room = FindRoom(from);
  if (room == nullptr || Contains(room->may_include, to)) return {};
  return "\"" + include.header + "\": " + std::string(from) + "/ may not include " + std::string(to) + "/";
}

std::string LibraryFault(std::string_view path, const Include& include) {
  for (const auto& [header, reason] : kBanned) {
    if (include.header.starts_with(header)) return "<" + include.header + ">: " + std::string(reason);
  }
  if (Contains(kUnrestricted, FolderOf(path))) return {};
  for (const auto& rule : kLibraries) {
    if (rule.owns(include.header) && (!BeginsWithOneOf(path, rule.users) || BeginsWithOneOf(path, rule.but_not))) {
      return "<" + include.header + ">: " + std::string(rule.library) + " is not for this file";
    }
  }
  return {};
}

const std::regex kImpureHeader(
    R"((cstdio|stdio\.h|iostream|fstream|filesystem|syncstream|print|thread|mutex|shared_mutex|condition_variable|)"
    R"(future|semaphore|latch|barrier|stop_token|ctime|time\.h|unistd\.h|fcntl\.h|sys/.*|spdlog/.*|boost/asio.*|)"
    R"(boost/filesystem.*))");

/// What impure code looks like, and what it is.
const std::vector<std::pair<std::regex, std::string_view>>& ImpureCode() {
  static const std::vector<std::pair<std::regex, std::string_view>> kImpure{
      {std::regex(R"(\bnow\s*\()"), "reads a clock; time is a parameter"},
      {std::regex(R"(\b(clock_gettime|gettimeofday|localtime|gmtime)\b|\btime\s*\(\s*(nullptr|NULL|0|&))"),
       "reads a clock; time is a parameter"},
      {std::regex(R"(\b(fopen|fstream|ifstream|ofstream|filesystem)\b)"), "touches the disk"},
      {std::regex(R"(\b(printf|fprintf|puts|spdlog|cout|cerr|clog)\b)"), "writes a log; return data"},
      {std::regex(R"(\b(thread|jthread|mutex|shared_mutex|recursive_mutex|condition_variable|async)\b|\bsleep_)"),
       "uses threads"},
      {std::regex(R"(\b(getenv|secure_getenv|environ)\b)"), "reads the environment"},
      {std::regex(R"(\brandom_device\b|\bs?rand\s*\()"), "draws from chance; a seed is a parameter"},
  };
  return kImpure;
}

} // namespace

std::vector<std::string> CheckIncludes(std::string_view path, std::string_view source) {
  std::vector<std::string> complaints;
  for (const auto& include : IncludesOf(source)) {
    for (const auto& fault : {FolderFault(path, include), RoomFault(path, include), LibraryFault(path, include)}) {
      if (!fault.empty()) complaints.push_back(Complaint(path, include.line, "includes " + fault));
    }
  }
  return complaints;
}

std::vector<std::string> CheckPurity(std::string_view path, std::string_view source) {
  const auto folder = RoomOf(path) == "actors/protocol" ? RoomOf(path) : FolderOf(path);
  if (folder != "controller" && folder != "actors/protocol") return {};
  std::vector<std::string> complaints;
  for (const auto& include : IncludesOf(source)) {
    if (std::regex_match(include.header, kImpureHeader)) {
      complaints.push_back(
          Complaint(path, include.line, "includes <" + include.header + ">: " + std::string(folder) + "/ is pure"));
    }
  }
  const std::string code = std::regex_replace(CodeOf(source), std::regex(R"(#[ \t]*include[^\n]*)"), "");
  for (const auto& [pattern, what] : ImpureCode()) {
    for (std::sregex_iterator it(code.begin(), code.end(), pattern), end; it != end; ++it) {
      const int line = LineOf(code, static_cast<size_t>(it->position()));
      complaints.push_back(Complaint(path, line, "'" + it->str() + "' " + std::string(what)));
    }
  }
  return complaints;
}

std::vector<std::string> CheckRoom(std::string_view path) {
  if (Contains(kUnrestricted, FolderOf(path)) || FindRoom(RoomOf(path)) != nullptr) return {};
  return {std::string(path) + ": stands in " + std::string(RoomOf(path)) + "/, which the table of rooms does not name"};
}

std::vector<std::string> CheckRoomOrder() {
  std::vector<std::string> complaints;
  Texts earlier;
  for (const auto& room : kRooms) {
    for (const auto& below : room.may_include) {
      if (!Contains(earlier, below))
        complaints.push_back(std::string(room.path) + "/ may include " + std::string(below) +
                             "/, which is not below it");
    }
    earlier.push_back(room.path);
  }
  return complaints;
}

std::vector<std::string> CheckViewEdits(std::string_view path, std::string_view source) {
  static const std::regex kEdit(
      R"(\bview_?\.(apps|placements|nodes|devices|models|profiles|refused)(\[|\.(erase|insert|emplace|try_emplace|)"
      R"(push_back|clear|extract)\b| = |\.at\([^)]*\)\.\w+ = ))");
  if (Contains(kUnrestricted, FolderOf(path)) || path == "controller/cluster/cluster_changes.cc") return {};
  std::vector<std::string> complaints;
  const std::string code = CodeOf(source);
  for (std::sregex_iterator it(code.begin(), code.end(), kEdit), end; it != end; ++it) {
    const int line = LineOf(code, static_cast<size_t>(it->position()));
    complaints.push_back(Complaint(path, line, "'" + it->str() + "' edits a view; that is for cluster_changes"));
  }
  return complaints;
}

std::vector<std::string> NamedTypesOf(std::string_view source) {
  // As clang-format leaves them: what stands at the beginning of a line is in no other type.
  static const std::regex kOpens(R"(namespace ([\w:]*) ?\{)"), kCloses(R"(\} // namespace ?[\w:]*)"),
      kDefines(
          R"((?:template <.*> )?(?:struct|class|enum class) (?:alignas\(.*\) |\[\[.*\]\] )?(\w+)(?: final)?(?: : [^;]*)? \{.*)");
  std::vector<std::string> spaces, types;
  std::istringstream lines{std::string(source)};
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, match, kOpens))
      spaces.push_back(match[1]);
    else if (std::regex_match(line, kCloses) && !spaces.empty())
      spaces.pop_back();
    else if (!spaces.empty() && !spaces.back().empty() && std::regex_match(line, match, kDefines))
      types.push_back(spaces.back() + "::" + match[1].str());
  }
  return types;
}

} // namespace avocet
