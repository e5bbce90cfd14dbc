#include "config/secret_reference.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>

#include "core/file_system.h"

namespace leat::config {
namespace {

constexpr int64_t kSecretBytesMax = 65536;
constexpr std::string_view kFilePrefix = "file:";

/// `NAME` of `${NAME}`, `file:/path` of `${file:/path}`.
std::string_view Inside(std::string_view reference) { return reference.substr(2, reference.size() - 3); }

bool IsVariableName(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
}

Error Unreadable(const Place& place, const std::string& message, const std::string& help) {
  return Error(kConfig, "LEAT0109", place, message).Hint(help);
}

/// Like libpq with keys: the group may read what root owns, strangers nothing.
void RefuseReadableByOthers(const std::string& path, const Place& place) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return;
  const mode_t group = info.st_uid == 0 ? 0 : S_IRWXG;
  if ((info.st_mode & (S_IRWXO | group)) == 0) return;
  throw Error(kConfig, "LEAT0113", place,
              fmt::format("others can read the secret file {} (mode {:04o}); expected mode 0600", path,
                          static_cast<unsigned>(info.st_mode & 07777)))
      .Hint(fmt::format("chmod 600 {}", path));
}

/// The content of a file without the line end that editors add.
Secret ReadSecretFile(const std::string& path, const Place& place) {
  if (!PathExists(path)) {
    throw Unreadable(place, fmt::format("the secret file {} does not exist", path),
                     "make it, readable by its owner only (mode 0600)");
  }
  if (IsDirectory(path))
    throw Unreadable(place, fmt::format("{} is a folder; expected a secret file", path), "name the file in it");
  if (FileSize(path) > kSecretBytesMax)
    throw Unreadable(place, fmt::format("the secret file {} has more than {} bytes", path, kSecretBytesMax),
                     "check the path");
  std::string content;
  try {
    content = ReadFile(path);
  } catch (const Error& error) {
    throw Unreadable(place, error.message(), "check who owns the file and its mode");
  }
  while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) content.pop_back();
  if (content.empty())
    throw Unreadable(place, fmt::format("the secret file {} is empty", path), "write the secret into it");
  return Secret(std::move(content));
}

}  // namespace

SecretReference::SecretReference(std::string connection, std::string written, Place place, Environment environment)
    : connection_(std::move(connection)),
      user_(fmt::format("connection '{}'", connection_)),
      written_(std::move(written)),
      place_(std::move(place)),
      environment_(std::move(environment)) {}

SecretReference SecretReference::OfSource(std::string user, std::string written, Place place, Environment environment) {
  SecretReference reference("", std::move(written), std::move(place), std::move(environment));
  reference.user_ = std::move(user);
  return reference;
}

bool SecretReference::IsReference(std::string_view text) {
  if (text.size() < 4 || !text.starts_with("${") || !text.ends_with("}")) return false;
  const std::string_view inside = Inside(text);
  if (inside.find('\0') != std::string_view::npos) return false;
  return inside.starts_with(kFilePrefix) ? inside.substr(kFilePrefix.size()).starts_with("/") : IsVariableName(inside);
}

std::string SecretReference::Variable() const {
  return connection_.empty() ? "" : VariableName(fmt::format("connections.{}.password", connection_));
}

std::string SecretReference::CredentialPath() const {
  const auto folder = environment_("CREDENTIALS_DIRECTORY");
  return folder ? JoinPath(*folder, connection_ + ".password") : "";
}

Secret SecretReference::Resolve() const {
  if (!environment_) return Secret();
  if (!connection_.empty())
    if (auto value = environment_(Variable())) return Secret(std::move(*value));
  if (written_.empty()) {
    const std::string credential = CredentialPath();
    return credential.empty() || !PathExists(credential) ? Secret() : ReadSecretFile(credential, place_);
  }
  const std::string inside(Inside(written_));
  if (inside.starts_with(kFilePrefix)) {
    const std::string path = inside.substr(kFilePrefix.size());
    RefuseReadableByOthers(path, place_);
    return ReadSecretFile(path, place_);
  }
  if (auto value = environment_(inside)) return Secret(std::move(*value));
  throw Unreadable(place_,
                   fmt::format("the environment variable {} is not set; {} takes {} from it", inside, user_,
                               connection_.empty() ? "a secret" : "its password"),
                   fmt::format("set {} before leat is started", inside));
}

std::string SecretReference::Origin() const {
  if (!environment_) return "";
  if (!connection_.empty() && environment_(Variable())) return "variable " + Variable();
  if (written_.empty()) {
    const std::string credential = CredentialPath();
    return !credential.empty() && PathExists(credential) ? credential : "";
  }
  const std::string inside(Inside(written_));
  if (!inside.starts_with(kFilePrefix)) return environment_(inside) ? "variable " + inside : "";
  const std::string path = inside.substr(kFilePrefix.size());
  return PathExists(path) ? path : "";
}

std::vector<std::string> SecretReference::LookedIn() const {
  if (!environment_) return {};
  const auto state = [&](const std::string& variable) { return environment_(variable) ? "set" : "not set"; };
  std::vector<std::string> places;
  if (!connection_.empty()) places.push_back(fmt::format("{} ({})", Variable(), state(Variable())));
  if (!written_.empty()) {
    const std::string inside(Inside(written_));
    const bool file = inside.starts_with(kFilePrefix);
    const std::string name = file ? inside.substr(kFilePrefix.size()) : inside;
    places.push_back(fmt::format("{} ({})", name, file ? (PathExists(name) ? "present" : "absent") : state(name)));
    return places;
  }
  const std::string credential = CredentialPath();
  const bool present = !credential.empty() && PathExists(credential);
  places.push_back(fmt::format("$CREDENTIALS_DIRECTORY/{}.password ({})", connection_, present ? "present" : "absent"));
  return places;
}

}  // namespace leat::config
