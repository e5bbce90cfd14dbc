// leat-reference DIR: writes the pages of docs/reference. A tool of the developers, not of users.

#include <cstdio>

#include "cli/reference_pages.h"
#include "core/error.h"
#include "core/file_system.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: leat-reference DIR\n", stderr);
    return 2;
  }
  try {
    leat::MakeDirectories(argv[1]);
    for (const leat::cli::ReferencePage& page : leat::cli::ReferencePages())
      leat::ReplaceFile(leat::JoinPath(argv[1], page.file), page.text);
  } catch (const leat::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
