#pragma once

#include <cstring>
#include <string>
#include <utility>

namespace leat {

/// A password or key. It has no formatter and no stream operator, so that printing one does not compile; its bytes are
/// wiped.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : value_(other.value_) { other.Wipe(); }
  Secret& operator=(Secret other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Secret() { Wipe(); }

  bool empty() const { return value_.empty(); }
  /// The bytes, for the one call that hands them to a library. Never store or print the result.
  const std::string& Reveal() const { return value_; }

 private:
  void Wipe() noexcept {
    explicit_bzero(value_.data(), value_.size());
    value_.clear();
  }

  std::string value_;
};

}  // namespace leat
