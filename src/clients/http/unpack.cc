#include "clients/http/unpack.h"

#include <brotli/decode.h>
#include <fmt/format.h>
#include <zlib.h>

#include <array>

#include "core/error.h"
#include "core/text.h"

namespace leat::http {
namespace {

constexpr size_t kPiece = 64 * 1024;

/// gzip (RFC 1952, with several members) and deflate (RFC 1950; some servers send RFC 1951 under that name).
class ZlibDecoder : public Unpacker::Decoder {
 public:
  enum class Format { kGzip, kDeflate };

  explicit ZlibDecoder(Format format) : format_(format) {}
  ~ZlibDecoder() override {
    if (is_open_) inflateEnd(&stream_);
  }

  bool Feed(std::string_view bytes, Unpacker& sink) override {
    if (bytes.empty()) return true;
    if (!is_open_) Open(bytes.front());
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      if (is_at_end_ && stream_.avail_in > 0 && !NextMember()) return false;
      if (!Inflate(sink)) return false;
    } while (stream_.avail_in > 0 || stream_.avail_out == 0);
    return true;
  }

  bool IsWhole() const override { return is_at_end_; }

 private:
  void Open(char first) {
    // The low four bits of RFC 1950's first byte are 8; a raw stream hardly ever begins so.
    const bool is_raw = format_ == Format::kDeflate && (first & 0x0f) != 8;
    const int window_bits = format_ == Format::kGzip ? MAX_WBITS + 16 : is_raw ? -MAX_WBITS : MAX_WBITS;
    if (inflateInit2(&stream_, window_bits) != Z_OK) throw Error(kInternal, "LEAT9905", "zlib has no memory");
    is_open_ = true;
  }

  bool NextMember() {
    if (format_ != Format::kGzip) return false;
    is_at_end_ = false;
    return inflateReset(&stream_) == Z_OK;
  }

  bool Inflate(Unpacker& sink) {
    stream_.next_out = reinterpret_cast<Bytef*>(piece_.data());
    stream_.avail_out = static_cast<uInt>(piece_.size());
    const int result = inflate(&stream_, Z_NO_FLUSH);
    sink.Add({piece_.data(), piece_.size() - stream_.avail_out});
    if (result == Z_STREAM_END) is_at_end_ = true;
    // Z_BUF_ERROR: no more can be done with what is there.
    return result == Z_OK || result == Z_STREAM_END || (result == Z_BUF_ERROR && stream_.avail_in == 0);
  }

  Format format_;
  z_stream stream_{};
  bool is_open_ = false;
  bool is_at_end_ = false;
  std::array<char, kPiece> piece_;
};

class BrotliDecoder : public Unpacker::Decoder {
 public:
  bool Feed(std::string_view bytes, Unpacker& sink) override {
    const auto* in = reinterpret_cast<const uint8_t*>(bytes.data());
    size_t in_left = bytes.size();
    while (true) {
      auto* out = reinterpret_cast<uint8_t*>(piece_.data());
      size_t out_left = piece_.size();
      result_ = BrotliDecoderDecompressStream(state_.get(), &in_left, &in, &out_left, &out, nullptr);
      sink.Add({piece_.data(), piece_.size() - out_left});
      if (result_ == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) continue;
      return result_ != BROTLI_DECODER_RESULT_ERROR && in_left == 0;
    }
  }

  bool IsWhole() const override { return result_ == BROTLI_DECODER_RESULT_SUCCESS; }

 private:
  std::unique_ptr<BrotliDecoderState, void (*)(BrotliDecoderState*)> state_{
      BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), &BrotliDecoderDestroyInstance};
  BrotliDecoderResult result_ = BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT;
  std::array<char, kPiece> piece_;
};

}  // namespace

Unpacker::Unpacker(std::string_view encoding, int64_t bytes_max, std::string where)
    : encoding_(ToLower(Trim(encoding))), bytes_max_(bytes_max), where_(std::move(where)) {
  if (encoding_ == "x-gzip") encoding_ = "gzip";
  if (encoding_ == "gzip")
    decoder_ = std::make_unique<ZlibDecoder>(ZlibDecoder::Format::kGzip);
  else if (encoding_ == "deflate")
    decoder_ = std::make_unique<ZlibDecoder>(ZlibDecoder::Format::kDeflate);
  else if (encoding_ == "br")
    decoder_ = std::make_unique<BrotliDecoder>();
  else if (!encoding_.empty() && encoding_ != "identity")
    ThrowBroken(fmt::format("is packed as '{}'; expected one of {}", Shorten(encoding_, 40), kEncodings));
}

Unpacker::~Unpacker() = default;

void Unpacker::Feed(std::string_view bytes) {
  received_ += static_cast<int64_t>(bytes.size());
  CheckSize(received_);
  if (decoder_ == nullptr) return Add(bytes);
  if (encoding_ == "gzip") gzip_ += bytes;
  if (!decoder_->Feed(bytes, *this)) ThrowBroken(fmt::format("is said to be {} and is not", encoding_));
}

void Unpacker::Finish() {
  // Servers name an encoding with empty bodies, too.
  if (decoder_ == nullptr || received_ == 0) return;
  if (!decoder_->IsWhole()) ThrowBroken(fmt::format("ends in the middle of its {} data", encoding_));
}

void Unpacker::Add(std::string_view bytes) {
  CheckSize(static_cast<int64_t>(body_.size() + bytes.size()));
  body_ += bytes;
}

void Unpacker::CheckSize(int64_t bytes) const {
  if (bytes > bytes_max_)
    throw Error(kData, "LEAT0324", fmt::format("{}: the answer is larger than {}", where_, FormatBytes(bytes_max_)))
        .Hint("ask for fewer records in one page");
}

void Unpacker::ThrowBroken(std::string_view what) const {
  throw Error(kConnection, "LEAT0325", fmt::format("{}: the answer {}", where_, what));
}

}  // namespace leat::http
