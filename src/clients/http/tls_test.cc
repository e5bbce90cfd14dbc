#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "clients/http/client.h"
#include "core/error.h"

namespace leat::http {
namespace {

using namespace std::chrono_literals;
using testing::ContainsRegex;

/// `openssl s_server` with a certificate of its own authority; it sends the file `page` as it is.
class TlsTest : public testing::Test {
 protected:
  TlsTest() : folder_(testing::TempDir() + "leat_tls_" + std::to_string(getpid())) {
    std::filesystem::create_directories(folder_);
    for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"}) {
      const char* value = std::getenv(name);
      outside_[name] = value != nullptr ? value : "";
      unsetenv(name);
    }
    std::ofstream(folder_ + "/page") << "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    std::ofstream(folder_ + "/down") << "HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
  }
  ~TlsTest() override {
    if (server_ > 0) {
      kill(server_, SIGTERM);
      waitpid(server_, nullptr, 0);
    }
    for (const auto& [name, value] : outside_)
      value.empty() ? unsetenv(name.c_str()) : setenv(name.c_str(), value.c_str(), 1);
    std::filesystem::remove_all(folder_);
  }

  /// \param name     whom the certificate is for, as `IP:127.0.0.1`
  /// \param options  further ones of s_server
  void Serve(const std::string& name, const std::string& options = "") {
    const std::string make = "cd " + folder_ +
                             " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "
                             "key.pem -out cert.pem -days 1 -subj /CN=test -addext subjectAltName=" +
                             name + " 2>/dev/null";
    ASSERT_EQ(std::system(make.c_str()), 0) << "needs the command openssl";
    const std::string run = "cd " + folder_ + " && exec openssl s_server -HTTP -accept 127.0.0.1:0 -key key.pem " +
                            "-cert cert.pem " + options + " >log 2>&1 </dev/null";
    server_ = fork();
    if (server_ == 0) {
      execl("/bin/sh", "sh", "-c", run.c_str(), nullptr);
      _exit(127);
    }
    AwaitPort();
  }

  void TrustIt(const char* variable = "SSL_CERT_FILE") { setenv(variable, (folder_ + "/cert.pem").c_str(), 1); }

  /// The body of `path`, or the error.
  std::string Ask(const std::string& path) {
    try {
      const Url url = Url::Parse("https://127.0.0.1:" + port_ + path);
      return client_.Send({.url = url, .timeout = 20s, .allowed_hosts = {"127.0.0.1"}}).body;
    } catch (const Error& error) {
      return error.code() + " " + error.message();
    }
  }

 private:
  void AwaitPort() {
    std::smatch found;
    for (int i = 0; i < 1000 && port_.empty(); ++i) {
      usleep(5000);
      std::stringstream log;
      log << std::ifstream(folder_ + "/log").rdbuf();
      const std::string text = log.str();
      if (std::regex_search(text, found, std::regex("ACCEPT 127.0.0.1:([0-9]+)\n"))) port_ = found[1];
    }
    ASSERT_NE(port_, "") << "openssl s_server did not start";
  }

  std::string folder_;
  std::map<std::string, std::string> outside_;
  pid_t server_ = 0;
  std::string port_;
  Client client_;
};

TEST_F(TlsTest, AsksAServerThatItCanTrust) {
  Serve("IP:127.0.0.1");
  TrustIt();
  EXPECT_EQ(Ask("/page"), "ok");
  setenv("SSL_CERT_FILE", "/nowhere.pem", 1);
  TrustIt("CURL_CA_BUNDLE");
  EXPECT_EQ(Ask("/page"), "ok");
  EXPECT_THAT(Ask("/down"), ContainsRegex("LEAT0326 https://.*/down redirects from https to http://127.0.0.1:1/, "));
}

TEST_F(TlsTest, TellsNothingToAServerThatNobodyVouchesFor) {
  Serve("IP:127.0.0.1");
  EXPECT_THAT(Ask("/page"),
              ContainsRegex("LEAT0321 no trusted connection to https://127.0.0.1:[0-9]+/page: .*self.signed"));
}

TEST_F(TlsTest, TellsNothingToAServerWithTheCertificateOfAnother) {
  Serve("DNS:other.example");
  TrustIt();
  EXPECT_THAT(Ask("/page"), ContainsRegex("LEAT0321 .*subject name"));
}

TEST_F(TlsTest, SpeaksNoOldTls) {
  Serve("IP:127.0.0.1", "-tls1_1 -cipher ALL:@SECLEVEL=0");
  TrustIt();
  EXPECT_THAT(Ask("/page"), ContainsRegex("LEAT0321 .*protocol"));
}

}  // namespace
}  // namespace leat::http
