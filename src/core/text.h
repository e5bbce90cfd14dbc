#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

/// Count the edits from `a` to `b` without case: insert, delete, replace, and a swap of neighbours as one.
int EditDistance(std::string_view a, std::string_view b);

/// The names of `known` within a third of the word's length, nearest first, at most three.
std::vector<std::string> NearestNames(std::string_view word, const std::vector<std::string>& known);

/// Quote a name for SQL as `"na""me"`; PostgreSQL and DuckDB share the rule.
/// Throws: Error(kData) for NUL and invalid UTF-8, which quoting cannot make safe (CVE-2025-1094).
std::string QuoteIdentifier(std::string_view name);

/// Quote a text for SQL as `'it''s'`, for servers with standard_conforming_strings on.
/// Throws: Error(kData) for NUL and invalid UTF-8.
std::string QuoteLiteral(std::string_view text);

/// `"a", "b"`.
std::string QuoteList(const std::vector<std::string>& names);

/// Write a name for YAML: as it is, or as `"a \"b\""` where it would mean something else.
std::string YamlName(std::string_view name);

/// Turn any name of a source into one of leat's: lower case, each run of other characters `_`, `__` to `_`,
/// a leading digit gets `_`, cut to `bytes_max` characters. Never empty.
std::string CleanName(std::string_view name, size_t bytes_max = 63);

/// Whether `name` is of the form `[a-z_][a-z0-9_]{0,62}` without the reserved `__` and `_leat`.
bool IsValidName(std::string_view name);

bool IsValidUtf8(std::string_view text);

/// Count Unicode characters of valid UTF-8.
int CharacterCount(std::string_view text);

std::string ToLower(std::string_view text);
std::string_view Trim(std::string_view text);
std::vector<std::string> Split(std::string_view text, char separator);
std::string Join(const std::vector<std::string>& parts, std::string_view separator);

/// Whether `text` matches `pattern`, where `*` stands for any characters and `?` for one.
bool MatchesGlob(std::string_view pattern, std::string_view text);

/// Cut to `characters_max` Unicode characters, the last being `…` if something was cut.
std::string Shorten(std::string_view text, int characters_max);

/// `5099` as `5 099`, groups parted by a thin no-break space; for people, never for logs.
std::string GroupDigits(long long number);

/// Bytes as people read them, in powers of ten: `512 bytes`, `64.0 MB`, `1.5 GB`.
std::string FormatBytes(int64_t bytes);

}  // namespace leat
