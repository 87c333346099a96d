#include "node_agent/inference/byte_budget.h"

#include <algorithm>

namespace avocet {
namespace {

/// How much of what is left free a client or an application may hold: two thirds of the budget when it is alone.
constexpr uint64_t kShareTimes = 2;
/// With small leases it may go on up to sixteen seventeenths.
constexpr uint64_t kSmallShareTimes = 16;
/// The part of what is left free that a lease may be to be small.
constexpr uint64_t kSmallPart = 64;

/// The part of the budget that large leases leave free.
constexpr uint64_t kKeptForSmall = 8;

bool Fits(const BudgetShare* share, uint64_t bytes, uint64_t most) {
  return share == nullptr || share->bytes() + bytes <= most;
}

} // namespace

uint64_t ByteBudget::most_of_one() const {
  return std::max(limit_ / 2, std::min(limit_, kTiny));
}

Status ByteBudget::CheckPossible(uint64_t bytes) const {
  if (bytes <= most_of_one()) return {};
  return ResourceExhausted("the request and its answer take " + std::to_string(bytes) +
                           " bytes of memory, one may take " + std::to_string(most_of_one()) + " of the " +
                           std::to_string(limit_) + " that memory_mb in [inference] allows");
}

ByteBudget::Lease::Lease(Lease&& other) noexcept
    : budget_(other.budget_), client_(std::move(other.client_)), app_(std::move(other.app_)),
      bytes_(std::exchange(other.bytes_, 0)) {}

ByteBudget::Lease& ByteBudget::Lease::operator=(Lease&& other) noexcept {
  Release();
  budget_ = other.budget_;
  client_ = std::move(other.client_);
  app_ = std::move(other.app_);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void ByteBudget::Lease::ChargeTo(std::shared_ptr<BudgetShare> app) {
  if (app_) app_->bytes_.fetch_sub(bytes_, std::memory_order_relaxed);
  app_ = std::move(app);
  if (app_) app_->bytes_.fetch_add(bytes_, std::memory_order_relaxed);
}

bool ByteBudget::Lease::MayGrow(uint64_t bytes, uint64_t used) const {
  if (bytes > budget_->limit_ || used > budget_->limit_ - bytes) return false;
  const uint64_t left = budget_->limit_ - used - bytes;
  const uint64_t mine = bytes_ + bytes;
  const bool is_small = mine <= std::max(kTiny, left / kSmallPart);
  if (!is_small && (mine > left || left < budget_->limit_ / kKeptForSmall)) return false;
  const uint64_t most = left * (is_small ? kSmallShareTimes : kShareTimes);
  return Fits(client_.get(), bytes, most) && Fits(app_.get(), bytes, most);
}

void ByteBudget::Lease::Add(uint64_t bytes, bool in_budget) {
  if (in_budget) budget_->used_.fetch_add(bytes, std::memory_order_relaxed);
  if (client_) client_->bytes_.fetch_add(bytes, std::memory_order_relaxed);
  if (app_) app_->bytes_.fetch_add(bytes, std::memory_order_relaxed);
  bytes_ += bytes;
}

bool ByteBudget::Lease::TryGrow(uint64_t bytes) {
  if (bytes == 0) return true;
  // The limit holds exactly. The shares are read beside it, so several threads may pass them by what each takes.
  uint64_t used = budget_->used();
  do {
    if (!MayGrow(bytes, used)) return false;
  } while (!budget_->used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  Add(bytes, false);
  return true;
}

Status ByteBudget::Lease::Reserve(uint64_t bytes) {
  AVOCET_RETURN_IF_ERROR(budget_->CheckPossible(bytes_ + bytes));
  if (TryGrow(bytes)) return {};
  return Unavailable("requests in flight hold " + std::to_string(budget_->used()) + " of " +
                     std::to_string(budget_->limit()) + " bytes, and none is left for " +
                     std::to_string(bytes_ + bytes) + " bytes of this one; retry");
}

void ByteBudget::Lease::Shrink(uint64_t bytes) {
  AVOCET_CHECK(bytes <= bytes_);
  if (bytes == 0) return;
  if (client_) client_->bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  if (app_) app_->bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  budget_->used_.fetch_sub(bytes, std::memory_order_relaxed);
  bytes_ -= bytes;
}

void ByteBudget::Lease::Release() {
  Shrink(bytes_);
  app_ = nullptr;
}

std::shared_ptr<BudgetShare> BudgetShares::Of(const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto& known = shares_[name];
  if (auto share = known.lock()) return share;
  auto share = std::make_shared<BudgetShare>();
  known = share;
  // Looked through only when it has doubled, so that each call costs little on average.
  if (shares_.size() < forget_at_) return share;
  std::erase_if(shares_, [](const auto& entry) { return entry.second.expired(); });
  forget_at_ = 2 * shares_.size() + 64;
  return share;
}

} // namespace avocet
