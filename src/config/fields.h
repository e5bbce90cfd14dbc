#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace leat::config {

/// What one value may be.
enum class FieldType {
  kText,    ///< any text that is not empty
  kScalar,  ///< any single value, as text; may be empty
  kName,    ///< a name of leat's: [a-z_][a-z0-9_]{0,62}
  kTable,   ///< namespace.table
  kGlob,    ///< a name, or a pattern with * and ?
  kInteger,
  kBoolean,   ///< true or false
  kSize,      ///< bytes: 64MB, 64MiB
  kDuration,  ///< 500ms, 30s, 5m, 2h, 7d, or one of `choices`
  kDate,      ///< yyyy-mm-dd
  kPath,      ///< of a file or folder; relative ones start at the project
  kSqlType,   ///< numeric(10,2)
  kSecret,    ///< ${NAME} or ${file:/path}, never the secret itself
  kChoice,    ///< one of `choices`
  kSection    ///< a map with the fields of `section`
};

/// How many of them.
enum class FieldShape {
  kOne,
  kList,        ///< with `single`, one value stands for a list of it
  kMap,         ///< from keys that the author chooses
  kMapOfLists,  ///< the same, each with a list
};

struct Section;

/// A key of a project file: declared here once; reading, checking, messages and redaction follow from it.
struct Field {
  std::string_view name;
  FieldType type = FieldType::kText;
  FieldShape shape = FieldShape::kOne;
  std::string_view text;           ///< one sentence for the reference
  std::string_view example;        ///< as written in a file
  std::string_view default_value;  ///< as written in a file; empty: none
  bool required = false;
  std::span<const std::string_view> choices = {};
  int64_t min = 0;  ///< of kInteger and kSize; both 0: no limits
  int64_t max = 0;
  const Section* section = nullptr;
  FieldType key_type = FieldType::kText;  ///< of the keys of a map: kText, kName or kGlob
  bool single = false;
  bool distinct = false;  ///< a list that names nothing twice
  bool nullable = false;  ///< null is a value of its own: it removes what was inherited
  bool or_false = false;  ///< `false` stands for none
  /// Of a section with a `type`: the only one that this field belongs to; empty: all.
  std::string_view of_type = {};
};

/// The keys that may stand in one map of a project file.
struct Section {
  std::span<const Field> fields;
  const Section* also = nullptr;  ///< the fields of another section may stand here too; own ones of the same name win

  const Field* Find(std::string_view name) const;
  /// All fields, own ones first.
  std::vector<const Field*> AllFields() const;
};

extern const Section kProjectSection;         ///< leat.yaml
extern const Section kSourceSection;          ///< sources/*.yaml
extern const Section kStreamSection;          ///< an entry of `streams:`
extern const Section kSqlModelSection;        ///< head of models/*/*.sql
extern const Section kGeneratedModelSection;  ///< models/*/*.yaml
extern const Section kCheckQuerySection;      ///< head of checks/*.sql
extern const Section kSeedSection;            ///< seeds/*.yaml

/// Whether a key is, or looks like a slip for, one that holds a secret: its value is never shown.
bool NamesSecret(std::string_view key);

}  // namespace leat::config
