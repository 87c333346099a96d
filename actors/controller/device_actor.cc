#include "actors/controller/device_actor.h"

#include <set>

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/errors.h"
#include "storage/records.h"

namespace avocet {
namespace {

using Self = device_actor::stateful_pointer<DeviceActorState>;
using Args = std::shared_ptr<const DeviceActorArgs>;

void Acknowledge(Self self) {
  auto& state = self->state;
  if (!state.acks) return;
  self->send(state.acks, WindowAck{state.estimator->fit().device, state.persisted_boot, state.persisted_sequence});
}

bool IsPersisted(const DeviceActorState& state) {
  const auto& fit = state.estimator->fit();
  return fit.boot == state.persisted_boot && fit.covered_sequence == state.persisted_sequence;
}

/// False when the window was counted before, or an earlier one is still to come.
bool IsNext(Self self, const SentWindow& sent) {
  auto& state = self->state;
  const uint64_t missed = state.order.missed();
  const auto arrival = state.order.Take({sent.window.boot, sent.window.sequence, sent.oldest});
  if (state.order.missed() > missed && state.lines.Take(self->clock().now()))
    spdlog::warn("measurement windows missed device={} count={} lines_left_out={}", sent.window.device.str(),
                 state.order.missed() - missed, state.lines.TakeDropped());
  // The sender missed the acknowledgement.
  if (arrival == WindowOrder::Arrival::kSeen && IsPersisted(state)) Acknowledge(self);
  return arrival == WindowOrder::Arrival::kNext;
}

void OnWindow(Self self, const Args& args, const ReportWindow& report) {
  auto& state = self->state;
  const auto& window = report.sent.window;
  if (auto status = Validate(window); !status.ok()) {
    spdlog::warn("window refused device={} reason=\"{}\"", window.device.str(), status.message());
    return;
  }
  if (!IsNext(self, report.sent) || !state.estimator->Observe(window)) return;
  state.totals->Add(window, args->wall_clock());
  if (state.estimator->TakeSignificantChange()) self->send(args->placement, FitChanged{state.estimator->fit()});
}

void Persist(Self self, const Args& args) {
  auto& state = self->state;
  if (state.persisting || (IsPersisted(state) && !state.totals->has_changes())) return;

  const auto& fit = state.estimator->fit();
  WriteBatch batch;
  Put(batch, kDeviceFits, fit);

  // Shared, as a failed write gives the changes back to the totals.
  auto slots = std::make_shared<const std::vector<TotalsSlot>>(state.totals->TakeChanges());
  for (const TotalsSlot& slot : *slots)
    Put(batch, kTotals, slot);

  // One write at a time: the acknowledgement below speaks of the fit that this write holds.
  state.persisting = true;
  self->request(args->store, caf::infinite, WriteRecords{std::move(batch)}) // one at a time, however slow the disk is

      .then(
          // Copies of what was written: the estimator takes further windows before the answer.
          [self, boot = fit.boot, sequence = fit.covered_sequence](Done) {
            auto& state = self->state;
            state.persisting = false;
            state.persisted_boot = boot;
            state.persisted_sequence = sequence;
            Acknowledge(self);
          },
          [self, slots](const caf::error& error) {
            self->state.persisting = false; // the next tick tries again; the agent keeps the windows
            self->state.totals->PutBack(*slots);
            spdlog::error("fit not persisted reason=\"{}\"", ToStatus(error, "store").message());
          });
}

/// The fit, and every place that a slot of totals may have.
WriteBatch DeletionOf(const DeviceId& device) {
  WriteBatch batch;
  Delete(batch, kDeviceFits, device.str());
  for (const TotalsSpan span : {TotalsSpan::kFiveSeconds, TotalsSpan::kMinute, TotalsSpan::kEver}) {
    for (int64_t number = 0; number < SlotsKept(span); ++number)
      Delete(batch, kTotals, SlotId({.device = device, .span = span, .number = number, .apps = {}}));
  }
  return batch;
}

/// What is not deleted is cleared away at the controller's next start.
void Forget(Self self, const Args& args) {
  self->state.persisting = true; // nothing is written any more
  self->request(args->store, args->options.deadlines.store, WriteRecords{DeletionOf(args->fit.device)})
      .then([self](Done) { self->quit(); },
            [self](const caf::error& error) {
              spdlog::warn("records of a forgotten device not deleted reason=\"{}\"",
                           ToStatus(error, "store").message());
              self->quit();
            });
}

} // namespace

device_actor::behavior_type DeviceBehavior(Self self, DeviceActorArgs arguments) {
  auto args = std::make_shared<const DeviceActorArgs>(std::move(arguments));
  auto& state = self->state;

  // What the record covers was acknowledged or will be sent again: counting goes on behind the record.
  state.persisted_boot = args->fit.boot;
  state.persisted_sequence = args->fit.covered_sequence;
  state.order = WindowOrder(args->fit.boot, args->fit.covered_sequence);

  state.estimator.emplace(args->fit, args->options.estimator);
  state.totals.emplace(args->fit.device, args->totals);

  self->delayed_send(self, args->options.persist_every, PersistTick{});
  return {
      [self, args](const ReportWindow& report) { OnWindow(self, args, report); },
      [self, args](GetTotals) -> caf::result<DeviceTotals> {
        return DeviceTotals{self->state.totals->Describe(args->wall_clock())};
      },
      [self](const ForgetApp& forget) {
        self->state.estimator->Forget(forget.app);
        self->state.totals->Forget(forget.app);
      },
      [self](SetAckTarget& target) { self->state.acks = std::move(target.acks); },
      [self, args](ForgetDevice) { Forget(self, args); },
      [self, args](PersistTick) {
        Persist(self, args);
        self->delayed_send(self, args->options.persist_every, PersistTick{});
      },
  };
}

} // namespace avocet
