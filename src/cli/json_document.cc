#include "cli/json_document.h"

#include <cmath>

namespace leat::cli {
namespace {

Json NumberOrNull(int number) { return number > 0 ? Json(number) : Json(nullptr); }

}  // namespace

Json ToJson(const Diagnostic& diagnostic) {
  const Place& place = diagnostic.place;
  Json json;
  json["severity"] = diagnostic.severity == Severity::kError ? "error" : "warning";
  json["code"] = diagnostic.code;
  json["message"] = diagnostic.message;
  json["file"] = place.known() ? Json(place.file) : Json(nullptr);
  json["line"] = NumberOrNull(place.line);
  json["column"] = NumberOrNull(place.column);
  json["end_line"] = place.end_column > 0 ? NumberOrNull(place.line) : Json(nullptr);
  json["end_column"] = NumberOrNull(place.end_column);
  json["label"] = diagnostic.label;
  json["looked_in"] = diagnostic.looked_in;
  json["help"] = diagnostic.help;
  json["notes"] = diagnostic.notes;
  json["candidates"] = diagnostic.candidates;
  return json;
}

Json ToJson(const std::vector<Diagnostic>& diagnostics) {
  Json json = Json::array();
  for (const Diagnostic& diagnostic : diagnostics) json.push_back(ToJson(diagnostic));
  return json;
}

Json ToJson(const std::optional<Timestamp>& time) { return time ? Json(FormatTimestamp(*time)) : Json(nullptr); }

Json SecondsJson(std::chrono::microseconds duration) {
  return std::round(std::chrono::duration<double, std::milli>(duration).count()) / 1000;
}

Json ToJson(const state::Run& run) {
  Json json;
  json["number"] = run.number;
  json["status"] = run.status;
  json["selection"] = run.selection;
  json["started_at"] = FormatTimestamp(run.started);
  json["ended_at"] = ToJson(run.ended);
  json["dur_s"] = run.ended ? SecondsJson(*run.ended - run.started) : Json(nullptr);
  return json;
}

Json ToJson(const state::Step& step) {
  Json json;
  json["table"] = step.table;
  json["step"] = step.step;
  json["status"] = step.status;
  if (step.step == "check") {
    json["checks"] = step.rows_read;
    json["checks_failed"] = step.rows_read - step.rows_written;
  } else {
    json["rows_read"] = step.rows_read;
    json["rows_written"] = step.rows_written;
    json["rows_repeated"] = step.rows_repeated;
    json["rows_rejected"] = step.rows_rejected;
    json["rows_deleted"] = step.rows_deleted;
    json["rows_total"] = step.rows_total;
  }
  json["started_at"] = FormatTimestamp(step.started);
  json["ended_at"] = FormatTimestamp(step.ended);
  json["dur_s"] = SecondsJson(step.ended - step.started);
  return json;
}

std::string JsonDocument(const std::string& command, const Json& data, const std::vector<Diagnostic>& diagnostics) {
  Json document;
  document["format"] = 1;
  document["command"] = command;
  document["data"] = data;
  document["diagnostics"] = ToJson(diagnostics);
  return DumpLine(document) + "\n";
}

std::string DumpLine(const Json& json) {
  return json.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace leat::cli
