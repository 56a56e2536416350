#pragma once

#include <string>
#include <string_view>

namespace maas::http {

// True if an Accept-Encoding value allows gzip (RFC 9110, 12.5.3).
bool accepts_gzip(std::string_view accept_encoding);

// `bytes`, less than 4 GiB, in gzip form, fastest level.
std::string gzip(std::string_view bytes);

// What a gzip stream unpacks to. Throws std::runtime_error if it is not whole; only for streams of
// our own, since nothing bounds the result.
std::string gunzip(std::string_view bytes);

}  // namespace maas::http
