#pragma once

#include <functional>
#include <memory>

#include <grpcpp/completion_queue.h>

namespace avocet {

/// What a LinkLoop calls when an operation is over.
class LinkEvent {
public:
  /// `handle` hears whether the operation went well. It must not block.
  explicit LinkEvent(std::function<void(bool ok)> handle) : handle_(std::move(handle)) {}
  LinkEvent(const LinkEvent&) = delete;
  LinkEvent& operator=(const LinkEvent&) = delete;

  void* tag() { return this; }
  void Happened(bool ok) const { handle_(ok); }

private:
  std::function<void(bool)> handle_;
};

/// A completion queue and the one thread that waits on it. Any number of connections may share it. It outlives
/// them, and is not destroyed on its own thread.
class LinkLoop {
public:
  LinkLoop();
  ~LinkLoop();
  LinkLoop(const LinkLoop&) = delete;
  LinkLoop& operator=(const LinkLoop&) = delete;

  /// Operations get a LinkEvent::tag(). The events live until they happened.
  grpc::CompletionQueue& queue();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace avocet
