#include "trace/otlp_sender.hpp"

#include "http/gzip.hpp"
#include "http/retry.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <protozero/pbf_reader.hpp>
#include <random>

namespace maas::trace {
namespace {

using Clock = std::chrono::steady_clock;
using http::TransferEnd;
using std::chrono::milliseconds;

constexpr std::size_t kMaxReplyBytes = 4 * 1024 * 1024;  // as OTLP recommends

// The content's headers come last; what is set for the collector does not replace them.
http::Poster::Options complete(OtlpSender::Options& options) {
  http::Poster::Options to = options.to;
  to.headers.emplace_back("Content-Type",
                          options.is_json ? "application/json" : "application/x-protobuf");
  if (options.gzip) to.headers.emplace_back("Content-Encoding", "gzip");
  to.max_reply_bytes = kMaxReplyBytes;
  return to;
}

// nullopt: not to be tried again.
std::optional<milliseconds> pause_after(const http::Transfer& transfer, unsigned attempt,
                                        Clock::time_point deadline) {
  constexpr std::array<unsigned, 4> kPassing{429, 502, 503, 504};
  http::FailedAttempt failed{.attempt = attempt};
  if (transfer.end == TransferEnd::reply) {
    failed.status = transfer.reply.status;
    if (std::ranges::find(kPassing, failed.status) == kPassing.end()) return std::nullopt;
    failed.retry_after = transfer.reply.header("Retry-After");
  } else if (transfer.end != TransferEnd::unreachable && transfer.end != TransferEnd::cut &&
             transfer.end != TransferEnd::deadline) {
    return std::nullopt;
  }
  static thread_local std::minstd_rand generator(std::random_device{}());
  return http::pause_before_retry(failed, std::numeric_limits<unsigned>::max(),
                                  std::chrono::floor<milliseconds>(deadline - Clock::now()),
                                  std::chrono::system_clock::now(),
                                  std::uniform_real_distribution<double>(0, 1)(generator));
}

std::string problem_of(const http::Transfer& transfer) {
  switch (transfer.end) {
    case TransferEnd::reply:
      return "status " + std::to_string(transfer.reply.status);
    case TransferEnd::deadline:
      return "no answer in time";
    case TransferEnd::too_large:
      return "its reply is too large";
    case TransferEnd::unreachable:
    case TransferEnd::refused:
    case TransferEnd::proxy_refused:
    case TransferEnd::cut:
    case TransferEnd::unreadable:
      break;
  }
  return transfer.detail;
}

PartialSuccess read_json(std::string_view body) {
  PartialSuccess read;
  const boost::json::value reply = boost::json::parse(body);
  const auto* partial = reply.as_object().if_contains("partialSuccess");
  if (!partial) return read;
  for (const auto& [name, value] : partial->as_object()) {
    if (name == "errorMessage") {
      read.message = value.as_string();
    } else if (name.starts_with("rejected") && value.is_string()) {
      const std::string_view digits = value.get_string();
      std::from_chars(digits.data(), digits.data() + digits.size(), read.rejected);
    } else if (name.starts_with("rejected")) {
      read.rejected = value.to_number<std::uint64_t>();
    }
  }
  return read;
}

PartialSuccess read_protobuf(std::string_view body) {
  PartialSuccess read;
  protozero::pbf_reader reply(body.data(), body.size());
  while (reply.next(1)) {
    protozero::pbf_reader partial = reply.get_message();
    while (partial.next()) {
      if (partial.tag_and_type() == protozero::tag_and_type(1, protozero::pbf_wire_type::varint)) {
        const std::int64_t rejected = partial.get_int64();
        read.rejected = rejected > 0 ? static_cast<std::uint64_t>(rejected) : 0;
      } else if (partial.tag_and_type() ==
                 protozero::tag_and_type(2, protozero::pbf_wire_type::length_delimited)) {
        read.message = partial.get_string();
      } else {
        partial.skip();
      }
    }
  }
  return read;
}

}  // namespace

std::optional<PartialSuccess> read_partial_success(std::string_view body, bool is_json) {
  try {
    if (body.empty()) return PartialSuccess{};
    return is_json ? read_json(body) : read_protobuf(body);
  } catch (const std::exception&) {  // of either library: these are no such reply
    return std::nullopt;
  }
}

OtlpSender::OtlpSender(Options options)
    : options_(std::move(options)), poster_(complete(options_)) {}

OtlpSender::Sent OtlpSender::send(const std::string& body) {
  const Clock::time_point deadline = Clock::now() + options_.batch_timeout;
  const std::string packed = options_.gzip ? http::gzip(body) : std::string();
  const std::string& bytes = options_.gzip ? packed : body;
  for (unsigned attempt = 1;; ++attempt) {
    const http::Transfer transfer =
        poster_.post(bytes, std::min(deadline, Clock::now() + options_.timeout));
    const auto time = pause_after(transfer, attempt, deadline);
    if (!time || !pause(*time)) return result_of(transfer);
  }
}

OtlpSender::Sent OtlpSender::result_of(const http::Transfer& transfer) const {
  if (transfer.end != TransferEnd::reply || transfer.reply.status / 100 != 2) {
    return {.problem = problem_of(transfer)};
  }
  Sent sent{.taken = true};
  const auto partial = read_partial_success(transfer.reply.body, options_.is_json);
  if (!partial) {
    sent.problem = "its reply can't be read";
  } else {
    sent.rejected = partial->rejected;
    sent.problem = partial->message;
  }
  return sent;
}

bool OtlpSender::pause(milliseconds time) {
  std::unique_lock lock(mutex_);
  return !stopped_.wait_for(lock, time, [this] { return stopping_; });
}

void OtlpSender::stop_at(Clock::time_point time) {
  poster_.cancel_at(time);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
}

OtlpSender::Options sender_options(const OtlpOptions& options, milliseconds batch_timeout) {
  return {.to = {.url = options.url,
                 .headers = options.headers,
                 .ca_file = options.ca_file,
                 .client_key_file = options.client_key_file,
                 .client_certificate_file = options.client_certificate_file},
          .is_json = options.protocol == Protocol::json,
          .gzip = options.gzip,
          .timeout = options.timeout,
          .batch_timeout = batch_timeout};
}

}  // namespace maas::trace
