#include "ltm/mongo_queries.hpp"

#include "ltm/memory_bson.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace maas::ltm {
namespace {

using Kind = Filter::Kind;
using Operator = Filter::Operator;
using Field = Filter::Field;

std::int64_t micros(Timestamp time) { return time.time_since_epoch().count(); }

template <class T>
Document with(std::string_view key, const T& value) {
  Document document;
  document.set(key, value);
  return document;
}

// The operator's name, if it means in MongoDB what it means in matches() for a field that is always
// there and always of one type.
std::string_view name_of(Operator op) {
  switch (op) {
    case Operator::eq:
      return "$eq";
    case Operator::ne:
      return "$ne";
    case Operator::gt:
      return "$gt";
    case Operator::gte:
      return "$gte";
    case Operator::lt:
      return "$lt";
    case Operator::lte:
      return "$lte";
    default:
      return {};
  }
}

bool is_ordered(Operator op) { return op != Operator::eq && op != Operator::ne; }

Document comparison(const Filter& filter) {
  const std::string_view op = name_of(filter.op);
  if (op.empty()) return {};
  if (filter.field == Field::category && filter.operand.is_string() && !is_ordered(filter.op)) {
    return with("category", with(op, std::string_view(filter.operand.get_string())));
  }
  const bool is_time = filter.field == Field::created_at || filter.field == Field::updated_at;
  if (is_time && filter.operand.is_int64()) {
    return with(filter.field == Field::created_at ? "created_at" : "updated_at",
                with(op, filter.operand.get_int64()));
  }
  return {};
}

Document in(std::string_view key, std::span<const std::string> values) {
  return with(key, with("$in", values));
}

}  // namespace

std::vector<std::pair<std::string_view, std::string_view>> equal_to(std::string_view tenant,
                                                                    const Scope& scope) {
  std::vector<std::pair<std::string_view, std::string_view>> fields{{"tenant", tenant}};
  if (!scope.user_id.empty()) fields.emplace_back("user_id", scope.user_id);
  if (!scope.agent_id.empty()) fields.emplace_back("agent_id", scope.agent_id);
  if (!scope.session_id.empty()) fields.emplace_back("session_id", scope.session_id);
  return fields;
}

Document scope_filter(std::string_view tenant, const Scope& scope) {
  Document filter;
  for (const auto& [path, value] : equal_to(tenant, scope)) filter.set(path, value);
  return filter;
}

Document updated_since(Document filter, Timestamp time) {
  filter.set("updated_at", with("$gte", micros(time)));
  return filter;
}

Document visible(Document filter, Timestamp now) {
  filter.set("expires_at", with("$gt", micros(now)));
  return filter;
}

Document expired_filter(std::string_view tenant, Timestamp now) {
  Document filter, past;
  if (!tenant.empty()) filter.set("tenant", tenant);
  filter.set("expires_at", past.set("$lte", now.time_since_epoch().count()));
  return filter;
}

Document ids_filter(std::string_view tenant, std::span<const std::string> ids) {
  std::vector<std::string> documents;
  for (const std::string& id : ids) documents.push_back(document_id(tenant, id));
  return in("_id", documents);
}

Document list_filter(std::string_view tenant, const Scope& scope, const ListQuery& query,
                     Timestamp now) {
  Document filter = visible(scope_filter(tenant, scope), now);
  if (query.category) filter.set("category", to_string(*query.category));
  std::vector<Document> all;
  if (query.after) {
    const std::int64_t time = micros(query.after->created_at);
    // The index goes to that time at once, the rest is said of what it finds there.
    all.push_back(with("created_at", with("$lte", time)));
    Document same_time = with("created_at", time);
    same_time.set("sequence", with("$lt", query.after->sequence));
    const Document either[] = {with("created_at", with("$lt", time)), std::move(same_time)};
    all.push_back(with("$or", std::span<const Document>(either)));
  }
  if (query.filter) {
    Document told = filter_of(*query.filter);
    if (!told.empty()) all.push_back(std::move(told));
  }
  if (!all.empty()) filter.set("$and", std::span<const Document>(all));
  return filter;
}

Document filter_of(const Filter& filter) {
  if (filter.kind == Kind::compare) return comparison(filter);
  // What isn't told of a part lets more through: right inside an AND, nowhere else.
  std::vector<Document> parts;
  for (const Filter& part : filter.parts) {
    Document told = filter_of(part);
    const bool is_whole = part.kind == Kind::compare;
    if (told.empty() && filter.kind != Kind::all_of) return {};
    if (filter.kind == Kind::none_of && !is_whole) return {};
    if (!told.empty()) parts.push_back(std::move(told));
  }
  if (parts.empty()) return {};
  switch (filter.kind) {
    case Kind::all_of:
      return with("$and", std::span<const Document>(parts));
    case Kind::any_of:
      return with("$or", std::span<const Document>(parts));
    case Kind::none_of:
      return with("$nor", std::span<const Document>(parts));
    case Kind::compare:
      break;
  }
  return {};
}

Document same_text_filter(std::string_view tenant, std::span<const std::string> digests) {
  std::vector<std::string> digits;
  for (const std::string& digest : digests) digits.push_back(hexadecimal(digest));
  Document filter = with("tenant", tenant);
  filter.set("digest", with("$in", std::span<const std::string>(digits)));
  return filter;
}

Document changes_filter(std::span<const OwnerChange> known) {
  std::vector<Document> owners;
  for (const OwnerChange& each : known) {
    Document owner = with("owner", each.owner);
    owner.set("change", with("$gt", each.change));
    owners.push_back(std::move(owner));
  }
  if (owners.size() == 1) return std::move(owners.front());
  return with("$or", std::span<const Document>(owners));
}

Document removals_filter(std::span<const OwnerChange> known) {
  Document filter = changes_filter(known);
  filter.set("event", to_string(Event::remove));
  return filter;
}

Document waiting_filter(Waiting what, const std::string& model, std::int64_t after, Timestamp now) {
  Document filter = with("sequence", with("$gt", after));
  if (what == Waiting::vector) {
    filter.set("model", with("$ne", model));
  } else {
    filter.set("unprocessed", true);
  }
  return visible(std::move(filter), now);
}

Document arrived_after(std::int64_t sequence) { return with("sequence", with("$gt", sequence)); }

Document removed_after(std::string_view tenant, std::string_view id) {
  Document of_tenant = with("tenant", tenant);
  of_tenant.set("memory_id", with("$gt", id));
  const Document either[] = {with("tenant", with("$gt", tenant)), std::move(of_tenant)};
  Document filter = with("$or", std::span<const Document>(either));
  filter.set("event", to_string(Event::remove));
  return filter;
}

Document history_filter(std::string_view tenant, std::span<const std::string> memory_ids) {
  Document filter = with("tenant", tenant);
  filter.set("memory_id", with("$in", memory_ids));
  return filter;
}

Document without_vectors() { return with("projection", with("embedding", 0)); }

namespace {

Document sorted(const Document& order, std::size_t limit, Document options = without_vectors()) {
  options.set("sort", order);
  if (limit > 0) options.set("limit", static_cast<std::int64_t>(limit));
  return options;
}

}  // namespace

Document newest_first(std::size_t limit) {
  Document order = with("created_at", -1);
  order.set("sequence", -1);
  return sorted(order, limit);
}

namespace {

Document last_updated(const Document& fields, std::size_t limit) {
  Document options = with("projection", fields);
  options.set("sort", with("updated_at", -1));
  options.set("limit", static_cast<std::int64_t>(limit));
  return options;
}

}  // namespace

Document ids_alone(std::size_t limit) {
  Document fields;
  return last_updated(fields.set("_id", 0).set("id", 1), limit);
}

Document ids_and_vectors(std::size_t limit) {
  Document fields;
  return last_updated(fields.set("_id", 0).set("id", 1).set("embedding", 1), limit);
}

Document in_order_of_arrival(std::size_t limit) { return sorted(with("sequence", 1), limit); }

Document whole_in_order_of_arrival(std::size_t limit) {
  return sorted(with("sequence", 1), limit, {});
}

Document by_memory(std::size_t limit) {
  Document order = with("tenant", 1);
  order.set("memory_id", 1).set("version", 1);
  return sorted(order, limit, {});
}

}  // namespace maas::ltm
