#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gtest/gtest.h>

#include "actors/errors.h"
#include "actors/interfaces.h"
#include "storage/memory_store.h"

namespace avocet {

/// A store whose writes fail while told so, and which counts them.
class FaultyStore : public Store {
public:
  struct Control {
    bool fail = false;
    int writes = 0;
    MemoryStore memory;
  };
  explicit FaultyStore(std::shared_ptr<Control> control) : control_(std::move(control)) {}
  Result<std::optional<std::string>> Get(std::string_view key) const override { return control_->memory.Get(key); }
  Status Scan(std::string_view prefix,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    return control_->memory.Scan(prefix, visit);
  }
  Status Write(const WriteBatch& batch, Sync sync) override {
    if (control_->fail) return Unavailable("the disk is full");
    ++control_->writes;
    return control_->memory.Write(batch, sync);
  }

private:
  std::shared_ptr<Control> control_;
};

/// Actors under the deterministic scheduler: nothing runs but in Run(), time passes only in Advance().
class ActorTest : public ::testing::Test {
public:
  /// Otherwise the actor system would wait for them for ever.
  ~ActorTest() override {
    for (const auto& actor : spawned_)
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    Run();
  }

protected:
  struct Config : caf::actor_system_config {
    Config() { set("scheduler.policy", caf::atom("testing")); }
  };

  ActorTest()
      : system(config), scheduler(dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler())), self(system) {
    Run();
  }

  template <class Handle> Handle Keep(const Handle& handle) {
    spawned_.push_back(caf::actor_cast<caf::actor>(handle));
    return handle;
  }

  template <class Handle> void Kill(const Handle& handle) {
    caf::anon_send_exit(handle, caf::exit_reason::kill);
    Run();
  }

  void Run() { scheduler.run(); }

  /// In steps: a large one would fire a tick that re-arms itself only once.
  void Advance(Duration time, Duration step = std::chrono::milliseconds(100)) {
    for (Duration done{}; done < time; done += step) {
      scheduler.advance_time(step);
      Run();
    }
  }

  template <class Handle, class Message> void Send(const Handle& handle, Message message) {
    caf::anon_send(handle, std::move(message));
    Run();
  }

  /// A request whose answer is fetched later, when the test has made it come.
  template <class Reply> class Pending {
  public:
    Pending(std::shared_ptr<std::optional<Result<Reply>>> result) : result_(std::move(result)) {}
    bool answered() const { return result_->has_value(); }
    Result<Reply> get() const { return answered() ? **result_ : Result<Reply>(Internal("not answered")); }

  private:
    std::shared_ptr<std::optional<Result<Reply>>> result_;
  };

  template <class Reply, class Handle, class Message> Pending<Reply> Begin(const Handle& handle, Message message) {
    auto result = std::make_shared<std::optional<Result<Reply>>>();
    Keep(system.spawn([=](caf::event_based_actor* asker) {
      asker->request(handle, caf::infinite, message)
          .then([result](Reply& reply) { *result = std::move(reply); },
                [result](const caf::error& error) { *result = ToStatus(error, "actor"); });
    }));
    Run();
    return result;
  }

  template <class Reply, class Handle, class Message> Result<Reply> Ask(const Handle& handle, Message message) {
    return Begin<Reply>(handle, std::move(message)).get();
  }

  Config config;
  caf::actor_system system;
  caf::scheduler::test_coordinator& scheduler;
  caf::scoped_actor self;

private:
  std::vector<caf::actor> spawned_;
};

} // namespace avocet
