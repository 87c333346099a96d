#include "messages/codec/codec.h"
#include "messages/codec/codec_reader.h"

namespace avocet {

v1::AppTotals ToProto(const AppTotals& totals) {
  v1::AppTotals proto;
  proto.set_arrivals(totals.arrivals);
  proto.set_completions(totals.completions);
  proto.set_failures(totals.failures);
  proto.set_refusals(totals.refusals);
  proto.set_expired(totals.expired);
  proto.set_measured_ns(totals.measured.count());
  *proto.mutable_response() = ToProto(totals.response);
  *proto.mutable_response_sketch() = ToProto(totals.response_sketch);
  if (totals.rate != Estimate{}) *proto.mutable_rate() = ToProto(totals.rate);
  return proto;
}

Result<AppTotals> FromProto(const v1::AppTotals& proto) {
  AVOCET_ASSIGN_OR_RETURN(auto sketch, FromProto(proto.response_sketch()));
  AVOCET_ASSIGN_OR_RETURN(auto response, FromProto(proto.response()));
  AVOCET_ASSIGN_OR_RETURN(auto rate, FromProto(proto.rate()));
  return AppTotals{.arrivals = proto.arrivals(),
                   .completions = proto.completions(),
                   .failures = proto.failures(),
                   .refusals = proto.refusals(),
                   .expired = proto.expired(),
                   .measured = Duration(proto.measured_ns()),
                   .response = response,
                   .response_sketch = std::move(sketch),
                   .rate = rate};
}

v1::TotalsSlot ToProto(const TotalsSlot& slot) {
  v1::TotalsSlot proto;
  proto.set_device(slot.device.str());
  proto.set_span(static_cast<v1::TotalsSpan>(slot.span));
  proto.set_number(slot.number);
  for (const AppSlot& app : slot.apps) {
    v1::AppSlot& one = *proto.add_apps();
    one.set_app(app.app.str());
    *one.mutable_totals() = ToProto(app.totals);
  }
  return proto;
}

Result<TotalsSlot> FromProto(const v1::TotalsSlot& proto) {
  Reader reader("TotalsSlot");
  TotalsSlot slot;
  slot.device = DeviceId(proto.device());
  slot.span = reader.Enumerator<TotalsSpan>("span", proto.span(), v1::TotalsSpan_IsValid);
  slot.number = proto.number();
  for (const auto& app : proto.apps()) {
    auto totals = FromProto(app.totals());
    reader.Part("apps.totals", totals.status());
    if (totals.ok()) slot.apps.push_back({AppId(app.app()), std::move(*totals)});
  }
  return reader.Finish(std::move(slot));
}

AVOCET_BYTES(TotalsSlot)

} // namespace avocet
