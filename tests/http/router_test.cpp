#include "http/router.hpp"

#include "support/run_task.hpp"

#include <gtest/gtest.h>

namespace maas::http {
namespace {

Task<Response> echo(const Request& request) {
  std::string text(request.route);
  for (const auto& [name, value] : request.path_parameters)
    text += "|" + std::string(name) + "=" + value;
  co_return Response{.body = text};
}

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    const auto handler = [](Request& request) { return echo(request); };
    router_.add(Method::get, "/things/{id}", handler);
    router_.add(Method::delete_, "/things/{id}", handler);
    router_.add(Method::get, "/things/{id}/parts/{part}", handler);
  }

  Response ask(Method method, std::string_view path, std::string_view query = {}) {
    Request request;
    request.method = method;
    request.path = path;
    request.query_text = query;
    return running_.run(router_.dispatch(request));
  }

  Router router_;
  test::RunningLoops running_;
};

TEST_F(RouterTest, FindsTheRouteAndDecodesItsParameters) {
  EXPECT_EQ(ask(Method::get, "/things/a%2Fb").body, "/things/{id}|id=a/b");
  EXPECT_EQ(ask(Method::get, "/things/../parts/%20").body,
            "/things/{id}/parts/{part}|id=..|part= ");
}

TEST_F(RouterTest, AnswersHeadAsGet) { EXPECT_EQ(ask(Method::head, "/things/a").status, 200); }

TEST_F(RouterTest, AnswersUnknownPathsWith404) {
  for (const char* path : {"/", "/things", "/things/", "/things//parts/x", "/things/a/", "*", "",
                           "things/a", "/things/a/parts/b/c"}) {
    EXPECT_EQ(ask(Method::get, path).status, 404) << path;
  }
}

TEST_F(RouterTest, NamesTheMethodsThatAPathHas) {
  const Response response = ask(Method::put, "/things/a");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.at(0),
            (std::pair<std::string, std::string>{"Allow", "GET, HEAD, DELETE"}));
}

TEST_F(RouterTest, RefusesMalformedPercentEncoding) {
  EXPECT_EQ(ask(Method::get, "/things/%zz").status, 400);
  EXPECT_EQ(ask(Method::get, "/things/a", "b=%").status, 400);
}

}  // namespace
}  // namespace maas::http
