#include "core/error.hpp"
#include "http/poster.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <curl/curl.h>
#include <mutex>

namespace maas::http {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxHeadBytes = 64 * 1024;
constexpr std::chrono::milliseconds kLongestPoll{1000};

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  if (code != CURLE_OK) {
    throw Error(
        Errc::internal, "Internal Server Error",
        "libcurl refuses its option " + std::to_string(option) + ": " + curl_easy_strerror(code));
  }
}

void set_file(CURL* easy, CURLoption option, const std::string& file) {
  if (!file.empty()) set(easy, option, file.c_str());
}

}  // namespace

// The multi interface, since waiting in it can be ended from another thread.
class Poster::State {
 public:
  explicit State(const Options& options) : max_reply_bytes_(options.max_reply_bytes) {
    static std::once_flag once;
    std::call_once(once, [] {
      if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        throw Error(Errc::internal, "libcurl can't be initialized");
      }
    });
    multi_.reset(curl_multi_init());
    easy_.reset(curl_easy_init());
    if (!multi_ || !easy_) throw std::bad_alloc();
    for (const std::string& line : header_lines({.headers = options.headers})) append(line);
    append("Expect:");  // asking first whether a body is welcome costs a round trip
    CURL* easy = easy_.get();
    set(easy, CURLOPT_URL, options.url.c_str());
    set(easy, CURLOPT_HTTPHEADER, headers_.get());
    set(easy, CURLOPT_POST, 1L);
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_QUICK_EXIT, 1L);  // does not wait for a resolver that does not answer
    set(easy, CURLOPT_TCP_NODELAY, 1L);
    set(easy, CURLOPT_ACCEPT_ENCODING, "");
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_USERAGENT, "maas/" MAAS_VERSION);
    set_file(easy, CURLOPT_CAINFO, options.ca_file);
    set_file(easy, CURLOPT_SSLKEY, options.client_key_file);
    set_file(easy, CURLOPT_SSLCERT, options.client_certificate_file);
    set(easy, CURLOPT_ERRORBUFFER, error_text_.data());
    set(easy, CURLOPT_HEADERFUNCTION, &State::on_header);
    set(easy, CURLOPT_HEADERDATA, this);
    set(easy, CURLOPT_WRITEFUNCTION, &State::on_body);
    set(easy, CURLOPT_WRITEDATA, this);
  }

  Transfer post(const std::string& body, Clock::time_point deadline) {
    reply_ = {};
    too_large_ = false;
    error_text_.fill('\0');
    CURL* easy = easy_.get();
    set(easy, CURLOPT_POSTFIELDS, body.data());
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_multi_add_handle(multi_.get(), easy);
    const bool ended = wait(deadline);
    curl_multi_remove_handle(multi_.get(), easy);
    Transfer transfer;
    if (!ended) {
      transfer.end = TransferEnd::deadline;
    } else if (too_large_) {
      transfer.end = TransferEnd::too_large;
    } else {
      transfer.reply = std::move(reply_);
      tell_end(transfer, easy, code_, error_text_.data());
    }
    return transfer;
  }

  void cancel_at(Clock::time_point time) {
    cancelled_at_ = time;
    curl_multi_wakeup(multi_.get());
  }

 private:
  // False: the time was over before.
  bool wait(Clock::time_point deadline) {
    while (true) {
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      int left = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        code_ = message->data.result;
        return true;
      }
      const auto end = std::min(deadline, cancelled_at_.load());
      const auto time = Clock::now();
      if (time >= end) return false;
      const auto rest = std::chrono::ceil<std::chrono::milliseconds>(
          std::min<Clock::duration>(end - time, kLongestPoll));
      curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(rest.count()), nullptr);
    }
  }

  void append(const std::string& line) {
    curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
    if (!longer) throw std::bad_alloc();
    static_cast<void>(headers_.release());
    headers_.reset(longer);
  }

  static std::size_t on_header(char* bytes, std::size_t, std::size_t size, void* self) noexcept {
    auto& state = *static_cast<State*>(self);
    const std::string_view line(bytes, size);
    if (line.starts_with("HTTP/")) {  // what was before belonged to an interim reply
      state.reply_.head.clear();
      return size;
    }
    return state.take(state.reply_.head, line, kMaxHeadBytes);
  }

  static std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* self) noexcept {
    auto& state = *static_cast<State*>(self);
    return state.take(state.reply_.body, {bytes, size}, state.max_reply_bytes_);
  }

  std::size_t take(std::string& into, std::string_view bytes, std::size_t most) {
    if (bytes.size() > most - into.size()) {
      too_large_ = true;
      return 0;
    }
    into += bytes;
    return bytes.size();
  }

  const std::size_t max_reply_bytes_;
  std::unique_ptr<CURLM, MultiDeleter> multi_;
  std::unique_ptr<curl_slist, CurlDeleter> headers_;
  std::unique_ptr<CURL, CurlDeleter> easy_;
  std::atomic<Clock::time_point> cancelled_at_ = Clock::time_point::max();
  CURLcode code_ = CURLE_OK;
  bool too_large_ = false;
  ClientReply reply_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
};

Poster::Poster(const Options& options) : state_(std::make_unique<State>(options)) {}
Poster::~Poster() = default;

Transfer Poster::post(const std::string& body, Clock::time_point deadline) {
  return state_->post(body, deadline);
}

void Poster::cancel_at(Clock::time_point time) { state_->cancel_at(time); }

}  // namespace maas::http
