#pragma once

#include <string>
#include <string_view>

namespace leat::cli {

/// Standard output or standard error. Unbuffered: each Write of up to 4 KB is one system call, so that lines of several
/// threads and processes stay whole.
class Stream {
 public:
  enum class Loss { kThrow, kIgnore };

  /// `loss`: whether a full disk behind the stream is an error (answers) or no matter (progress).
  Stream(int fd, Loss loss);

  /// Write all of `text`. A reader that went away (EPIPE) is no error, nor is a signal to stop while one does not read:
  /// `is_closed` then, and all further text is dropped. Throws: Error(kInternal, LEAT0502) naming the system's reason,
  /// unless losses are ignored.
  void Write(std::string_view text);

  bool is_closed() const { return is_closed_; }
  int fd() const { return fd_; }

 private:
  int fd_;
  Loss loss_;
  size_t piece_bytes_;  ///< how much is given to the system at a time
  bool is_closed_ = false;
};

/// A file of rows that appears under its name when it is complete; pipes and devices are written directly.
class OutputFile {
 public:
  /// Throws: Error(kConfig, LEAT0195) where the file cannot be made.
  explicit OutputFile(std::string path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  /// Removes what was not finished.
  ~OutputFile();

  void Write(std::string_view text) { stream_.Write(text); }
  void Finish();

 private:
  std::string path_;
  std::string partial_path_;  ///< empty: written directly
  Stream stream_;
};

}  // namespace leat::cli
