#include "actors/wire/clean_text.h"

#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>

#include "messages/text.h"

namespace avocet {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void CleanText(Message& message, const Reflection& reflection, const FieldDescriptor& field) {
  const std::string text = reflection.GetString(message, &field);
  std::string clean = ToText(text, text.size());
  if (clean != text) reflection.SetString(&message, &field, std::move(clean));
}

void CleanRepeatedTexts(Message& message, const Reflection& reflection, const FieldDescriptor& field) {
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const std::string text = reflection.GetRepeatedString(message, &field, i);
    std::string clean = ToText(text, text.size());
    if (clean != text) reflection.SetRepeatedString(&message, &field, i, std::move(clean));
  }
}

void CleanParts(Message& message, const Reflection& reflection, const FieldDescriptor& field) {
  if (!field.is_repeated()) return CleanTexts(*reflection.MutableMessage(&message, &field));
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i)
    CleanTexts(*reflection.MutableRepeatedMessage(&message, &field, i));
}

} // namespace

void CleanTexts(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);

  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
      CleanParts(message, reflection, *field);
    else if (field->type() != FieldDescriptor::TYPE_STRING)
      continue;
    else if (field->is_repeated())
      CleanRepeatedTexts(message, reflection, *field);
    else
      CleanText(message, reflection, *field);
  }
}

} // namespace avocet
