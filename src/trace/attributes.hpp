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

// Of a call of a database.
inline constexpr std::string_view kDatabaseSystem = "db.system.name";
inline constexpr std::string_view kDatabaseOperation = "db.operation.name";
inline constexpr std::string_view kDatabaseCollection = "db.collection.name";
inline constexpr std::string_view kDatabaseName = "db.namespace";
inline constexpr std::string_view kDatabaseBatch = "db.operation.batch.size";
inline constexpr std::string_view kDatabaseStatus = "db.response.status_code";
inline constexpr std::string_view kReturnedRows = "db.response.returned_rows";

// Of a call of a model.
inline constexpr std::string_view kOperationName = "gen_ai.operation.name";
inline constexpr std::string_view kProviderName = "gen_ai.provider.name";
inline constexpr std::string_view kConversationId = "gen_ai.conversation.id";
inline constexpr std::string_view kOutputType = "gen_ai.output.type";
inline constexpr std::string_view kRequestModel = "gen_ai.request.model";
inline constexpr std::string_view kTemperature = "gen_ai.request.temperature";
inline constexpr std::string_view kMaxTokens = "gen_ai.request.max_tokens";
inline constexpr std::string_view kEncodingFormats = "gen_ai.request.encoding_formats";
inline constexpr std::string_view kDimensionCount = "gen_ai.embeddings.dimension.count";
inline constexpr std::string_view kResponseId = "gen_ai.response.id";
inline constexpr std::string_view kResponseModel = "gen_ai.response.model";
inline constexpr std::string_view kFinishReasons = "gen_ai.response.finish_reasons";
inline constexpr std::string_view kInputTokens = "gen_ai.usage.input_tokens";
inline constexpr std::string_view kOutputTokens = "gen_ai.usage.output_tokens";
inline constexpr std::string_view kCacheReadTokens = "gen_ai.usage.cache_read.input_tokens";
inline constexpr std::string_view kReasoningTokens = "gen_ai.usage.reasoning.output_tokens";
inline constexpr std::string_view kInputMessages = "gen_ai.input.messages";
inline constexpr std::string_view kOutputMessages = "gen_ai.output.messages";
inline constexpr std::string_view kOpenAiApiType = "openai.api.type";

// Of what is done with memories.
inline constexpr std::string_view kMemoryStore = "gen_ai.memory.store.id";
inline constexpr std::string_view kMemoryRecord = "gen_ai.memory.record.id";
inline constexpr std::string_view kMemoryCount = "gen_ai.memory.record.count";
inline constexpr std::string_view kMemoryRecords = "gen_ai.memory.records";
inline constexpr std::string_view kMemoryQuery = "gen_ai.memory.query.text";
inline constexpr std::string_view kCategory = "langfuse.observation.metadata.category";
inline constexpr std::string_view kEvents = "langfuse.observation.metadata.events";
inline constexpr std::string_view kItemIndex = "langfuse.observation.metadata.index";

// Of a summary.
inline constexpr std::string_view kStrategy = "langfuse.observation.metadata.strategy";
inline constexpr std::string_view kMessagesIn = "langfuse.observation.metadata.messages_in";
inline constexpr std::string_view kSummarized = "langfuse.observation.metadata.summarized";
inline constexpr std::string_view kTokensBefore = "langfuse.observation.metadata.tokens_before";
inline constexpr std::string_view kTokensAfter = "langfuse.observation.metadata.tokens_after";

// Of metrics alone.
inline constexpr std::string_view kTokenType = "gen_ai.token.type";
inline constexpr std::string_view kOutcome = "maas.outcome";
inline constexpr std::string_view kMemoryEvent = "maas.event";
inline constexpr std::string_view kMemoryCategory = "maas.category";
inline constexpr std::string_view kArm = "maas.arm";
inline constexpr std::string_view kKind = "maas.kind";
inline constexpr std::string_view kCache = "maas.cache";
inline constexpr std::string_view kCacheResult = "maas.result";
inline constexpr std::string_view kQueue = "maas.queue";

// What Langfuse shows.
inline constexpr std::string_view kObservationType = "langfuse.observation.type";
inline constexpr std::string_view kPurpose = "langfuse.observation.metadata.purpose";
inline constexpr std::string_view kInput = "langfuse.observation.input";
inline constexpr std::string_view kOutput = "langfuse.observation.output";
inline constexpr std::string_view kIsAppRoot = "langfuse.internal.is_app_root";
inline constexpr std::string_view kAsRoot = "langfuse.internal.as_root";

}  // namespace maas::trace::attribute
