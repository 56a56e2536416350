#include "core/error.hpp"
#include "http/client.hpp"
#include "http/gzip.hpp"
#include "support/running_client.hpp"
#include "support/temporary_directory.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <future>
#include <vector>

namespace maas::http {
namespace {

using namespace std::chrono_literals;
using namespace test;

// A certificate for 127.0.0.1 that nobody has signed but itself.
class ClientTls : public testing::Test {
 protected:
  void SetUp() override {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        " -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout " +
        identity_.key_file + " -out " + identity_.certificate_file + " 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << "openssl can't make a certificate";
    server_.emplace(always(http_answer("200 OK", "safe")), identity_);
  }

  test::TemporaryDirectory directory_;
  ScriptedServer::Identity identity_{directory_.path() / "certificate.pem",
                                     directory_.path() / "key.pem"};
  std::optional<ScriptedServer> server_;
};

TEST_F(ClientTls, RefusesACertificateThatItDoesNotTrust) {
  RunningClient client({.upstream = "openai"});
  const Error error = client.error_of(post(*server_));
  EXPECT_EQ(error.code(), Errc::unavailable);
  EXPECT_NE(std::string(error.what()).find("MAAS_CA_FILE"), std::string::npos);
  EXPECT_EQ(server_->requests(), 0U);
  EXPECT_EQ(server_->connections(), 1U);
}

TEST_F(ClientTls, TrustsTheCertificatesOfAFile) {
  RunningClient client({.ca_file = identity_.certificate_file});
  EXPECT_EQ(client.send(post(*server_)).body, "safe");
  EXPECT_EQ(client.send(post(*server_)).body, "safe");
  EXPECT_EQ(server_->connections(), 1U);
}

TEST_F(ClientTls, RefusesATrustedCertificateOfAnotherHost) {
  RunningClient client({.ca_file = identity_.certificate_file});
  ClientRequest request = post(*server_);
  request.url = "https://localhost:" + std::to_string(server_->port()) + "/";
  EXPECT_EQ(client.error_of(request).code(), Errc::unavailable);
}

TEST_F(ClientTls, NamesTheSettingOfAFileThatCantBeRead) {
  EventLoops loops(1);
  for (const std::string& file : {identity_.key_file, std::string("/nowhere/ca.pem")}) {
    try {
      const Client client(loops, {.ca_file = file});
      FAIL() << file << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::invalid_argument);
      EXPECT_TRUE(std::string(error.what()).starts_with("MAAS_CA_FILE " + file)) << error.what();
    }
  }
}

}  // namespace
}  // namespace maas::http
