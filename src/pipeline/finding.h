#pragma once

#include <string>
#include <vector>

namespace leat::pipeline {

/// One thing that `leat doctor` looked at.
struct Finding {
  enum class State {
    kGood,
    kWarning,  ///< a run works today, or works worse than it might
    kFault     ///< a run will fail
  };
  State state = State::kGood;
  std::string subject;  ///< one or two words: `lake`, `clock`, `connection crm`
  std::string text;     ///< what was found, with values
  std::string remedy;   ///< what to do, as a sentence or a command; empty if it is good
};

inline Finding Good(std::string subject, std::string text) {
  return {Finding::State::kGood, std::move(subject), std::move(text), ""};
}
inline Finding Warning(std::string subject, std::string text, std::string remedy) {
  return {Finding::State::kWarning, std::move(subject), std::move(text), std::move(remedy)};
}
inline Finding Fault(std::string subject, std::string text, std::string remedy) {
  return {Finding::State::kFault, std::move(subject), std::move(text), std::move(remedy)};
}

}  // namespace leat::pipeline
