#pragma once

/// What tests tell the stand-in for libedgetpu, and what it tells them; its symbol is `fake_edgetpu`.
struct FakeEdgeTpu {
  int pcie_devices;
  int usb_devices;
  bool refuses;  ///< to make a delegate
  int created;   ///< delegates
  int destroyed; ///< delegates
  int runs;      ///< of the accelerator's op
};
