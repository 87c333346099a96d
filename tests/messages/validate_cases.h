#pragma once

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "messages/status.h"

namespace avocet {

/// One change of a valid value, and a part of the error it must cause; an empty one: none.
template <class T> struct ValidateCase {
  std::function<void(T&)> change;
  std::string error;
};

/// Applies each change to a copy of `good`.
template <class T> void ExpectValidate(const T& good, const std::vector<ValidateCase<T>>& cases) {
  ASSERT_EQ(Validate(good), Status());
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE("case " + std::to_string(i) + ": " + cases[i].error);
    T value = good;
    cases[i].change(value);
    const Status status = Validate(value);
    if (cases[i].error.empty()) {
      EXPECT_EQ(status, Status()) << status.ToString();
    } else {
      EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
      EXPECT_THAT(status.message(), testing::HasSubstr(cases[i].error));
    }
  }
}

} // namespace avocet
