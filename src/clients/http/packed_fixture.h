#pragma once

#include <zlib.h>

#include <string>

namespace leat::http {

inline constexpr int kGzipBits = MAX_WBITS + 16, kZlibBits = MAX_WBITS, kRawBits = -MAX_WBITS;

/// `text` as a server packs it.
inline std::string Packed(const std::string& text, int window_bits = kGzipBits) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace leat::http
