#pragma once

#include "api/api_keys.hpp"
#include "api/ltm_fields.hpp"
#include "core/task.hpp"
#include "http/router.hpp"
#include "http/server.hpp"
#include "ltm/long_term_memory.hpp"
#include "stm/short_term_memory.hpp"
#include "trace/tracer.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maas::api {

// One engine or model that /health/ready asks.
struct Check {
  std::string name;                                           // "stm"
  std::string engine;                                         // "redis"
  std::function<Task<std::optional<std::string>>()> problem;  // nullopt: it serves
  std::function<std::string()> note = {};  // what who runs it should know while it serves
};

// Each adds its routes. Handlers borrow their arguments, which outlive the router.
void add_health_routes(http::Router& router, std::vector<Check> checks);
void add_docs_routes(http::Router& router);
// `resource` tells this process from others.
void add_metrics_routes(http::Router& router, trace::KeyValues resource);
void add_stm_routes(http::Router& router, stm::ShortTermMemory& memory);
void add_ltm_routes(http::Router& router, ltm::LongTermMemory& memory, LtmLimits limits);

// What the server runs for every request: finds out who asks, routes, and turns what is thrown into
// a reply. /health, /metrics, /docs and /openapi.json are open to all. Borrows all; a null tracer
// traces nothing.
http::Handler make_handler(const http::Router& router, const ApiKeys& keys,
                           const trace::Tracer* tracer);

// What the server tells of every request that was answered: counts it, ends its span, and logs one
// JSON line, or one for a share of them: `log_sample` from 0 (none) to 1 (all).
http::RequestObserver make_observer(const trace::Tracer* tracer, double log_sample);

}  // namespace maas::api
