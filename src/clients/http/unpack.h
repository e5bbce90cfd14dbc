#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace leat::http {

/// What an Accept-Encoding header may offer.
inline constexpr std::string_view kEncodings = "gzip, deflate, br";

/// Takes a body in as it arrives and unpacks it. Every call throws: Error(kConnection, LEAT0325) for bytes that are not
/// of the encoding; Error(kData, LEAT0324) over the limit, of packed and of unpacked bytes.
class Unpacker {
 public:
  /// One way of packing; knows how to take its bytes in.
  class Decoder {
   public:
    virtual ~Decoder() = default;
    /// Unpack a piece. Calls `sink.Add` with what came out; returns false for bytes that are none of this encoding.
    virtual bool Feed(std::string_view bytes, Unpacker& sink) = 0;
    /// Whether what was fed is a whole body.
    virtual bool IsWhole() const = 0;
  };

  /// \param encoding  of the header Content-Encoding; empty: none
  /// \param where     the address, for messages
  /// Throws: also for an encoding that is not among kEncodings.
  Unpacker(std::string_view encoding, int64_t bytes_max, std::string where);
  ~Unpacker();

  void Feed(std::string_view bytes);
  /// Say that the body is at its end. Throws: also if it is not whole.
  void Finish();

  /// Add unpacked bytes; for decoders.
  void Add(std::string_view bytes);

  int64_t received_bytes() const { return received_; }
  std::string& body() { return body_; }
  /// The body as received, if it is gzip.
  std::string& gzip() { return gzip_; }

 private:
  void CheckSize(int64_t bytes) const;
  [[noreturn]] void ThrowBroken(std::string_view what) const;

  std::string encoding_;
  int64_t bytes_max_;
  std::string where_;
  std::unique_ptr<Decoder> decoder_;
  int64_t received_ = 0;
  std::string body_;
  std::string gzip_;
};

}  // namespace leat::http
