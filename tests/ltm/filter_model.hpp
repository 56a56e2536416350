#pragma once

#include "text/folding.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/multiprecision/cpp_int.hpp>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// What the JSON expression of a filter means, written down a second time: slow, and with no thought
// of ltm::Filter. Times are integers of microseconds.
namespace maas::ltm::model {

namespace json = boost::json;

inline bool is_group(std::string_view key) { return key == "AND" || key == "OR" || key == "NOT"; }

inline json::array as_list(const json::value& value) {
  return value.is_array() ? value.get_array() : json::array{value};
}

inline json::object as_operators(const json::value& value) {
  return value.is_object() ? value.get_object() : json::object{{"eq", value}};
}

using Exact = boost::multiprecision::cpp_rational;

inline Exact exact(const json::value& value) {
  if (value.is_int64()) return Exact(value.get_int64());
  if (value.is_uint64()) return Exact(value.get_uint64());
  return Exact(value.get_double());
}

inline std::string_view kind(const json::value& value) {
  if (value.is_number()) return "number";
  return json::to_string(value.kind());
}

inline bool equal(const json::value& a, const json::value& b) {
  if (kind(a) != kind(b)) return false;
  if (a.is_number()) return exact(a) == exact(b);
  if (a.is_array()) {
    if (a.as_array().size() != b.as_array().size()) return false;
    for (std::size_t i = 0; i < a.as_array().size(); ++i) {
      if (!equal(a.as_array()[i], b.as_array()[i])) return false;
    }
    return true;
  }
  if (a.is_object()) {
    if (a.as_object().size() != b.as_object().size()) return false;
    for (const auto& [key, value] : a.as_object()) {
      if (!b.as_object().contains(key) || !equal(value, b.as_object().at(key))) return false;
    }
    return true;
  }
  return json::serialize(a) == json::serialize(b);
}

inline bool less(const json::value& a, const json::value& b) {
  if (kind(a) == "number" && kind(b) == "number") return exact(a) < exact(b);
  if (kind(a) == "string" && kind(b) == "string") {
    return std::ranges::lexicographical_compare(
        a.as_string(), b.as_string(), {}, [](char c) { return static_cast<unsigned char>(c); },
        [](char c) { return static_cast<unsigned char>(c); });
  }
  return false;
}

inline json::value folded(const json::value& value) {
  return value.is_string() ? json::string(text::folded(value.as_string())) : value;
}

inline bool contains(const json::value& whole, const json::value& part) {
  if (whole.is_array()) {
    return std::ranges::any_of(whole.as_array(),
                               [&](const json::value& each) { return equal(each, part); });
  }
  return whole.is_string() && part.is_string() &&
         std::string(whole.as_string()).find(part.as_string()) != std::string::npos;
}

inline bool icontains(const json::value& whole, const json::value& part) {
  if (!whole.is_array()) return contains(folded(whole), folded(part));
  json::array elements;
  for (const json::value& each : whole.as_array()) elements.push_back(folded(each));
  return contains(elements, folded(part));
}

inline bool compare(const json::value& value, std::string_view op, const json::value& operand) {
  if (op == "eq") return equal(value, operand);
  if (op == "ne") return !compare(value, "eq", operand);
  if (op == "in") return contains(operand, value);
  if (op == "nin") return !compare(value, "in", operand);
  if (op == "lt") return less(value, operand);
  if (op == "gt") return less(operand, value);
  const bool ordered = kind(value) == kind(operand) && (value.is_number() || value.is_string());
  if (op == "lte") return ordered && !less(operand, value);
  if (op == "gte") return ordered && !less(value, operand);
  if (op == "contains") return contains(value, operand);
  if (op == "icontains") return icontains(value, operand);
  throw std::logic_error("no such operator");
}

// All values that `path` may lead to. The best is first: the whole rest of the path as one key
// comes before any part of it, shorter parts before longer ones.
using Ways = std::map<std::vector<std::size_t>, json::value>;

inline void collect(const json::value& object, std::string_view path,
                    std::vector<std::size_t> steps, Ways& ways) {
  if (!object.is_object()) return;
  for (const auto& [key, value] : object.as_object()) {
    std::vector<std::size_t> next = steps;
    if (path == key) {
      next.push_back(0);
      ways.emplace(next, value);
    } else if (path.starts_with(std::string(key) + ".")) {
      next.push_back(key.size() + 1);
      collect(value, path.substr(key.size() + 1), next, ways);
    }
  }
}

inline json::value field_of(const json::object& document, std::string_view key) {
  if (!key.starts_with("metadata.")) return document.at(key);
  Ways ways;
  collect(document.at("metadata"), key.substr(key.find('.') + 1), {}, ways);
  return ways.empty() ? json::value() : ways.begin()->second;
}

inline bool matches(const json::value& expression, const json::object& document) {
  bool all = true;
  for (const auto& [key, value] : expression.as_object()) {
    if (is_group(key)) {
      std::size_t met = 0;
      const json::array parts = as_list(value);
      for (const json::value& part : parts) met += matches(part, document);
      all = all && (key == "AND" ? met == parts.size() : key == "OR" ? met > 0 : met == 0);
    } else {
      for (const auto& [name, operand] : as_operators(value)) {
        all = all && compare(field_of(document, key), name, operand);
      }
    }
  }
  return all;
}

}  // namespace maas::ltm::model
