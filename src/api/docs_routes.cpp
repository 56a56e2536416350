#include "api/routes.hpp"
#include "http/gzip.hpp"

extern "C" {
extern const char maas_openapi_json[], maas_openapi_json_end[];
extern const char maas_docs_html[], maas_docs_html_end[];
extern const char maas_swagger_ui_css_gz[], maas_swagger_ui_css_gz_end[];
extern const char maas_swagger_ui_js_gz[], maas_swagger_ui_js_gz_end[];
}

namespace maas::api {
namespace {

Task<http::Response> document(std::string_view text, std::string_view content_type) {
  co_return http::Response{.body = std::string(text), .content_type = std::string(content_type)};
}

// Kept compressed; unpacked for the rare client that can't do that itself.
Task<http::Response> compressed(std::string_view bytes, std::string_view content_type,
                                const http::Request& request) {
  http::Response response{.body = {}, .content_type = std::string(content_type)};
  response.headers.emplace_back("Cache-Control", "public, max-age=86400");
  if (http::accepts_gzip(request.header("Accept-Encoding"))) {
    response.body = bytes;
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.headers.emplace_back("Vary", "Accept-Encoding");
  } else {
    response.body = http::gunzip(bytes);
  }
  co_return response;
}

}  // namespace

void add_docs_routes(http::Router& router) {
  router.add(http::Method::get, "/openapi.json", [](http::Request&) {
    return document({maas_openapi_json, maas_openapi_json_end}, "application/json");
  });
  router.add(http::Method::get, "/docs", [](http::Request&) {
    return document({maas_docs_html, maas_docs_html_end}, "text/html; charset=utf-8");
  });
  router.add(http::Method::get, "/docs/swagger-ui.css", [](http::Request& request) {
    return compressed({maas_swagger_ui_css_gz, maas_swagger_ui_css_gz_end},
                      "text/css; charset=utf-8", request);
  });
  router.add(http::Method::get, "/docs/swagger-ui-bundle.js", [](http::Request& request) {
    return compressed({maas_swagger_ui_js_gz, maas_swagger_ui_js_gz_end},
                      "text/javascript; charset=utf-8", request);
  });
}

}  // namespace maas::api
