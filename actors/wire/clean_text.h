#pragma once

#include <google/protobuf/message.h>

namespace avocet {

/// Makes every text in a message valid UTF-8: bytes that are not become '?'. What engines, drivers and peers say may
/// hold any bytes, and whoever receives a message with a text that is not UTF-8 refuses it as a whole, which ends the
/// session. At the sender's door, so that no text has to be remembered.
void CleanTexts(google::protobuf::Message& message);

} // namespace avocet
