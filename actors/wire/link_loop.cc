#include "actors/wire/link_loop.h"

#include <thread>

namespace avocet {

struct LinkLoop::Impl {
  grpc::CompletionQueue queue;
  std::thread thread{[this] {
    void* tag = nullptr;
    for (bool ok = false; queue.Next(&tag, &ok);)
      static_cast<LinkEvent*>(tag)->Happened(ok);
  }};
};

LinkLoop::LinkLoop() : impl_(std::make_unique<Impl>()) {}

LinkLoop::~LinkLoop() {
  impl_->queue.Shutdown();
  impl_->thread.join();
}

grpc::CompletionQueue& LinkLoop::queue() {
  return impl_->queue;
}

} // namespace avocet
