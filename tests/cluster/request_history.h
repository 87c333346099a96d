#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace avocet {

/// What an operator asked for of one application: a place and a model. Absent: its removal.
struct Wish {
  std::string device;
  std::string model; ///< "name:version"
  friend bool operator==(const Wish&, const Wish&) = default;
};

/// What operators asked for, at the same time and while things failed, and what they were told; and therefore what may
/// be true afterwards: what was acknowledged and not overtaken for certain, or what nobody knows the end of.
/// Thread-safe.
class RequestHistory {
public:
  using Time = std::chrono::steady_clock::time_point;

  enum class Outcome {
    kDone,    ///< acknowledged
    kRefused, ///< it changed nothing
    kFailed,  ///< no answer, and it is over: it happened before, or never will
    kOpen,    ///< no answer, and it may still happen
  };

  /// An operator begins to ask. The answer names the request.
  size_t Begin(const std::string& app, const std::optional<Wish>& wish, Time now);
  void End(size_t request, Outcome outcome, Time now);

  /// Whether this may be the application's state, once nothing is under way.
  bool MayBe(const std::string& app, const std::optional<Wish>& state) const;

  /// All that may be, in words.
  std::string Describe(const std::string& app) const;

  /// What is true now was seen, and nothing is under way: what was asked before says nothing more.
  void Settle(const std::string& app, const std::optional<Wish>& state, Time now);

  size_t CountDone(bool removals) const;

private:
  struct Request {
    std::string app;
    std::optional<Wish> wish;
    Time begin;
    Time end = Time::max();
    Outcome outcome = Outcome::kOpen;
    bool settled = false; ///< overtaken by what was seen
  };
  std::vector<std::optional<Wish>> Possible(const std::string& app) const;

  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::map<std::string, std::optional<Wish>> seen_;
};

} // namespace avocet
