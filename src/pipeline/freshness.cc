#include "pipeline/freshness.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/engine.h"
#include "pipeline/plan.h"

namespace leat::pipeline {
namespace {

using std::chrono::milliseconds;

// Clocks of servers differ by less; time zones, which are what is mixed up, by more.
constexpr std::chrono::minutes kClockDifference{5};

/// The limit that counts for what is told: the one that was passed last.
milliseconds LimitPassed(const config::Freshness& promise, milliseconds age) {
  if (promise.error_after && age > *promise.error_after) return *promise.error_after;
  return promise.warn_after.value_or(promise.error_after.value_or(milliseconds(0)));
}

milliseconds AgeOf(Timestamp data_to, Timestamp now) { return std::chrono::floor<milliseconds>(now - data_to); }

/// `seen` holds the tables that were looked at: a dim_date and what refers to it may have been built from each other.
bool HasStreamsUnseen(const config::Project& project, const std::string& table, const InputsOf& inputs_of,
                      std::set<std::string>& seen) {
  if (!seen.insert(table).second) return false;
  const config::Model* model = project.FindModel(table);
  if (model == nullptr) return project.FindSource(NamespaceOf(table)) != nullptr;
  if (model->kind == config::ModelKind::kDimDate) return false;
  const auto inputs = inputs_of(table);
  return !inputs || std::ranges::any_of(*inputs, [&](const std::string& input) {
    return HasStreamsUnseen(project, engine::ProducerOf(input), inputs_of, seen);
  });
}

}  // namespace

bool IsInFuture(Timestamp moment, Timestamp now) { return moment > now + kClockDifference; }

bool HasStreams(const config::Project& project, const std::string& table, const InputsOf& inputs_of) {
  std::set<std::string> seen;
  return HasStreamsUnseen(project, table, inputs_of, seen);
}

Age JudgeAge(const config::Freshness& promise, std::optional<Timestamp> data_to, Timestamp now) {
  if (promise.empty()) return Age::kFresh;
  if (!data_to || IsInFuture(*data_to, now)) return Age::kUnknown;
  const milliseconds age = AgeOf(*data_to, now);
  if (promise.error_after && age > *promise.error_after) return Age::kTooLate;
  return promise.warn_after && age > *promise.warn_after ? Age::kLate : Age::kFresh;
}

std::optional<Diagnostic> JudgeFreshness(const std::string& table, const config::Freshness& promise,
                                         std::optional<Timestamp> data_to, Timestamp now) {
  const Age age = JudgeAge(promise, data_to, now);
  if (age == Age::kFresh) return std::nullopt;
  Diagnostic late{.severity = age == Age::kLate ? Severity::kWarning : Severity::kError, .code = "LEAT0710"};
  if (age == Age::kUnknown) {
    late.code = "LEAT0711";
    late.message = fmt::format("{} promises fresh data, but {}", table, UnknownAgeText(data_to));
    late.help.push_back(data_to ? "a time without a zone counts as UTC; store it as timestamptz, or in UTC"
                                : fmt::format("leat run +{}", table));
    return late;
  }
  late.message = fmt::format("{} is late: its {}", table, AgeText(promise, *data_to, now));
  late.notes.push_back(fmt::format("it has data up to {}", FormatTimestamp(*data_to)));
  late.help.push_back(fmt::format("leat run +{}", table));
  return late;
}

std::string UnknownAgeText(std::optional<Timestamp> data_to) {
  if (!data_to) return "up to when it has data is not known";
  return fmt::format("{}, up to which it has data, lies in the future: is it local time?", FormatTimestamp(*data_to));
}

std::string AgeText(const config::Freshness& promise, Timestamp data_to, Timestamp now) {
  const milliseconds age = AgeOf(data_to, now);
  return fmt::format("data is {} old; expected at most {}", FormatSpan(age), FormatSpan(LimitPassed(promise, age)));
}

std::string FormatSpan(milliseconds span) {
  using namespace std::chrono;
  if (span < minutes(2)) return fmt::format("{} s", duration_cast<seconds>(span).count());
  if (span < hours(2)) return fmt::format("{} min", duration_cast<minutes>(span).count());
  if (span < days(2)) return fmt::format("{} h", duration_cast<hours>(span).count());
  return fmt::format("{} days", duration_cast<days>(span).count());
}

}  // namespace leat::pipeline
