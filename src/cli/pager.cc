#include "cli/pager.h"

#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace leat::cli {
namespace {

constexpr int kNotFound = 127;  // what a shell says of a command that it does not find

}  // namespace

bool PipeInto(const std::string& command, const std::string& text) {
  FILE* pipe = popen(command.c_str(), "w");
  if (pipe == nullptr) return false;
  // Somebody who has read enough closes the pipe; that is no fault.
  std::fwrite(text.data(), 1, text.size(), pipe);
  const int status = pclose(pipe);
  return !(WIFEXITED(status) && WEXITSTATUS(status) == kNotFound);
}

bool ShowInPager(const Terminal& terminal, const std::string& text) {
  const char* pager = std::getenv("PAGER");
  const bool fits = std::count(text.begin(), text.end(), '\n') < terminal.height;
  if (!terminal.escapes || fits || pager == nullptr || *pager == '\0') return false;
  setenv("LESS", "FRX", /*overwrite=*/0);  // colours are shown, and what fits is no page
  return PipeInto(pager, text);
}

}  // namespace leat::cli
