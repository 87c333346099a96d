#include "messages/status.h"

#include <memory>
#include <set>

#include <gtest/gtest.h>

namespace avocet {
namespace {

TEST(Status, NamesAreStableAndDistinct) {
  EXPECT_EQ(ToString(StatusCode::kOk), "ok");
  EXPECT_EQ(ToString(StatusCode::kInvalidArgument), "invalid_argument");
  EXPECT_EQ(ToString(StatusCode::kInternal), "internal");
  std::set<std::string_view> names;
  for (int code = 0; code <= 12; ++code)
    names.insert(ToString(static_cast<StatusCode>(code)));
  EXPECT_EQ(names.size(), 13U);
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(Status, FactoriesSetTheirCode) {
  const std::vector<std::pair<Status, StatusCode>> all = {
      {InvalidArgument("x"), StatusCode::kInvalidArgument},
      {NotFound("x"), StatusCode::kNotFound},
      {AlreadyExists("x"), StatusCode::kAlreadyExists},
      {Rejected("x"), StatusCode::kRejected},
      {Unavailable("x"), StatusCode::kUnavailable},
      {DeadlineExceeded("x"), StatusCode::kDeadlineExceeded},
      {Cancelled("x"), StatusCode::kCancelled},
      {Denied("x"), StatusCode::kDenied},
      {Unsupported("x"), StatusCode::kUnsupported},
      {ResourceExhausted("x"), StatusCode::kResourceExhausted},
      {Corruption("x"), StatusCode::kCorruption},
      {Internal("x"), StatusCode::kInternal},
  };
  for (const auto& [status, code] : all) {
    EXPECT_EQ(status.code(), code);
    EXPECT_EQ(status.message(), "x");
    EXPECT_FALSE(status.ok());
  }
}

TEST(Status, TextHasCodeAndMessage) {
  EXPECT_EQ(Status().ToString(), "ok");
  EXPECT_EQ(NotFound("model 'x'").ToString(), "not_found: model 'x'");
}

TEST(Status, ContextGoesInFrontAndLeavesSuccessAlone) {
  EXPECT_EQ(NotFound("b").WithContext("a"), NotFound("a: b"));
  EXPECT_EQ(Status().WithContext("a"), Status());
}

TEST(Result, HoldsAValueOrAStatus) {
  const Result<int> value = 7;
  EXPECT_TRUE(value.ok());
  EXPECT_EQ(*value, 7);
  EXPECT_EQ(value.status(), Status());
  const Result<int> error = NotFound("x");
  EXPECT_FALSE(error.ok());
  EXPECT_EQ(error.status(), NotFound("x"));
}

TEST(Result, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 3);
}

Status Twice(const Status& first, int& steps) {
  AVOCET_RETURN_IF_ERROR(first);
  ++steps;
  return {};
}

TEST(Status, ReturnIfErrorStopsAtAnError) {
  int steps = 0;
  EXPECT_EQ(Twice(Denied("x"), steps), Denied("x"));
  EXPECT_EQ(steps, 0);
  EXPECT_EQ(Twice(Status(), steps), Status());
  EXPECT_EQ(steps, 1);
}

Result<int> Parse(bool good) {
  if (good) return 7;
  return InvalidArgument("not a number");
}

Result<std::string> Shown(bool good) {
  AVOCET_ASSIGN_OR_RETURN(const int number, Parse(good));
  std::string text;
  AVOCET_ASSIGN_OR_RETURN(text, Result<std::string>(std::to_string(number)));
  return text;
}

TEST(AssignOrReturn, AssignsTheValueOrReturnsTheStatus) {
  EXPECT_EQ(*Shown(true), "7");
  EXPECT_EQ(Shown(false).status(), InvalidArgument("not a number"));
}

Result<std::unique_ptr<int>> Owned() {
  AVOCET_ASSIGN_OR_RETURN(auto number, Result<std::unique_ptr<int>>(std::make_unique<int>(3)));
  return number;
}

TEST(AssignOrReturn, MovesTheValue) {
  EXPECT_EQ(**Owned(), 3);
}

} // namespace
} // namespace avocet
