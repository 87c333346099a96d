#pragma once

#include <string>
#include <string_view>

#include <rapidjson/writer.h>

namespace avocet {

/// Lets RapidJSON write into a std::string.
struct StringSink {
  using Ch = char;
  std::string& out;
  void Put(char c) { out.push_back(c); }
  void Flush() {}
};

/// Not-a-number and infinities are written as Triton does: NaN, Infinity, -Infinity.
class JsonWriter : public rapidjson::Writer<StringSink, rapidjson::UTF8<>, rapidjson::UTF8<>, rapidjson::CrtAllocator,
                                            rapidjson::kWriteNanAndInfFlag> {
public:
  explicit JsonWriter(StringSink& sink) : Writer(sink) {}
  void Key(std::string_view name) { Writer::Key(name.data(), static_cast<rapidjson::SizeType>(name.size())); }
  void Text(std::string_view text) { String(text.data(), static_cast<rapidjson::SizeType>(text.size())); }
};

} // namespace avocet
