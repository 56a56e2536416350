#pragma once

#include "trace/span.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace maas::ltm {

// For whom a store does something, and below which span. Borrows the tenant.
struct Caller {
  Caller(std::string_view given_tenant, trace::Parent given_parent = {})
      : tenant(given_tenant), parent(std::move(given_parent)) {}
  Caller(const std::string& given_tenant) : tenant(given_tenant) {}
  Caller(const char* given_tenant) : tenant(given_tenant) {}

  std::string_view tenant;
  trace::Parent parent = {};
};

}  // namespace maas::ltm
