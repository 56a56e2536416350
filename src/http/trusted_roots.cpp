#include "http/trusted_roots.hpp"

#include "core/error.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

namespace maas::http {
namespace {

// What OpenSSL says about its last failure; forgets it.
std::string reason_of_failure() {
  const char* reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  return reason ? reason : "unknown error";
}

}  // namespace

TrustedRoots load_trusted_roots(const std::string& ca_file) {
  TrustedRoots roots(X509_STORE_new(), X509_STORE_free);
  if (!roots || X509_STORE_set_default_paths(roots.get()) != 1) {
    throw Error(Errc::internal, "OpenSSL can't set up trusted certificates", reason_of_failure());
  }
  if (!ca_file.empty() && X509_STORE_load_file(roots.get(), ca_file.c_str()) != 1) {
    throw Error(
        Errc::invalid_argument,
        "MAAS_CA_FILE " + ca_file + " can't be read as PEM certificates: " + reason_of_failure());
  }
  ERR_clear_error();  // a system without roots of its own is none of our failures
  return roots;
}

}  // namespace maas::http
