#include "http/probe.hpp"

#include "core/error.hpp"
#include "core/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace maas::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Stream = beast::basic_stream<asio::ip::tcp, Executor>;

Task<int> ask(asio::ip::tcp::endpoint endpoint, std::string host, std::string path,
              std::chrono::seconds timeout) {
  Stream stream(co_await asio::this_coro::executor);
  stream.expires_after(timeout);
  co_await stream.async_connect(endpoint, use_task);
  beast::http::request<beast::http::empty_body> request(beast::http::verb::get, path, 11);
  request.set(beast::http::field::host, host);
  co_await beast::http::async_write(stream, request, use_task);
  beast::flat_buffer buffer;
  beast::http::response<beast::http::string_body> response;
  co_await beast::http::async_read(stream, buffer, response, use_task);
  co_return static_cast<int>(response.result_int());
}

}  // namespace

int probe(const std::string& host, std::uint16_t port, const std::string& path,
          std::chrono::seconds timeout) {
  asio::io_context loop(1);
  try {
    const auto found = asio::ip::tcp::resolver(loop).resolve(host, std::to_string(port));
    auto answer =
        asio::co_spawn(loop, ask(found.begin()->endpoint(), host, path, timeout), asio::use_future);
    loop.run();
    return answer.get();
  } catch (const boost::system::system_error& error) {
    throw Error(Errc::unavailable, "no answer from " + host + " port " + std::to_string(port) +
                                       ": " + error.code().message());
  }
}

}  // namespace maas::http
