#include "clients/http/message.h"

#include <strings.h>

namespace leat::http {

std::optional<std::string_view> FindHeader(const Headers& headers, std::string_view name) {
  for (const Header& header : headers)
    if (header.name.size() == name.size() && strncasecmp(header.name.data(), name.data(), name.size()) == 0)
      return header.value;
  return std::nullopt;
}

std::vector<Secret> Credentials::Values() const {
  std::vector<Secret> values;
  for (const SecretField& parameter : parameters) values.push_back(parameter.value);
  for (const SecretField& header : headers) {
    values.push_back(header.value);
    // `Bearer abc`: the token alone gives as much away.
    const std::string& text = header.value.Reveal();
    if (const size_t space = text.find(' '); space != std::string::npos) values.emplace_back(text.substr(space + 1));
  }
  return values;
}

}  // namespace leat::http
