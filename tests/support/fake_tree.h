#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temp_dir.h"

namespace avocet {

/// A folder that stands for "/", with the files of the kernel that a test writes.
class FakeTree {
public:
  const std::filesystem::path& root() const { return dir_.path(); }
  void Write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((root() / file).parent_path());
    std::ofstream(root() / file, std::ios::binary) << text;
  }

  /// Two cores of an N100 with 8 GB, of which 6 are free.
  void WriteSmallPc() const {
    Write("proc/cpuinfo", "model name\t: Intel(R) N100\n\nmodel name\t: Intel(R) N100\n");
    Write("proc/meminfo", "MemTotal: 8000000 kB\nMemFree: 1 kB\nMemAvailable:    6000000 kB\n");
    Write("sys/devices/system/cpu/online", "0-1\n");
  }

  /// A Jetson Nano, whose GPU is 35.2 % busy.
  void WriteJetsonNano() const {
    Write("proc/cpuinfo", "CPU implementer\t: 0x41\nCPU part\t: 0xd07\n");
    Write("proc/meminfo", "MemTotal: 4059264 kB\nMemAvailable: 2000000 kB\n");
    Write("sys/devices/system/cpu/online", "0-3\n");
    Write("proc/device-tree/model", std::string("NVIDIA Jetson Nano Developer Kit\0", 33));
    Write("etc/nv_tegra_release", "# R32 (release), REVISION: 7.1, GCID: 29818004\nmore\n");
    Write("sys/class/devfreq/57000000.gpu/device/load", "352\n");
    Write("sys/class/devfreq/70012000.emc/device/load", "9\n");
  }

private:
  TempDir dir_;
};

} // namespace avocet
