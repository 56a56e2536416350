#include "http/gzip.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <zlib.h>

#include <new>
#include <stdexcept>

namespace maas::http {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib: 16 more asks for the gzip wrapper

void feed(z_stream& stream, std::string_view bytes) {
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib only reads it
  stream.avail_in = static_cast<uInt>(bytes.size());
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  bool any = false;
  for (const auto& [coding, parameters] : boost::beast::http::ext_list{accept_encoding}) {
    const bool named = boost::beast::iequals(coding, "gzip");
    if (!named && coding != "*") continue;
    bool allowed = true;
    for (const auto& [name, value] : parameters) {
      if (boost::beast::iequals(name, "q")) {
        allowed = value.find_first_not_of("0.") != boost::beast::string_view::npos;
      }
    }
    if (named) return allowed;
    any = allowed;
  }
  return any;
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  feed(stream, bytes);
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("zlib could not compress a reply");
  return out;
}

std::string gunzip(std::string_view bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) throw std::bad_alloc();
  feed(stream, bytes);
  std::string out;
  int result = Z_OK;
  while (result == Z_OK) {
    const std::size_t done = out.size();
    out.resize(done + 256 * 1024);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + done);
    stream.avail_out = static_cast<uInt>(out.size() - done);
    result = inflate(&stream, Z_NO_FLUSH);
  }
  out.resize(stream.total_out);
  inflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("not a whole gzip stream");
  return out;
}

}  // namespace maas::http
