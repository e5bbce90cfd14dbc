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
  kBoolean,     ///< true or false
  kSize,        ///< bytes: 64MB, 64MiB
  kDuration,    ///< 500ms, 30s, 5m, 2h, 7d, or one of `choices`
  kDate,        ///< yyyy-mm-dd
  kPath,        ///< of a file or folder; relative ones start at the project
  kSqlType,     ///< numeric(10,2)
  kSecret,      ///< ${NAME} or ${file:/path}, never the secret itself
  kTemplate,    ///< any single value, as text that may hold `{name}`
  kCredential,  ///< ${NAME}, ${file:/path}, or a name in braces that stands for one
  kJsonPath,    ///< $.list[*].subscription
  kChoice,      ///< one of `choices`
  kAny,         ///< any value, checked by who reads it
  kSection      ///< a map with the fields of `section`
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
  bool distinct = false;          ///< a list that names nothing twice
  bool nullable = false;          ///< null is a value of its own: it removes what was inherited
  bool nullable_values = false;   ///< the same of each value of a map
  bool or_false = false;          ///< `false` stands for none
  bool key_alone = false;         ///< of sections: the name of a key stands for a map of it with no value
  std::string_view list_of = {};  ///< of sections: a list stands for a map of it under this name
  std::string_view of_type =
      {};  ///< the only value of `type`, beside it or above, that this field belongs to; empty: all
};

/// The keys that may stand in one map of a project file.
struct Section {
  std::span<const Field> fields;
  const Section* also = nullptr;  ///< the fields of another section may stand here too; own ones of the same name win
  bool overlay = false;           ///< laid over other values: what is required may be absent, no defaults, null removes
  bool open = false;              ///< keys of the author's own may stand here; nobody looks at them

  const Field* Find(std::string_view name) const;
  /// All fields, own ones first.
  std::vector<const Field*> AllFields() const;
};

extern const Section kProjectSection;         ///< leat.yaml
extern const Section kTargetSection;          ///< an entry of `targets:`: what it may set of leat.yaml
extern const Section kSourceSection;          ///< sources/*.yaml
extern const Section kStreamSection;          ///< an entry of `streams:`
extern const Section kSqlModelSection;        ///< head of models/*/*.sql
extern const Section kGeneratedModelSection;  ///< models/*/*.yaml
extern const Section kCheckQuerySection;      ///< head of checks/*.sql
extern const Section kSeedSection;            ///< seeds/*.yaml
extern const Section kSchemaYmlSection;       ///< schema.yml below models/
extern const Section kDbtTestSection;         ///< an entry of `tests:` in it

/// A kind of file whose keys are declared here.
struct FileKind {
  std::string_view name;   ///< of its page and its JSON Schema: `project`
  std::string_view files;  ///< `sources/*.yaml`
  std::string_view text;   ///< one sentence for the reference
  const Section* section = nullptr;
};

/// Every kind of file, leat.yaml first.
std::span<const FileKind> FileKinds();

/// Whether a key is, or looks like a slip for, one that holds a secret: its value is never shown.
bool NamesSecret(std::string_view key);
/// Whether a header or parameter of that name carries a secret by custom: `Authorization`, `X-Api-Key`.
bool SendsSecret(std::string_view name);

}  // namespace leat::config
