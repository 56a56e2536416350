#pragma once

#include <string_view>

// The names of attributes: OpenTelemetry's semantic conventions 1.41.1, what they plan for memory,
// and Langfuse's own.
namespace maas::trace::attribute {

inline constexpr std::string_view kSchemaUrl = "https://opentelemetry.io/schemas/1.41.1";

// Of every span of a request.
inline constexpr std::string_view kUserId = "user.id";
inline constexpr std::string_view kSessionId = "session.id";
inline constexpr std::string_view kTraceName = "langfuse.trace.name";
inline constexpr std::string_view kTraceTags = "langfuse.trace.tags";
inline constexpr std::string_view kTraceAgentId = "langfuse.trace.metadata.agent_id";

inline constexpr std::string_view kErrorType = "error.type";
inline constexpr std::string_view kServerAddress = "server.address";
inline constexpr std::string_view kServerPort = "server.port";

// Of a request.
inline constexpr std::string_view kHttpMethod = "http.request.method";
inline constexpr std::string_view kHttpMethodOriginal = "http.request.method_original";
inline constexpr std::string_view kHttpRoute = "http.route";
inline constexpr std::string_view kHttpStatus = "http.response.status_code";
inline constexpr std::string_view kUrlPath = "url.path";
inline constexpr std::string_view kUrlQuery = "url.query";
inline constexpr std::string_view kUrlScheme = "url.scheme";
inline constexpr std::string_view kClientAddress = "client.address";
inline constexpr std::string_view kPeerAddress = "network.peer.address";
inline constexpr std::string_view kPeerPort = "network.peer.port";
inline constexpr std::string_view kProtocolVersion = "network.protocol.version";
inline constexpr std::string_view kUserAgent = "user_agent.original";

// What Langfuse shows.
inline constexpr std::string_view kInput = "langfuse.observation.input";
inline constexpr std::string_view kOutput = "langfuse.observation.output";
inline constexpr std::string_view kIsAppRoot = "langfuse.internal.is_app_root";
inline constexpr std::string_view kAsRoot = "langfuse.internal.as_root";

}  // namespace maas::trace::attribute
