#pragma once

#include <memory>
#include <string>

struct x509_store_st;

namespace maas::http {

// The certificates that a TLS connection's chain may end in. Threads may share it.
using TrustedRoots = std::shared_ptr<x509_store_st>;

// The system's roots, and those in `ca_file` (PEM) if it is not empty. Throws
// Error{invalid_argument}, which names MAAS_CA_FILE, when that can't be read.
TrustedRoots load_trusted_roots(const std::string& ca_file);

}  // namespace maas::http
