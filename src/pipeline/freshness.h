#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/project.h"
#include "core/clock.h"
#include "core/error.h"

namespace leat::pipeline {

/// How the data of a table stands to its promise.
enum class Age {
  kFresh,    ///< within it, or nothing is promised
  kLate,     ///< past warn_after
  kTooLate,  ///< past error_after
  kUnknown   ///< something is promised, and up to when there is data is not known, or is said to be in the future
};

/// Whether a moment is later than clocks that differ a little can explain.
bool IsInFuture(Timestamp moment, Timestamp now);

/// What a model reads; nothing if that is not known.
using InputsOf = std::function<std::optional<std::vector<std::string>>(const std::string& model)>;
/// Whether rows of streams flow into a table, as far as is known. Of others, seeds and generated ones, the data has no
/// age.
bool HasStreams(const config::Project& project, const std::string& table, const InputsOf& inputs_of);

/// `data_to`: the moment up to which there is data.
Age JudgeAge(const config::Freshness& promise, std::optional<Timestamp> data_to, Timestamp now);

/// What a person is told of a table that is late: LEAT0710, an error past error_after; or LEAT0711 where its age is not
/// known. Nothing for a fresh one.
std::optional<Diagnostic> JudgeFreshness(const std::string& table, const config::Freshness& promise,
                                         std::optional<Timestamp> data_to, Timestamp now);

/// Why a table's age is not known, in few words.
std::string UnknownAgeText(std::optional<Timestamp> data_to);
/// Why a table is late, in few words: `data is 26 h old; expected at most 20 min`.
std::string AgeText(const config::Freshness& promise, Timestamp data_to, Timestamp now);

/// A time span in its greatest unit, as people say it: `30 min`, `26 h`, `3 days`.
std::string FormatSpan(std::chrono::milliseconds span);

}  // namespace leat::pipeline
