#include "actors/endpoints_file.h"

#include <fstream>
#include <system_error>

#include <nlohmann/json.hpp>

namespace avocet {

Status WriteEndpoints(const std::filesystem::path& data_dir, const std::map<std::string, std::string>& addresses) {
  const auto path = data_dir / "endpoints.json";
  const auto partial = data_dir / "endpoints.json.part";
  std::ofstream(partial) << nlohmann::json(addresses).dump(2) << '\n';
  std::error_code error;
  std::filesystem::rename(partial, path, error);
  if (error) return Unavailable("cannot write " + path.string() + ": " + error.message());
  return {};
}

} // namespace avocet
