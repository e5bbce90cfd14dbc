#include "core/diagnostic_json.h"

#include <nlohmann/json.hpp>

namespace leat {
namespace {

using nlohmann::json;

void PutList(json& object, const char* key, const std::vector<std::string>& list) {
  if (!list.empty()) object[key] = list;
}

std::vector<std::string> TakeList(const json& object, const char* key) {
  return object.contains(key) ? object[key].get<std::vector<std::string>>() : std::vector<std::string>{};
}

}  // namespace

std::string FormatDiagnosticJson(const Diagnostic& diagnostic) {
  json object = {{"severity", diagnostic.severity == Severity::kError ? "error" : "warning"},
                 {"code", diagnostic.code},
                 {"message", diagnostic.message}};
  const Place& place = diagnostic.place;
  if (place.known()) object["file"] = place.file;
  if (place.line > 0) object["line"] = place.line;
  if (place.column > 0) object["column"] = place.column;
  if (place.end_column > 0) object["end_column"] = place.end_column;
  if (!diagnostic.label.empty()) object["label"] = diagnostic.label;
  PutList(object, "looked_in", diagnostic.looked_in);
  PutList(object, "help", diagnostic.help);
  PutList(object, "notes", diagnostic.notes);
  PutList(object, "candidates", diagnostic.candidates);
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

Diagnostic ParseDiagnosticJson(const std::string& text) {
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains("message")) return {.message = text};
  Diagnostic diagnostic;
  diagnostic.severity = object.value("severity", "error") == "error" ? Severity::kError : Severity::kWarning;
  diagnostic.code = object.value("code", "");
  diagnostic.message = object.value("message", "");
  diagnostic.place = {object.value("file", ""), object.value("line", 0), object.value("column", 0),
                      object.value("end_column", 0)};
  diagnostic.label = object.value("label", "");
  diagnostic.looked_in = TakeList(object, "looked_in");
  diagnostic.help = TakeList(object, "help");
  diagnostic.notes = TakeList(object, "notes");
  diagnostic.candidates = TakeList(object, "candidates");
  return diagnostic;
}

}  // namespace leat
