# Write a C++ file that holds the bytes of other files, so that one binary is all there is to install.
#
#   cmake -DOUTPUT=x.cc -DFUNCTION=TemplateFiles -DROOT=/path/of/folder -P embed_files.cmake
#
# The function returns every regular file below ROOT, those whose names begin with a dot too, sorted by path.

file(GLOB_RECURSE files RELATIVE "${ROOT}" "${ROOT}/*" "${ROOT}/.*")
list(REMOVE_DUPLICATES files)
list(SORT files)

set(entries "")
set(arrays "")
set(index 0)
foreach(file IN LISTS files)
  file(READ "${ROOT}/${file}" hex HEX)
  file(SIZE "${ROOT}/${file}" size)
  # One literal a line of 32 bytes; the compiler joins them.
  string(REPEAT "[0-9a-f]" 64 line)
  string(REGEX REPLACE "${line}" "\\0\n" lines "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" lines "${lines}")
  string(REPLACE "\n" "\"\n  \"" lines "${lines}")
  string(APPEND arrays "constexpr char kFile${index}[] =\n  \"${lines}\";\n")
  string(APPEND entries "    {\"${file}\", std::string_view(kFile${index}, ${size})},\n")
  math(EXPR index "${index} + 1")
endforeach()

file(WRITE "${OUTPUT}"
  "#include \"cli/embedded.h\"\n\nnamespace leat::cli {\nnamespace {\n\n${arrays}\n}  // namespace\n\n"
  "std::vector<EmbeddedFile> ${FUNCTION}() {\n  return {\n${entries}  };\n}\n\n}  // namespace leat::cli\n")
