#include "http/client.hpp"

#include "core/log.hpp"
#include "core/timer.hpp"
#include "http/retry.hpp"
#include "http/trusted_roots.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <random>

namespace maas::http {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
constexpr milliseconds kConnectTimeout{10'000};

double random_share() {
  static thread_local std::minstd_rand generator(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

std::optional<milliseconds> pause_after(const Transfer& transfer, unsigned attempt,
                                        unsigned max_retries, Clock::time_point deadline) {
  FailedAttempt failed{.attempt = attempt};
  switch (transfer.end) {
    case TransferEnd::reply:
      if (!may_pass(transfer.reply.status)) return std::nullopt;
      failed.status = transfer.reply.status;
      failed.retry_after = transfer.reply.header("Retry-After");
      failed.retry_after_ms = transfer.reply.header("Retry-After-Ms");
      break;
    case TransferEnd::proxy_refused:
      failed.status = transfer.reply.status;  // a login that is wrong stays so
      break;
    case TransferEnd::unreachable:
    case TransferEnd::cut:
      break;
    case TransferEnd::deadline:
    case TransferEnd::refused:
    case TransferEnd::unreadable:
    case TransferEnd::too_large:
      return std::nullopt;
  }
  const auto time_left = std::chrono::floor<milliseconds>(deadline - Clock::now());
  return pause_before_retry(failed, max_retries, time_left, std::chrono::system_clock::now(),
                            random_share());
}

}  // namespace

Client::Client(EventLoops& loops, ClientOptions options)
    : loops_(loops),
      options_(std::move(options)),
      places_(options_.max_concurrency, options_.max_waiting,
              "too many requests wait for " + options_.upstream + "; try again, or raise " +
                  options_.concurrency_setting) {
  const Transfers::Options each{.connect_timeout = std::min(kConnectTimeout, options_.timeout),
                                .max_reply_bytes = options_.max_reply_bytes,
                                .max_connections = options_.max_concurrency,
                                .roots = load_trusted_roots(options_.ca_file)};
  for (std::size_t i = 0; i < loops.size(); ++i) {
    transfers_.push_back(std::make_unique<Transfers>(loops[i], each));
  }
}

Client::~Client() = default;

Task<ClientReply> Client::send(const ClientRequest& request) {
  const Executor executor = co_await boost::asio::this_coro::executor;
  Transfers& transfers = *transfers_[loops_.index_of(executor)];
  const Clock::time_point deadline = Clock::now() + options_.timeout;
  for (unsigned attempt = 1;; ++attempt) {
    Transfer transfer;
    {
      const std::optional<Places::Place> place = co_await places_.acquire(deadline);
      if (!place) throw timed_out();
      transfer = co_await transfers.run(request, deadline);
    }  // others may have the place during a pause
    const auto time = pause_after(transfer, attempt, options_.max_retries, deadline);
    if (!time) {
      if (transfer.end != TransferEnd::reply) throw failure(transfer);
      transfer.reply.attempts = attempt;
      co_return std::move(transfer.reply);
    }
    ++retries_;
    log::info("an upstream is asked again", {{"upstream", options_.upstream},
                                             {"attempt", attempt},
                                             {"status", transfer.reply.status},
                                             {"cause", transfer.detail},
                                             {"pause_ms", time->count()}});
    co_await pause(*time);
  }
}

Error Client::timed_out() const {
  return {Errc::deadline_exceeded, options_.upstream + " did not answer within " +
                                       std::to_string(options_.timeout.count()) + " ms (" +
                                       options_.timeout_setting + ")"};
}

Error Client::failure(const Transfer& transfer) const {
  const std::string& name = options_.upstream;
  switch (transfer.end) {
    case TransferEnd::deadline:
      return timed_out();
    case TransferEnd::cut:
      return {Errc::upstream_failed, name + " cut the connection before its reply was whole",
              transfer.detail};
    case TransferEnd::unreadable:
      return {Errc::upstream_failed, name + " sent a reply that is no valid HTTP", transfer.detail};
    case TransferEnd::too_large:
      return {Errc::upstream_failed,
              name + " sent a reply over " + std::to_string(options_.max_reply_bytes) + " bytes",
              transfer.detail};
    case TransferEnd::refused:
      return {Errc::unavailable,
              name +
                  " can't be reached: its address or its certificate is not valid (MAAS_CA_FILE "
                  "names further certificates to trust)",
              transfer.detail};
    case TransferEnd::proxy_refused:
      return {Errc::unavailable,
              name + " can't be reached: the proxy that HTTPS_PROXY names refuses to connect",
              transfer.detail};
    case TransferEnd::unreachable:
    case TransferEnd::reply:
      break;
  }
  return {Errc::unavailable, name + " can't be reached; try again", transfer.detail};
}

}  // namespace maas::http
