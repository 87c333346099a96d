#include "storage/disk_room.h"

#include <gtest/gtest.h>

#include "messages/units.h"

namespace avocet {
namespace {

constexpr uint64_t kTotal = 10'000 * kMiB; ///< little is less than 500 MiB

TEST(DiskRoomWatch, TellsOnceOfLittleRoomAndOnceOfEnough) {
  DiskRoomWatch watch("/data");
  EXPECT_FALSE(watch.Judge(500 * kMiB, kTotal));
  const auto low = watch.Judge(499 * kMiB, kTotal);
  ASSERT_TRUE(low);
  EXPECT_TRUE(low->low);
  EXPECT_EQ(low->text, "the disk of /data has 499 of 10000 MiB left");
  EXPECT_FALSE(watch.Judge(10 * kMiB, kTotal));
  EXPECT_FALSE(watch.Judge(999 * kMiB, kTotal)) << "at the limit it would be told of over and over";
  const auto well = watch.Judge(1000 * kMiB, kTotal);
  ASSERT_TRUE(well);
  EXPECT_FALSE(well->low);
  EXPECT_FALSE(watch.Judge(5000 * kMiB, kTotal));
}

TEST(DiskRoomWatch, WhatIsLittleHasBounds) {
  EXPECT_TRUE(DiskRoomWatch("/data").Judge(63 * kMiB, 100 * kMiB));
  EXPECT_FALSE(DiskRoomWatch("/data").Judge(64 * kMiB, 100 * kMiB));
  EXPECT_TRUE(DiskRoomWatch("/data").Judge(1023 * kMiB, 1'000'000 * kMiB));
  EXPECT_FALSE(DiskRoomWatch("/data").Judge(1024 * kMiB, 1'000'000 * kMiB));
}

TEST(DiskRoomWatch, AFolderThatIsNotThereTellsNothing) {
  EXPECT_FALSE(DiskRoomWatch("").Look());
  EXPECT_FALSE(DiskRoomWatch("/nowhere/at/all").Look());
}

} // namespace
} // namespace avocet
