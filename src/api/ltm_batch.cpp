#include "api/ltm_batch.hpp"

#include "api/errors.hpp"
#include "api/json_parts.hpp"
#include "api/memory_json.hpp"
#include "api/memory_spans.hpp"
#include "core/error.hpp"
#include "core/json_text.hpp"

namespace maas::api {
namespace {

namespace json = boost::json;
using http::Request;
using http::Response;
using ltm::LongTermMemory;

// The items of a batch: the valid ones as requests, in order; why another is none.
template <class T>
struct Items {
  std::vector<T> requests;
  std::vector<std::string> problems;  // of every item; empty: it is among the requests
};

// Calls `read(const json::value&, FieldErrors&)` for each item of the list `name`. Throws
// ValidationError when there is no such list, Error{bad_request} when it is too long.
template <class T, class Read>
Items<T> read_items(const json::value& body, std::string_view name, const LtmLimits& limits,
                    Read read) {
  FieldErrors errors;
  Fields fields(body, {"body"}, errors);
  const json::value* value = fields.require(name);
  if (value && !value->is_array()) {
    errors.add({"list_type", fields.at(name), "Input should be a valid list", *value});
  }
  errors.check();
  const json::array& list = value->get_array();
  if (list.size() > limits.batch_size) {
    throw Error(Errc::bad_request, "Batch size " + std::to_string(list.size()) +
                                       " exceeds maximum of " + std::to_string(limits.batch_size));
  }
  Items<T> items;
  for (const json::value& item : list) {
    FieldErrors problems;
    T request = read(item, problems);
    if (problems.all().empty()) items.requests.push_back(std::move(request));
    items.problems.push_back(in_words(problems));
  }
  return items;
}

// A reply to a batch, item by item.
class BatchReply {
 public:
  // The result is to be appended to out(); ended by end_result().
  void begin_result() {
    begin_item();
    out_ += R"(,"success":true,"result":)";
  }
  void end_result() {
    out_ += R"(,"error":null})";
    ++succeeded_;
  }
  void fail(std::string_view error) {
    begin_item();
    out_ += R"(,"success":false,"result":null,"error":)";
    append_json(out_, error);
    out_ += '}';
  }
  std::string& out() { return out_; }

  Response finish() {
    out_ += R"(],"total":)";
    append_integer(out_, total_);
    out_ += R"(,"succeeded":)";
    append_integer(out_, succeeded_);
    out_ += R"(,"failed":)";
    append_integer(out_, total_ - succeeded_);
    out_ += '}';
    return {.body = std::move(out_)};
  }

 private:
  void begin_item() {
    if (total_ > 0) out_ += ',';
    out_ += R"({"index":)";
    append_integer(out_, total_++);
  }

  std::string out_ = R"({"results":[)";
  std::int64_t total_ = 0;
  std::int64_t succeeded_ = 0;
};

// `append(out, result, n)` appends the result of the n-th valid item.
template <class T, class Append>
Response batch_reply(const std::vector<std::string>& problems,
                     const std::vector<Outcome<T>>& outcomes, const Request& request,
                     Append append) {
  BatchReply reply;
  std::size_t next = 0;
  for (const std::string& problem : problems) {
    if (!problem.empty()) {
      reply.fail(problem);
      continue;
    }
    const std::size_t n = next++;
    if (outcomes[n].error) {
      reply.fail(error_text(outcomes[n].error, request));
      continue;
    }
    reply.begin_result();
    append(reply.out(), *outcomes[n].value, n);
    reply.end_result();
  }
  return reply.finish();
}

// A span for each valid item of a batch, below that of the request.
class ItemSpans {
 public:
  // Lets what the items take have its spans below them.
  template <class T>
  ItemSpans(const Request& request, std::string_view operation, Items<T>& items) {
    if (!span_of(request)) return;
    for (std::size_t index = 0; index < items.problems.size(); ++index) {
      if (!items.problems[index].empty()) continue;
      T& item = items.requests[spans_.size()];
      spans_.push_back(begin_item_span(request, operation, index, item.scope));
      item.parent = spans_.back().parent();
    }
  }

  // Of the n-th valid item.
  trace::Span& operator[](std::size_t n) { return spans_.empty() ? none_ : spans_[n]; }

  // `tell(span, result, n)` tells what became of the n-th valid item.
  template <class T, class Tell>
  void end(const std::vector<Outcome<T>>& outcomes, Tell tell) {
    for (std::size_t n = 0; n < spans_.size(); ++n) {
      if (outcomes[n].error) {
        tell_failure(spans_[n], outcomes[n].error);
      } else {
        tell(spans_[n], *outcomes[n].value, n);
      }
    }
    spans_.clear();
  }

 private:
  std::vector<trace::Span> spans_;  // empty: nothing is traced
  trace::Span none_;
};

Items<ltm::AddRequest> read_adds(const Request& request, const LtmLimits& limits) {
  const json::value body = parse_body(request);
  auto items = read_items<ltm::AddRequest>(
      body, "items", limits,
      [&](const json::value& item, FieldErrors& errors) { return read_add(item, limits, errors); });
  FieldErrors errors;
  check_size(items.requests, limits, {"body", "items"}, nullptr, errors);
  errors.check();
  return items;
}

Items<ltm::SearchRequest> read_searches(const Request& request, const LtmLimits& limits) {
  const json::value body = parse_body(request);
  return read_items<ltm::SearchRequest>(body, "items", limits,
                                        [&](const json::value& item, FieldErrors& errors) {
                                          return read_search(item, limits, errors);
                                        });
}

Items<std::string> read_ids(const Request& request, const LtmLimits& limits) {
  const json::value body = parse_body(request);
  return read_items<std::string>(
      body, "memory_ids", limits, [](const json::value& item, FieldErrors& errors) {
        if (!item.is_string()) {
          errors.add({"string_type", {"body"}, "Input should be a valid string", item});
          return std::string();
        }
        check_id(item.get_string(), {"body"}, errors);
        return std::string(item.get_string());
      });
}

}  // namespace

Task<Response> add_batch(LongTermMemory& memory, const LtmLimits& limits, const Request& request) {
  auto items = read_adds(request, limits);
  std::vector<Category> categories;
  for (const ltm::AddRequest& add : items.requests) categories.push_back(add.category);
  ItemSpans spans(request, "upsert_memory", items);
  const auto outcomes = co_await memory.add_all(request.principal, std::move(items.requests));
  spans.end(outcomes,
            [&categories](trace::Span& span, const std::vector<ltm::Remembered>& remembered,
                          std::size_t n) { tell_added(span, categories[n], remembered); });
  co_return batch_reply(items.problems, outcomes, request,
                        [](std::string& out, const std::vector<ltm::Remembered>& remembered,
                           std::size_t) { append_remembered(out, remembered); });
}

Task<Response> search_batch(LongTermMemory& memory, const LtmLimits& limits,
                            const Request& request) {
  auto items = read_searches(request, limits);
  std::vector<bool> explain;
  for (const ltm::SearchRequest& search : items.requests) explain.push_back(search.query.explain);
  ItemSpans spans(request, "search_memory", items);
  for (std::size_t n = 0; n < items.requests.size(); ++n) {
    tell_query(spans[n], items.requests[n].query.text);
  }
  const auto outcomes = co_await memory.search_all(request.principal, std::move(items.requests));
  spans.end(outcomes, [](trace::Span& span, const ltm::Found& found, std::size_t) {
    tell_found(span, found);
  });
  co_return batch_reply(items.problems, outcomes, request,
                        [&explain](std::string& out, const ltm::Found& found, std::size_t n) {
                          append_found(out, found, explain[n]);
                        });
}

Task<Response> delete_batch(LongTermMemory& memory, const LtmLimits& limits,
                            const Request& request) {
  const auto items = read_ids(request, limits);
  const std::vector<std::string>& ids = items.requests;
  trace::Span span = begin_memory_span(request, "delete_memory");
  const std::vector<bool> deleted =
      co_await observed(span, memory.forget_all(caller_of(request, span), ids));
  tell_count(span, ids.size());
  std::vector<Outcome<bool>> outcomes(ids.size());
  for (std::size_t n = 0; n < ids.size(); ++n) {
    if (deleted[n]) {
      outcomes[n].value = true;
    } else {
      outcomes[n].error = std::make_exception_ptr(ltm::unknown_memory());
    }
  }
  co_return batch_reply(
      items.problems, outcomes, request,
      [&ids](std::string& out, bool, std::size_t n) { append_deleted(out, ids[n]); });
}

}  // namespace maas::api
