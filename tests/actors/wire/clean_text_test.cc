#include "actors/wire/clean_text.h"

#include <string>

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "avocet/v1/link.pb.h"
#include "messages/text.h"

namespace avocet {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const std::string kBroken = "caf\xC3\xA9 \xFF\xFE end";

/// Puts the text into every text field, also of all parts. Returns how many there are.
int Fill(Message& message, const std::string& text) {
  const auto& reflection = *message.GetReflection();
  int texts = 0;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (field->type() == FieldDescriptor::TYPE_STRING) {
      ++texts;
      if (field->is_repeated())
        reflection.AddString(&message, field, text);
      else
        reflection.SetString(&message, field, text);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      texts += Fill(field->is_repeated() ? *reflection.AddMessage(&message, field)
                                         : *reflection.MutableMessage(&message, field),
                    text);
    }
  }
  return texts;
}

/// Every kind of message that `Envelope` can be.
template <class Envelope> void ExpectEveryKindIsReadAgain() {
  const Descriptor* descriptor = Envelope::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* kind = descriptor->field(i);
    SCOPED_TRACE(kind->name());
    Envelope message;
    const int texts = Fill(*message.GetReflection()->MutableMessage(&message, kind), kBroken);

    EXPECT_EQ(Envelope().ParseFromString(message.SerializeAsString()), texts == 0) << "or this test shows nothing";
    CleanTexts(message);
    Envelope read;
    EXPECT_TRUE(read.ParseFromString(message.SerializeAsString()));
  }
}

TEST(CleanTexts, WhateverAnAgentSaysIsReadAgain) {
  ExpectEveryKindIsReadAgain<v1::AgentMessage>();
}

TEST(CleanTexts, WhateverAControllerSaysIsReadAgain) {
  ExpectEveryKindIsReadAgain<v1::ControllerMessage>();
}

TEST(CleanTexts, LeavesWhatIsUtf8AsItIs) {
  v1::AgentMessage message;
  (void)Fill(*message.mutable_hello(), "caf\xC3\xA9");
  const std::string before = message.SerializeAsString();
  CleanTexts(message);
  EXPECT_EQ(message.SerializeAsString(), before);
}

TEST(CleanTexts, ReplacesOnlyWhatIsNot) {
  v1::AgentMessage message;
  message.mutable_running()->set_reason(kBroken);
  CleanTexts(message);
  EXPECT_EQ(message.running().reason(), "caf\xC3\xA9 ?? end");
}

} // namespace
} // namespace avocet
