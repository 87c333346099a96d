#include <memory>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands/command_line.h"
#include "cli/commands/commands.h"
#include "cli/config/config_files.h"
#include "cli/offline/capacity_file.h"
#include "cli/offline/cbc_solver.h"
#include "cli/render/format.h"
#include "cli/render/progress.h"
#include "cli/render/table.h"

namespace avocet {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMostMore = 1000; ///< further applications that are looked for

/// Both questions' answer.
struct Answer {
  std::vector<int> devices; ///< by offer
  CapacityPlacement placement;
  std::optional<CapacityPurchase> purchase; ///< devices were to be bought
  std::vector<int> more;                    ///< by demand, of devices that exist
};

double UtilizationOf(const CapacityQuestion& question, size_t offer, const ClusterView& view) {
  double sum = 0;
  int count = 0;
  for (const auto& [id, device] : view.devices) {
    if (device.spec.type != question.offers[offer].name) continue;
    sum += Utilization(LoadOf(view, id));
    ++count;
  }
  return count == 0 ? 0 : sum / count;
}

std::string AnswerJson(const CapacityQuestion& question, const Answer& answer) {
  Json devices = Json::array(), apps = Json::array();

  // In the order of the file, so that a script can join the answer with its question.
  for (size_t i = 0; i < question.offers.size(); ++i) {
    devices.push_back({{"name", question.offers[i].name},
                       {"count", answer.devices[i]},
                       {"price", question.offers[i].price},
                       {"utilization", UtilizationOf(question, i, answer.placement.view)}});
  }
  for (size_t d = 0; d < question.demands.size(); ++d) {
    apps.push_back({{"name", question.demands[d].app.name.str()},
                    {"count", question.demands[d].count},
                    {"hosted", answer.placement.hosted[d]}});
    // A purchase is sized for what was asked; only a fixed set of devices can have room for more.
    if (!answer.purchase) apps.back()["more"] = answer.more[d];
  }
  Json json{{"v", 1}, {"devices", std::move(devices)}, {"apps", std::move(apps)}};

  // The bound says how far from the cheapest possible the search may have ended.
  if (answer.purchase) {
    json["price"] = answer.purchase->price;
    json["price_bound"] = answer.purchase->price_bound;
    json["trials"] = answer.purchase->trials;
  }
  return json.dump(2) + "\n";
}

std::string AnswerText(const CapacityQuestion& question, const Answer& answer, bool color) {
  TextTable devices(
      {{"DEVICE"}, {"COUNT", Align::kRight}, {"PRICE EACH", Align::kRight}, {"UTILIZATION", Align::kRight}});
  for (size_t i = 0; i < question.offers.size(); ++i) {
    devices.Add({question.offers[i].name, std::to_string(answer.devices[i]), FormatNumber(question.offers[i].price),
                 FormatPercent(UtilizationOf(question, i, answer.placement.view))});
  }

  TextTable apps({{"APPLICATION"}, {"ASKED", Align::kRight}, {"HOSTED", Align::kRight}, {"MORE OF IT", Align::kRight}});
  for (size_t d = 0; d < question.demands.size(); ++d) {
    // The search for more stops at kMostMore, hence ">=" there.
    const int more = answer.purchase ? 0 : answer.more[d];
    apps.Add({question.demands[d].app.name.str(), std::to_string(question.demands[d].count),
              std::to_string(answer.placement.hosted[d]),
              answer.purchase ? "-" : (more == kMostMore ? ">= " : "") + std::to_string(more)});
  }

  std::string text = devices.Render(color) + "\n" + apps.Render(color);
  // Both figures, so that the reader sees how far from the cheapest the search may have ended.
  if (answer.purchase) {
    text += fmt::format("price {}, the cheapest of {} clusters tried; no cluster that hosts all costs less than {}\n",
                        FormatNumber(answer.purchase->price), answer.purchase->trials,
                        FormatNumber(answer.purchase->price_bound));
  }
  return text;
}

Answer OfCluster(const CapacityFile& file) {
  PredictionCache cache;
  Answer answer{.devices = file.have, .placement = PlaceOn(file.question, file.have, cache)};
  for (const auto& demand : file.question.demands)
    answer.more.push_back(HowManyMore(answer.placement.view, demand.app, file.question.policy, kMostMore));
  return answer;
}

Result<Answer> OfPurchase(const Context& context, const CapacityQuestion& question) {
  AVOCET_ASSIGN_OR_RETURN(auto solver, LoadCbc());
  ProgressBar bar(std::cerr, "capacity",
                  {.terminal = isatty(STDERR_FILENO) != 0, .width = TerminalWidth(STDERR_FILENO)});
  CapacityOptions options{.solver = std::move(solver)};
  options.progress = [&](int trials, double price) {
    if (context.quiet) return;
    bar.Update(static_cast<double>(trials) / options.most_trials, fmt::format("price {}", FormatNumber(price)));
  };
  AVOCET_ASSIGN_OR_RETURN(auto purchase, FindCheapest(question, options));
  if (!context.quiet) bar.Finish("done");
  return Answer{.devices = purchase.devices, .placement = purchase.placement, .purchase = purchase};
}

int CapacityCommand(const Context& context, const std::filesystem::path& path) {
  auto text = ReadConfigFile(path);
  if (!text.ok()) return Fail(context, text.status());
  const auto file = ParseCapacityFile(*text, path.string());
  if (!file.ok()) return Fail(context, file.status());
  const auto answer = file->have.empty() ? OfPurchase(context, file->question) : Result<Answer>(OfCluster(*file));
  if (!answer.ok()) return Fail(context, answer.status());
  const bool json = context.render.format == OutputFormat::kJson;
  std::cout << (json ? AnswerJson(file->question, *answer) : AnswerText(file->question, *answer, context.render.color));
  return kExitOk;
}

} // namespace

void AddCapacityCommand(CommandLine& line) {
  auto file = std::make_shared<std::filesystem::path>();
  CLI::App& capacity =
      line.Add("capacity", "How many devices do these applications need; or how many more does a cluster take?",
               [file](const Context& c) { return CapacityCommand(c, *file); });
  capacity.add_option("file", *file, "Devices, models and applications, TOML")->required();
  capacity.footer(
      "deploy/examples/capacity.toml has every key. Without `count` in its devices: the cheapest cluster\n"
      "found that hosts all applications, and a price below which there is none. With `count`: how many of\n"
      "the applications that cluster hosts, and how many more of each fit (one kind at a time).\n"
      "Every cluster is filled with the controller's own decision function. Exit code 2: not possible.");
}

} // namespace avocet
