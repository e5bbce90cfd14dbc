#include "cli/state_report.h"

#include <fmt/format.h>

#include "cli/moment.h"
#include "cli/text_table.h"

namespace leat::cli {
namespace {

using pipeline::TableState;

constexpr size_t kFingerprintShown = 8;

bool IsStream(const TableState& state) { return state.kind == TableState::Kind::kStream; }

}  // namespace

std::string FormatTableStates(const std::vector<TableState>& states, Timestamp now, const Terminal& terminal) {
  if (states.empty()) return "nothing is kept yet\n  Start with  leat run\n";
  const char* dash = SignsOf(terminal).dash;
  const auto moment = [&](const TableState& state) {
    return state.data_to ? FormatMomentOfDay(*state.data_to, now, terminal) : dash;
  };
  TextTable streams({{.title = "STREAM"},
                     {.title = "AS OF"},
                     {.title = "READ"},
                     {.title = "COMMIT", .align = TextTable::Align::kRight}});
  TextTable models({{.title = "MODEL"}, {.title = "DATA TO"}, {.title = "BUILT FROM"}});
  bool has_streams = false, has_models = false;
  for (const TableState& state : states) {
    (IsStream(state) ? has_streams : has_models) = true;
    if (IsStream(state))
      streams.Add({{state.table},
                   {moment(state)},
                   {state.read.empty() ? dash : state.read},
                   {FormatCount(terminal, state.commit_number)}});
    else
      models.Add({{state.table},
                  {moment(state)},
                  {state.fingerprint.empty() ? "nothing: rebuilt by the next run"
                                             : state.fingerprint.substr(0, kFingerprintShown)}});
  }
  return (has_streams ? streams.Format(terminal) : "") + (has_models ? models.Format(terminal) : "");
}

Json TableStatesJson(const std::vector<TableState>& states) {
  Json json = {{"streams", Json::array()}, {"models", Json::array()}};
  for (const TableState& state : states) {
    Json entry;
    entry["table"] = state.table;
    entry["data_to"] = ToJson(state.data_to);
    if (IsStream(state)) {
      Json position = Json::parse(state.position, nullptr, /*allow_exceptions=*/false);
      entry["read"] = state.read.empty() ? Json(nullptr) : Json(state.read);
      entry["commit_number"] = state.commit_number;
      entry["position"] = position.is_discarded() ? Json(state.position) : position;
    } else {
      entry["fingerprint"] = state.fingerprint.empty() ? Json(nullptr) : Json(state.fingerprint);
    }
    json[IsStream(state) ? "streams" : "models"].push_back(entry);
  }
  return json;
}

std::string ConsequenceOfReset(const TableState& state) {
  if (IsStream(state))
    return fmt::format(
        "The next run reads all of {} and compares it with the lake: no version is lost, and rows that are as they "
        "were give no new one.",
        state.table);
  return fmt::format("The next run builds {} anew; rows that come out as they were are not published again.",
                     state.table);
}

}  // namespace leat::cli
