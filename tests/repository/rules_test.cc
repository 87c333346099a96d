// The checks themselves: what each must refuse, and what it must let pass.
#include "tests/repository/rules.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avocet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A file and what it includes.
using IncludeCases = std::vector<std::pair<std::string, std::string>>;

void ExpectRefused(const IncludeCases& cases) {
  for (const auto& [path, header] : cases) {
    SCOPED_TRACE(path + " includes " + header);
    EXPECT_THAT(CheckIncludes(path, "#pragma once\n\n#include " + header + "\n"),
                ElementsAre(HasSubstr(path + ":3: includes ")));
  }
}

void ExpectAllowed(const IncludeCases& cases) {
  for (const auto& [path, header] : cases) {
    SCOPED_TRACE(path + " includes " + header);
    EXPECT_THAT(CheckIncludes(path, "#include " + header + "\n"), IsEmpty());
  }
}

TEST(IncludeTable, RefusesFoldersThatAFolderMayNotInclude) {
  ExpectRefused({
      {"messages/ids.h", "\"storage/store.h\""},
      {"messages/ids.cc", "\"actors/interfaces.h\""},
      {"storage/records.cc", "\"controller/placement/decide.h\""},
      {"storage/records.cc", "\"node_agent/engines/engine.h\""},
      {"controller/placement/decide.cc", "\"storage/store.h\""},
      {"controller/placement/decide.cc", "\"node_agent/engines/engine.h\""},
      {"controller/placement/decide.cc", "\"actors/interfaces.h\""},
      {"node_agent/scheduling/meter.cc", "\"controller/placement/decide.h\""},
      {"node_agent/scheduling/meter.cc", "\"storage/store.h\""},
      {"node_agent/scheduling/meter.cc", "\"tests/support/arbitrary.h\""},
      {"actors/stop.h", "\"cli/commands/session.h\""},
      {"actors/stop.h", "\"bench/loop.h\""},
      {"cli/main.cc", "\"tests/support/arbitrary.h\""},
      {"cli/main.cc", "\"session.h\""},
      {"tests/cli/main_test.cc", "\"../cli/session.h\""},
  });
}

TEST(IncludeTable, RefusesLibrariesOutsideTheirPlace) {
  ExpectRefused({
      {"actors/store_actor.cc", "<rocksdb/db.h>"},
      {"cli/main.cc", "<rocksdb/options.h>"},
      {"controller/placement/decide.cc", "<caf/send.hpp>"},
      {"node_agent/node.h", "<caf/actor.hpp>"},
      {"storage/store.h", "<caf/error.hpp>"},
      {"cli/commands/session.cc", "<caf/scoped_actor.hpp>"},
      {"node_agent/inference/router.cc", "<grpcpp/server.h>"},
      {"actors/store_actor.cc", "<grpcpp/server.h>"},
      {"actors/controller/device_actor.cc", "\"avocet/v1/control.grpc.pb.h\""},
      {"messages/tls/tls_files.cc", "<grpcpp/security/credentials.h>"},
      {"cli/render/render.cc", "\"inference/grpc_service.grpc.pb.h\""},
      {"controller/placement/decide.cc", "\"avocet/v1/records.pb.h\""},
      {"controller/placement/decide.cc", "\"messages/codec/codec.h\""},
      {"messages/model.h", "\"avocet/v1/records.pb.h\""},
      {"node_agent/scheduling/meter.cc", "<google/protobuf/message.h>"},
      {"actors/interfaces.h", "<caf/all.hpp>"},
      {"actors/actor_system.h", "<caf/io/middleman.hpp>"},
      {"tests/actors/wire/link_test.cc", "<caf/openssl/all.hpp>"},
  });
}

TEST(IncludeTable, AllowsFoldersBelow) {
  ExpectAllowed({
      {"messages/ids.cc", "\"messages/ids.h\""},
      {"storage/records.cc", "\"messages/model.h\""},
      {"controller/placement/decide.cc", "\"controller/queueing/estimator.h\""},
      {"node_agent/node.cc", "\"messages/device.h\""},
      {"actors/controller/device_actor.cc", "\"controller/queueing/estimator.h\""},
      {"actors/agent/device_worker.cc", "\"node_agent/scheduling/device_scheduler.h\""},
      {"actors/store_actor.cc", "\"storage/records.h\""},
      {"cli/main.cc", "\"actors/wire/control_client.h\""},
      {"tests/cli/main_test.cc", "\"cli/main.h\""},
      {"bench/decide.cc", "\"tests/support/arbitrary.h\""},
  });
}

TEST(IncludeTable, AllowsLibrariesInTheirPlace) {
  ExpectAllowed({
      {"storage/rocks_store.cc", "<rocksdb/db.h>"},
      {"actors/store_actor.cc", "<caf/send.hpp>"},
      {"tests/actors/fixture.h", "<caf/scoped_actor.hpp>"},
      {"bench/actors.cc", "<caf/send.hpp>"},
      {"node_agent/grpc/inference_server.cc", "\"inference/grpc_service.grpc.pb.h\""},
      {"actors/wire/control_server.cc", "<grpcpp/server.h>"},
      {"messages/tls/tls_credentials.h", "<grpcpp/security/credentials.h>"},
      {"messages/codec/codec_model.cc", "\"avocet/v1/records.pb.h\""},
      {"storage/records.cc", "\"messages/codec/codec.h\""},
      {"controller/fifo.cc", "<boost/math/special_functions/gamma.hpp>"},
      {"tests/node_agent/infer_test.cc", "<grpcpp/grpcpp.h>"},
  });
}

/// Code and what it is accused of.
const std::vector<std::pair<std::string, std::string>> kImpureCode{
    {"auto t = std::chrono::steady_clock::now();", "clock"},
    {"auto t = Clock::now ();", "clock"},
    {"auto t = time(nullptr);", "clock"},
    {"clock_gettime(CLOCK_MONOTONIC, &t);", "clock"},
    {"std::ifstream in(name);", "disk"},
    {"FILE* f = fopen(name, mode);", "disk"},
    {"printf(text);", "log"},
    {"std::cerr << 1;", "log"},
    {"spdlog::info(text);", "log"},
    {"std::mutex m;", "threads"},
    {"std::jthread worker(f);", "threads"},
    {"std::this_thread::sleep_for(d);", "threads"},
    {"const char* e = std::getenv(name);", "environment"},
    {"std::mt19937 r(std::random_device{}());", "chance"},
    {"int i = rand();", "chance"},
    {"#include <fstream>", "pure"},
    {"#include <filesystem>", "pure"},
    {"#include <cstdio>", "pure"},
    {"#include <thread>", "pure"},
    {"#include <mutex>", "pure"},
    {"#include <sys/stat.h>", "pure"},
    {"#include <spdlog/spdlog.h>", "pure"},
};

TEST(Purity, RefusesEachKindOfImpureCode) {
  for (const auto& [code, accusation] : kImpureCode) {
    SCOPED_TRACE(code);
    const auto complaints = CheckPurity("controller/placement/decide.cc", "// first line\n" + code + "\n");
    EXPECT_THAT(complaints, ElementsAre(AllOf(HasSubstr("controller/placement/decide.cc:2: "), HasSubstr(accusation))));
  }
}

TEST(Purity, IsAskedOfControllerOnly) {
  for (const auto& [code, accusation] : kImpureCode)
    EXPECT_THAT(CheckPurity("node_agent/scheduling/meter.cc", code), IsEmpty());
}

TEST(Purity, LetsPureCodePass) {
  EXPECT_THAT(CheckPurity("controller/placement/decide.cc", R"code(
#include <random>
// std::mutex, now() and getenv in a comment
/* std::ifstream */ std::mt19937_64 random(seed);
std::string text = "see cout, or call now()";
double known(double x) { return std::chrono::duration<double>(x).count() * 1'000'000; }
int snowball(int operand) { return uptime(0) + brand(operand); }
)code"),
              IsEmpty());
}

TEST(NamedTypes, AreThoseThatOthersCanMeet) {
  EXPECT_THAT(NamedTypesOf("namespace avocet {\n"
                           "struct A {\n  struct Inner {\n  };\n};\n"
                           "namespace {\nstruct Hidden {\n};\n} // namespace\n"
                           "template <class T> class B final : public A {\n};\n"
                           "enum class C { kOne };\n"
                           "class Declared;\n"
                           "class B<int> {\n};\n"
                           "class A::Impl {\n};\n"
                           "} // namespace avocet\n"
                           "struct Global {\n};\n"),
              ElementsAre("avocet::A", "avocet::B", "avocet::C"));
}

TEST(Rooms, RefuseWhatStandsAboveThem) {
  ExpectRefused({
      {"controller/queueing/fifo_model.cc", "\"controller/cluster/cluster_view.h\""},
      {"controller/cluster/reconcile.cc", "\"controller/placement/decide.h\""},
      {"controller/placement/moves.cc", "\"controller/planning/capacity.h\""},
      {"node_agent/engines/onnx_engine.cc", "\"node_agent/scheduling/work.h\""},
      {"node_agent/scheduling/work.h", "\"node_agent/inference/router.h\""},
      {"node_agent/inference/inference.cc", "\"node_agent/http/http_session.h\""},
      {"node_agent/http/http_answer.cc", "\"node_agent/grpc/inference_server.h\""},
      {"node_agent/scheduling/executor.cc", "\"node_agent/node.h\""},
      {"actors/protocol/lease_table.h", "\"actors/options.h\""},
      {"actors/interfaces.h", "\"actors/wire/link_client.h\""},
      {"actors/wire/link_service.cc", "\"actors/controller/controller_actor.h\""},
      {"actors/agent/agent_actor.cc", "\"actors/controller/controller_actor.h\""},
      {"cli/text/suggest.cc", "\"cli/config/toml_reader.h\""},
      {"cli/load/load_client.cc", "\"cli/render/progress.h\""},
      {"cli/commands/serve.cc", "\"cli/demo/demo.h\""},
      {"messages/model.h", "\"messages/tls/tls.h\""},
      {"messages/codec/codec.h", "\"messages/tls/tls.h\""},
  });
}

TEST(Rooms, AllowWhatStandsBelowThem) {
  ExpectAllowed({
      {"controller/planning/capacity.cc", "\"controller/queueing/latency_model.h\""},
      {"controller/placement/moves.cc", "\"controller/placement/judge.h\""},
      {"node_agent/http/http_answer.cc", "\"node_agent/inference/inference.h\""},
      {"node_agent/node.cc", "\"node_agent/scheduling/profiler.h\""},
      {"actors/wire/link_client.cc", "\"actors/options.h\""},
      {"actors/agent/agent_process.cc", "\"actors/wire/link_client.h\""},
      {"cli/demo/demo.cc", "\"cli/commands/session.h\""},
      {"cli/main.cc", "\"cli/commands/commands.h\""},
      {"tests/node_agent/engines/engine_contract.h", "\"node_agent/node.h\""},
  });
}

TEST(Rooms, RefuseLibrariesThatTheirSiblingsMayUse) {
  ExpectRefused({
      {"actors/protocol/lease_table.h", "<caf/actor.hpp>"},
      {"actors/controller/placement_actor.cc", "<grpcpp/server.h>"},
      {"node_agent/http/http_session.cc", "<grpcpp/server.h>"},
      {"node_agent/inference/inference.cc", "<boost/asio/io_context.hpp>"},
      {"node_agent/inference/router.cc", "<boost/beast/http.hpp>"},
      {"node_agent/inference/inference_core.cc", "<sys/socket.h>"},
      {"node_agent/scheduling/executor.cc", "<netinet/in.h>"},
  });
}

TEST(Rooms, AreAllNamedInTheTable) {
  EXPECT_THAT(CheckRoom("controller/attic/old.cc"), ElementsAre(HasSubstr("controller/attic/")));
  EXPECT_THAT(CheckRoom("controller/loose.cc"), ElementsAre(HasSubstr("controller/")));
  EXPECT_THAT(CheckRoom("controller/queueing/fifo_model.cc"), IsEmpty());
  EXPECT_THAT(CheckRoom("tests/controller/attic/old_test.cc"), IsEmpty());
}

TEST(Purity, IsAskedOfTheLinksProtocolToo) {
  EXPECT_THAT(CheckPurity("actors/protocol/backoff.cc", "auto t = Clock::now();\n"), ElementsAre(HasSubstr("clock")));
}

TEST(ViewEdits, AreForOneFile) {
  for (const char* code : {"view.placements[app] = p;", "state.records.view.apps.erase(app);",
                           "view_.refused.push_back(a);", "view.nodes = {};", "view.devices.at(id).health = kAway;"}) {
    SCOPED_TRACE(code);
    EXPECT_THAT(CheckViewEdits("actors/controller/placement_actor.cc", code),
                ElementsAre(HasSubstr("actors/controller/placement_actor.cc:1: ")));
    EXPECT_THAT(CheckViewEdits("controller/cluster/cluster_changes.cc", code), IsEmpty());
    EXPECT_THAT(CheckViewEdits("tests/support/view_builder.cc", code), IsEmpty());
  }
  EXPECT_THAT(
      CheckViewEdits("controller/placement/decide.cc",
                     "if (view.apps.contains(a) && view.devices.at(id).health == kAway) return view.apps.at(a);"),
      IsEmpty());
}

} // namespace
} // namespace avocet
