#pragma once

/// What tests tell the stand-in for NVIDIA's library; its symbol is `fake_nvml`.
struct FakeNvml {
  bool has_no_driver;
  unsigned gpus;
  bool is_integrated; ///< its GPUs have no memory, power or load of their own to tell of
  bool is_too_hot;
  int started; ///< and not shut down
};
