#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "storage/store.h"

namespace avocet {

/// A Store that forgets everything when it is destroyed, for tests and for runs that keep nothing.
/// Calls never fail and never block.
class MemoryStore final : public Store {
public:
  Result<std::optional<std::string>> Get(std::string_view key) const override;
  Status Scan(std::string_view prefix,
              const std::function<bool(std::string_view key, std::string_view value)>& visit) const override;
  Status Write(const WriteBatch& batch, Sync sync) override;

private:
  std::map<std::string, std::string, std::less<>> records_;
};

} // namespace avocet
