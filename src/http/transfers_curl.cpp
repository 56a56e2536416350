#include "core/error.hpp"
#include "core/timer.hpp"
#include "http/transfers.hpp"
#include "http/watched_sockets.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/system/system_error.hpp>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <curl/curl.h>
#include <mutex>
#include <optional>

namespace maas::http {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxHeadBytes = 256 * 1024;
constexpr long kReadBytes = 64 * 1024;

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, CurlDeleter>;
using HeaderList = std::unique_ptr<curl_slist, CurlDeleter>;

void initialize_curl() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
      throw Error(Errc::internal, "libcurl can't be initialized");
    }
  });
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  if (code != CURLE_OK) {
    throw Error(
        Errc::internal, "Internal Server Error",
        "libcurl refuses its option " + std::to_string(option) + ": " + curl_easy_strerror(code));
  }
}

void append(HeaderList& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (!longer) throw std::bad_alloc();
  static_cast<void>(list.release());
  list.reset(longer);
}

HeaderList header_list(const ClientRequest& request) {
  HeaderList list;
  for (const std::string& line : header_lines(request)) append(list, line);
  append(list, "Expect:");  // asking first whether a body is welcome costs a round trip
  return list;
}

}  // namespace

// libcurl's multi interface: it says which sockets and which time to wait for, Asio waits.
// Callbacks only note and arm; coroutines are resumed by the event loop, never from within libcurl.
class Transfers::State {
 public:
  // An exchange that is going on; lives in the frame of its coroutine.
  struct Exchange : boost::intrusive::list_base_hook<> {
    Exchange(State& owner, const Executor& executor, Clock::time_point deadline)
        : state(&owner), ended(executor, deadline) {}
    ~Exchange() {
      if (state) state->remove(*this);
    }
    Exchange(const Exchange&) = delete;

    State* state;  // null once that is destroyed
    Easy easy;
    HeaderList headers;
    Timer ended;  // expires at the deadline; cancelled when the exchange has ended
    bool done = false;
    CURLcode code = CURLE_OK;
    bool head_too_large = false;
    bool body_too_large = false;
    ClientReply reply;
    std::array<char, CURL_ERROR_SIZE> error_text{};
  };

  State(asio::io_context& loop, Options options)
      : loop_(loop),
        options_(std::move(options)),
        sockets_(loop.get_executor(),
                 [this](int socket, WatchedSockets::Event event) {
                   act(socket, event == WatchedSockets::Event::readable ? CURL_CSELECT_IN
                                                                        : CURL_CSELECT_OUT);
                 }),
        timer_(loop.get_executor()) {
    initialize_curl();
    multi_.reset(curl_multi_init());
    if (!multi_) throw std::bad_alloc();
    CURLM* multi = multi_.get();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &State::on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &State::on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.max_connections));
    idle_.push_back(make_easy());  // finds out at once if an option is not supported
  }

  ~State() {
    while (!exchanges_.empty()) {
      Exchange& exchange = exchanges_.front();
      curl_multi_remove_handle(multi_.get(), exchange.easy.get());
      exchange.easy.reset();
      exchange.state = nullptr;
      exchanges_.pop_front();
    }
    idle_.clear();
    multi_.reset();  // closes the connections that were kept
  }

  State(const State&) = delete;

  void start(Exchange& exchange, const ClientRequest& request) {
    exchange.headers = header_list(request);
    exchange.easy = take_easy();
    exchanges_.push_back(exchange);
    CURL* easy = exchange.easy.get();
    set(easy, CURLOPT_URL, request.url.c_str());
    set(easy, CURLOPT_HTTPHEADER, exchange.headers.get());
    if (request.method == Method::get) {
      set(easy, CURLOPT_HTTPGET, 1L);
    } else {
      set(easy, CURLOPT_POST, 1L);
      set(easy, CURLOPT_POSTFIELDS, request.body.data());
      set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    }
    set(easy, CURLOPT_PRIVATE, &exchange);
    set(easy, CURLOPT_HEADERDATA, &exchange);
    set(easy, CURLOPT_WRITEDATA, &exchange);
    set(easy, CURLOPT_ERRORBUFFER, exchange.error_text.data());
    curl_multi_add_handle(multi_.get(), easy);
    act(CURL_SOCKET_TIMEOUT, 0);
  }

  // Ends the exchange wherever it is.
  void remove(Exchange& exchange) {
    if (!exchange.easy) return;
    CURL* easy = exchange.easy.get();
    if (!exchange.done) curl_multi_remove_handle(multi_.get(), easy);
    exchanges_.erase(exchanges_.iterator_to(exchange));
    // Nothing may point into the exchange any more; the rest is the same for every exchange.
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, nullptr);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, nullptr);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
    idle_.push_back(std::move(exchange.easy));
    settle();
  }

  Transfer result(Exchange& exchange) const {
    Transfer transfer;
    if (exchange.body_too_large || exchange.head_too_large) {
      transfer.end = TransferEnd::too_large;
      transfer.detail = exchange.head_too_large ? "its headers are over the limit" : "";
      return transfer;
    }
    transfer.reply = std::move(exchange.reply);
    tell_end(transfer, exchange.easy.get(), exchange.code, exchange.error_text.data());
    return transfer;
  }

  Executor executor() const { return loop_.get_executor(); }

 private:
  struct MultiDeleter {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  Easy make_easy() {
    Easy made(curl_easy_init());
    if (!made) throw std::bad_alloc();
    CURL* easy = made.get();
    set(easy, CURLOPT_NOSIGNAL, 1L);
    // Without it a cancelled exchange would wait for a resolver that does not answer.
    set(easy, CURLOPT_QUICK_EXIT, 1L);
    set(easy, CURLOPT_TCP_NODELAY, 1L);
    set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
    set(easy, CURLOPT_ACCEPT_ENCODING, "");
    set(easy, CURLOPT_BUFFERSIZE, kReadBytes);
    set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_USERAGENT, "maas/" MAAS_VERSION);
    set(easy, CURLOPT_HEADERFUNCTION, &State::on_header);
    set(easy, CURLOPT_WRITEFUNCTION, &State::on_body);
    set(easy, CURLOPT_OPENSOCKETFUNCTION, &State::on_open);
    set(easy, CURLOPT_OPENSOCKETDATA, this);
    set(easy, CURLOPT_CLOSESOCKETFUNCTION, &State::on_close);
    set(easy, CURLOPT_CLOSESOCKETDATA, this);
    // libcurl would read the system's roots again for connections; ours have been read.
    set(easy, CURLOPT_CAINFO, nullptr);
    set(easy, CURLOPT_CAPATH, nullptr);
    set(easy, CURLOPT_SSL_CTX_FUNCTION, &State::on_tls);
    set(easy, CURLOPT_SSL_CTX_DATA, options_.roots.get());
    return made;
  }

  Easy take_easy() {
    if (idle_.empty()) return make_easy();
    Easy easy = std::move(idle_.back());
    idle_.pop_back();
    return easy;
  }

  // Lets libcurl go on; `events` happened to `socket`.
  void act(curl_socket_t socket, int events) {
    int running = 0;
    curl_multi_socket_action(multi_.get(), socket, events, &running);
    settle();
  }

  // To be called after libcurl did something: wakes those whose exchange has ended, sets the timer.
  void settle() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* easy = message->easy_handle;
      const CURLcode code = message->data.result;
      Exchange* exchange = nullptr;
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &exchange);
      curl_multi_remove_handle(multi_.get(), easy);  // ends the message's life
      exchange->code = code;
      exchange->done = true;
      exchange->ended.cancel();
    }
    // A timer that is set for an earlier time is left: it sets itself again when it expires.
    if (due_ && (!timer_set_for_ || *due_ < *timer_set_for_)) set_timer(*due_);
  }

  void set_timer(Clock::time_point time) {
    timer_set_for_ = time;
    timer_.expires_at(time);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      timer_set_for_.reset();
      if (!due_) return;
      if (*due_ > Clock::now()) return set_timer(*due_);
      due_.reset();
      act(CURL_SOCKET_TIMEOUT, 0);
    });
  }

  // Callbacks of libcurl. An exception can't pass through it; noexcept ends the process instead.

  static curl_socket_t on_open(void* self, curlsocktype, curl_sockaddr* address) noexcept {
    return static_cast<State*>(self)->sockets_.open(address->family, address->socktype,
                                                    address->protocol);
  }

  static int on_close(void* self, curl_socket_t socket) noexcept {
    return static_cast<State*>(self)->sockets_.close(socket);
  }

  static int on_socket(CURL*, curl_socket_t socket, int wanted, void* self, void*) noexcept {
    WatchedSockets& sockets = static_cast<State*>(self)->sockets_;
    if (wanted == CURL_POLL_REMOVE) {
      sockets.rest(socket);
      return 0;
    }
    const bool readable = wanted == CURL_POLL_IN || wanted == CURL_POLL_INOUT;
    const bool writable = wanted == CURL_POLL_OUT || wanted == CURL_POLL_INOUT;
    return sockets.want(socket, readable, writable) ? 0 : -1;
  }

  static int on_timer(CURLM*, long milliseconds, void* self) noexcept {
    auto* state = static_cast<State*>(self);
    if (milliseconds < 0) {
      state->due_.reset();
    } else {
      state->due_ = Clock::now() + std::chrono::milliseconds(milliseconds);
    }
    return 0;
  }

  static std::size_t on_header(char* bytes, std::size_t, std::size_t size, void* of) noexcept {
    auto& exchange = *static_cast<Exchange*>(of);
    const std::string_view line(bytes, size);
    // The first line of a reply; what was before belonged to an interim one, or to a proxy.
    if (line.starts_with("HTTP/")) {
      exchange.reply.head.clear();
      return size;
    }
    if (size > kMaxHeadBytes - exchange.reply.head.size()) {
      exchange.head_too_large = true;
      return 0;
    }
    exchange.reply.head += line;
    return size;
  }

  static std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* of) noexcept {
    auto& exchange = *static_cast<Exchange*>(of);
    std::string& body = exchange.reply.body;
    if (size > exchange.state->options_.max_reply_bytes - body.size()) {
      exchange.body_too_large = true;
      return 0;
    }
    body.append(bytes, size);
    return size;
  }

  static CURLcode on_tls(CURL*, void* context, void* roots) noexcept {
    SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(context), static_cast<X509_STORE*>(roots));
    return CURLE_OK;
  }

  asio::io_context& loop_;
  Options options_;
  WatchedSockets sockets_;
  std::unique_ptr<CURLM, MultiDeleter> multi_;  // closes its connections through sockets_
  std::vector<Easy> idle_;                      // with the options that all exchanges share
  boost::intrusive::list<Exchange, boost::intrusive::constant_time_size<false>> exchanges_;
  Timer timer_;
  std::optional<Clock::time_point> due_;            // when libcurl wants to be called
  std::optional<Clock::time_point> timer_set_for_;  // not after due_, if that is set
};

Transfers::Transfers(asio::io_context& loop, Options options)
    : state_(std::make_unique<State>(loop, std::move(options))) {}

Transfers::~Transfers() = default;

Task<Transfer> Transfers::run(const ClientRequest& request, Clock::time_point deadline) {
  State::Exchange exchange(*state_, state_->executor(), deadline);
  state_->start(exchange, request);
  if (!exchange.done) {
    const auto [error] = co_await exchange.ended.async_wait(asio::as_tuple(use_task));
    // Ended by nobody: by a cancellation of the coroutine.
    if (error && !exchange.done) throw boost::system::system_error(error);
  }
  if (!exchange.done) co_return Transfer{.end = TransferEnd::deadline};
  co_return state_->result(exchange);
}

}  // namespace maas::http
