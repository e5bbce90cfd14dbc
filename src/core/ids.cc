#include "core/ids.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>

#include "core/error.h"

namespace leat {
namespace {

template <typename Bytes>
void FillRandom(Bytes& bytes) {
  if (getrandom(&bytes, sizeof(bytes), 0) != static_cast<ssize_t>(sizeof(bytes)))
    throw Error(kInternal, "LEAT9901", "the system gave no random bytes");
}

}  // namespace

std::string NewUuid() {
  std::array<uint8_t, 16> b;
  FillRandom(b);
  b[6] = static_cast<uint8_t>((b[6] & 0x0F) | 0x40);
  b[8] = static_cast<uint8_t>((b[8] & 0x3F) | 0x80);
  return fmt::format(
      "{:02x}{:02x}{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}{:02x}{:02x}{:02x}{:02x}", b[0],
      b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

int64_t NewSnapshotId() {
  uint64_t random;
  FillRandom(random);
  return static_cast<int64_t>(random >> 1 | 1);
}

}  // namespace leat
