#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "messages/invariant.h"

namespace avocet {

/// Why an operation did not succeed. The numbers are stable: they stand on disk and on the wire.
enum class StatusCode {
  kOk = 0,
  kInvalidArgument = 1,    ///< The input is wrong; asking again will not help.
  kNotFound = 2,           ///< The named thing does not exist.
  kAlreadyExists = 3,      ///< The named thing exists and differs.
  kRejected = 4,           ///< Well-formed, but no device can take it (admission said no).
  kUnavailable = 5,        ///< Cannot be done now (queue full, peer away); may succeed later.
  kDeadlineExceeded = 6,   ///< The caller's deadline passed.
  kCancelled = 7,          ///< The caller gave up.
  kDenied = 8,             ///< The caller may not do this.
  kUnsupported = 9,        ///< This build, engine or device cannot do it.
  kResourceExhausted = 10, ///< A bound (size, memory, count) would be exceeded.
  kCorruption = 11,        ///< Stored or received data does not decode.
  kInternal = 12,          ///< A defect or a failed dependency.
};

/// Stable lower-case name of a code, e.g. "not_found".
std::string_view ToString(StatusCode code);

/// Success, or a code with a text that says what is wrong, with which id, and what to do.
/// A value type; copying is cheap for success. Thread-compatible.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {
    AVOCET_CHECK(code != StatusCode::kOk);
  }

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

  /// "ok", or "not_found: model 'x' ...".
  std::string ToString() const;

  /// The same code with "prefix: " before the text; success stays success.
  Status WithContext(std::string_view prefix) const;

  friend bool operator==(const Status&, const Status&) = default;

private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

Status InvalidArgument(std::string message);
Status NotFound(std::string message);
Status AlreadyExists(std::string message);
Status Rejected(std::string message);
Status Unavailable(std::string message);
Status DeadlineExceeded(std::string message);
Status Cancelled(std::string message);
Status Denied(std::string message);
Status Unsupported(std::string message);
Status ResourceExhausted(std::string message);
Status Corruption(std::string message);
Status Internal(std::string message);

/// A value, or the Status that says why there is none. Never holds an ok Status.
/// value(), * and -> require ok(); that is checked.
template <class T> class [[nodiscard]] Result {
public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) { AVOCET_CHECK(!std::get<1>(state_).ok()); }

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return *Checked(std::get_if<0>(&state_)); }
  const T& value() const& { return *Checked(std::get_if<0>(&state_)); }
  T&& value() && { return std::move(*Checked(std::get_if<0>(&state_))); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// Success when there is a value.
  Status status() const { return ok() ? Status{} : std::get<1>(state_); }

private:
  template <class Value> static Value* Checked(Value* value) {
    AVOCET_CHECK(value != nullptr);
    return value;
  }

  std::variant<T, Status> state_;
};

} // namespace avocet

/// Returns the Status of `expr` from the calling function unless it is ok.
#define AVOCET_RETURN_IF_ERROR(expr)                                                                                   \
  if (auto avocet_status_ = (expr); !avocet_status_.ok()) return avocet_status_

/// Sets `target` (a declaration, or something to assign to) to the value of `expr`, a Result; returns its Status from
/// the calling function when there is none. Two statements: not the body of an unbraced `if`.
///   AVOCET_ASSIGN_OR_RETURN(const auto text, ReadWholeFile(file, kMaxBytes));
#define AVOCET_ASSIGN_OR_RETURN(target, expr)                                                                          \
  AVOCET_ASSIGN_OR_RETURN_AS_(AVOCET_JOIN_(avocet_result_, __LINE__), target, expr)
#define AVOCET_ASSIGN_OR_RETURN_AS_(result, target, expr)                                                              \
  auto result = (expr);                                                                                                \
  if (!result.ok()) return result.status();                                                                            \
  target = std::move(result).value()
#define AVOCET_JOIN_(left, right) AVOCET_JOIN_NOW_(left, right)
#define AVOCET_JOIN_NOW_(left, right) left##right
