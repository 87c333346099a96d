#include "cli/config/npy_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avocet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Npy(const std::string& header, const std::string& data) {
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header + data;
}

std::string Header(const std::string& type, const std::string& shape, const std::string& fortran = "False") {
  return "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': (" + shape + "), }";
}

TEST(NpyFile, HasTypeShapeAndElements) {
  const auto array = ParseNpy(Npy(Header("<f4", "1, 2"), "abcdefgh"));
  ASSERT_TRUE(array.ok()) << array.status().ToString();
  EXPECT_EQ(array->data_type, "FP32");
  EXPECT_THAT(array->shape, ElementsAre(1, 2));
  EXPECT_EQ(array->data, "abcdefgh");
}

TEST(NpyFile, AScalarHasNoExtents) {
  EXPECT_TRUE(ParseNpy(Npy(Header("|u1", ""), "a"))->shape.empty());
  EXPECT_THAT(ParseNpy(Npy(Header("|b1", "3,"), "abc"))->shape, ElementsAre(3));
}

TEST(NpyFile, TextsGetTheirLengths) {
  const auto narrow = ParseNpy(Npy(Header("|S3", "2,"), std::string("ab\0xyz", 6)));
  EXPECT_EQ(narrow->data_type, "BYTES");
  EXPECT_EQ(narrow->data, std::string("\2\0\0\0ab\3\0\0\0xyz", 13));
  const auto wide = ParseNpy(Npy(Header("<U2", "1,"), std::string("\xe9\0\0\0a\0\0\0", 8)));
  EXPECT_EQ(wide->data, std::string("\3\0\0\0\xc3\xa9"
                                    "a",
                                    7));
}

TEST(NpyFile, WhatCannotBeSentIsRefusedWithWhatToDo) {
  EXPECT_THAT(ParseNpy(Npy(Header(">f4", "1,"), "abcd")).status().message(), HasSubstr("newbyteorder"));
  EXPECT_THAT(ParseNpy(Npy(Header("<f4", "2, 2", "True"), std::string(16, 'a'))).status().message(),
              HasSubstr("ascontiguousarray"));
  EXPECT_THAT(ParseNpy(Npy(Header("<c8", "1,"), "abcdefgh")).status().message(), HasSubstr("'c8'"));
  EXPECT_THAT(ParseNpy(Npy(Header("|O", "1,"), "a")).status().message(),
              HasSubstr("elements of type 'O'; requests carry numbers, BOOL and texts"));
}

TEST(NpyFile, WhatIsNoneIsRefused) {
  const std::string good = Npy(Header("<f4", "1,"), "abcd");
  for (const std::string& bytes : {std::string(), std::string("hello"), good.substr(0, 9), good.substr(0, 30),
                                   Npy("{}", ""), Npy(Header("<f4", "1, x"), ""), Npy(Header("<f4", "-1"), "")})
    EXPECT_EQ(ParseNpy(bytes).status().code(), StatusCode::kInvalidArgument) << bytes;
}

} // namespace
} // namespace avocet
