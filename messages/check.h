#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "messages/ids.h"
#include "messages/status.h"
#include "messages/text.h"
#include "messages/units.h"

namespace avocet {

/// Texts of values in messages: quoted and cut, shortest that reads back, with unit.
std::string Describe(std::string_view text);
std::string Describe(double value);
std::string Describe(Duration value);
std::string DescribeInteger(int64_t value);
std::string DescribeInteger(uint64_t value);
inline std::string Describe(std::signed_integral auto value) {
  return DescribeInteger(static_cast<int64_t>(value));
}
inline std::string Describe(std::unsigned_integral auto value) {
  return DescribeInteger(static_cast<uint64_t>(value));
}
template <class Tag> std::string Describe(const Id<Tag>& id) {
  return Describe(std::string_view(id.str()));
}

/// For Validate functions: keeps the first violated rule as
/// "<kind> '<name>': field '<field>' is <value>; it must be <rule>". Borrows what it is given;
/// texts are only built when a rule is violated.
class Check {
public:
  Check(std::string_view kind, std::string_view name) : kind_(kind), name_(name) {}
  Check(std::string_view kind, std::string&& name) = delete; // would be borrowed beyond its life

  template <class T> Check& That(bool holds, std::string_view field, const T& value, std::string_view rule) {
    if (status_.ok() && !holds) Fail(field, Describe(value), rule);
    return *this;
  }
  /// For rules on more than one value: `what` says in words what the field is.
  Check& Is(bool holds, std::string_view field, std::string_view what, std::string_view rule) {
    if (status_.ok() && !holds) Fail(field, std::string(what), rule);
    return *this;
  }
  Check& Name(std::string_view field, std::string_view value);
  Check& Device(std::string_view field, const DeviceId& value);
  Check& Model(std::string_view field, const ModelId& value);
  Check& Digest(std::string_view field, const Sha256& value);
  Check& Label(std::string_view field, std::string_view value);
  Check& Text(std::string_view field, std::string_view value);
  /// Finite and >= 0.
  Check& Amount(std::string_view field, double value);
  /// Length of a list, at most `most`.
  Check& Length(std::string_view field, size_t length, size_t most);
  /// The check of a part; its error gets "<kind> '<name>': " in front.
  Check& Part(const Status& part);
  /// Calls `check(element)` for each element, until one is not ok.
  template <class List, class Function> Check& Each(const List& list, const Function& check) {
    for (const auto& element : list) {
      if (!status_.ok()) break;
      Part(check(element));
    }
    return *this;
  }

  Status status() const { return status_; }

private:
  void Fail(std::string_view field, const std::string& value, std::string_view rule);

  std::string_view kind_;
  std::string_view name_;
  Status status_;
};

} // namespace avocet
