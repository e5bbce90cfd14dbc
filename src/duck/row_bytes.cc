#include "duck/row_bytes.h"

#include <xxhash.h>

#include <bit>
#include <cmath>
#include <limits>

namespace leat::duck {

static_assert(std::endian::native == std::endian::little);

void RowBytes::Number(__int128 unscaled, int scale) {
  while (scale > 0 && unscaled % 10 == 0) {
    unscaled /= 10;
    --scale;
  }
  // The width of the bytes goes by the value, never by the column: BIGINT and DECIMAL(38,0) agree.
  if (unscaled >= std::numeric_limits<int64_t>::min() && unscaled <= std::numeric_limits<int64_t>::max())
    return Number(static_cast<int64_t>(unscaled), scale);
  uint8_t* at = Reserve(18);
  at[0] = kWideNumber;
  at[1] = static_cast<uint8_t>(scale);
  Store(at + 2, unscaled);
}

void RowBytes::Float(double value) {
  uint64_t bits = std::bit_cast<uint64_t>(value + 0.0);  // -0.0 + 0.0 is 0.0
  if (std::isnan(value)) bits = 0x7FF8000000000000;
  PutTagged(kFloat, bits);
}

void RowBytes::Uuid(uint64_t high, uint64_t low) {
  uint8_t* at = Reserve(17);
  *at = kUuid;
  Store(at + 1, __builtin_bswap64(high));
  Store(at + 9, __builtin_bswap64(low));
}

void RowBytes::Name(std::string_view name) {
  Store(Reserve(4), static_cast<uint32_t>(name.size()));
  Append({reinterpret_cast<const uint8_t*>(name.data()), name.size()});
}

std::vector<uint8_t> RowBytes::TakeFrom(size_t from) {
  std::vector<uint8_t> taken(bytes_.begin() + static_cast<ptrdiff_t>(from),
                             bytes_.begin() + static_cast<ptrdiff_t>(size_));
  size_ = from;
  return taken;
}

void RowBytes::Append(std::span<const uint8_t> bytes) {
  if (!bytes.empty()) std::memcpy(Reserve(bytes.size()), bytes.data(), bytes.size());
}

Hash128 RowBytes::Hash() const {
  const XXH128_hash_t hash = XXH3_128bits(bytes_.data(), size_);
  return {hash.high64, hash.low64};
}

void RowBytes::Grow(size_t count) { bytes_.resize((size_ + count) * 2); }

}  // namespace leat::duck
