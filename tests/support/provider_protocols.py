"""What the providers' protocols differ in besides the vectors: paths, keys, the shape of errors."""

from __future__ import annotations

import functools
import re

from support.provider_http import Reply, Request

AZURE = re.compile(r"/openai/deployments/([^/]+)/(chat/completions|embeddings)")
HUGGINGFACE = re.compile(r"/hf-inference/models/(.+)/pipeline/feature-extraction")
WITHOUT_KEY = {"huggingface", "tei", "ollama"}  # may be asked without a key; a wrong one is refused
NEEDED = {"cohere": ("model", "texts", "input_type", "embedding_types"), "huggingface": ("inputs",),
          "tei": ("inputs",), "ollama": ("model", "input"), "azure_openai": ("input",), "openai": ("model", "input")}
# The most texts in one request; TEI's is what it has unless it is started with another.
LIMITS = {"openai": 2048, "azure_openai": 2048, "cohere": 96, "tei": 32}


@functools.lru_cache(maxsize=1000)
def route(path: str) -> tuple[str, str, str | None]:
    """(protocol, kind, the model that the path names). The OpenAI paths may have any prefix: providers differ."""
    if path == "/v2/embed":
        return "cohere", "embedding", None
    if path == "/api/embed":
        return "ollama", "embedding", None
    if path == "/embed":
        return "tei", "embedding", None
    if match := HUGGINGFACE.fullmatch(path):
        return "huggingface", "embedding", match[1]
    if match := AZURE.fullmatch(path):
        return "azure_openai", "embedding" if match[2] == "embeddings" else "chat", match[1]
    if path.startswith("/openai/deployments/"):
        return "", "", None
    if path.endswith("/chat/completions"):
        return "openai", "chat", None
    if path.endswith("/embeddings"):
        return "openai", "embedding", None
    return "", "", None


def error(request: Request, status: int, message: str, *, code: str | None = None, param: str | None = None,
          kind: str = "") -> Reply:
    """An error in the shape of the request's protocol; `kind` is OpenAI's `type` or TEI's `error_type`."""
    if request.protocol in ("huggingface", "ollama"):
        body: dict = {"error": message}
    elif request.protocol == "tei":
        body = {"error": message, "error_type": kind or ("Overloaded" if status == 429 else "Backend")}
    elif request.protocol == "cohere":
        body = {"message": message}
    elif request.protocol == "azure_openai" and param is None:
        body = {"error": {"code": code or str(status), "message": message}}
    else:
        usual = "server_error" if status >= 500 else "invalid_request_error"
        body = {"error": {"message": message, "type": kind or usual, "param": param, "code": code}}
    return Reply(status, body)


def wrong_key(request: Request) -> Reply:
    """401 as the provider says it. As OpenAI does, it quotes the key's first and last characters."""
    match request.protocol:
        case "azure_openai":
            return error(request, 401, "Access denied due to invalid subscription key or wrong API endpoint. Make "
                         "sure to provide a valid key for an active subscription and use a correct regional API "
                         "endpoint for your resource.")
        case "cohere":
            return error(request, 401, "invalid api token")
        case "huggingface":
            return error(request, 401, "Invalid username or password.")
        case "tei":
            return Reply(401, b"", content_type=None)
        case "ollama":
            return error(request, 401, "unauthorized")
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not key:
        return error(request, 401, "You didn't provide an API key. You need to provide your API key in an "
                     "Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).")
    shown = f"{key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}" if len(key) > 12 else "*" * len(key)
    return error(request, 401, f"Incorrect API key provided: {shown}.", code="invalid_api_key")


def unknown_model(request: Request) -> Reply:
    """404 as the provider says it."""
    name = request.model
    match request.protocol:
        case "azure_openai":
            return error(request, 404, "The API deployment for this resource does not exist. If you created the "
                         "deployment within the last 5 minutes, please wait a moment and try again.",
                         code="DeploymentNotFound")
        case "cohere":
            return error(request, 404, f"model '{name}' not found, make sure the correct model ID was used and "
                         "that you have access to the model.")
        case "huggingface":
            return error(request, 404, f"Model {name} does not exist")
        case "ollama":
            return error(request, 404, f'model "{name}" not found, try pulling it first')
    return error(request, 404, f"The model `{name}` does not exist or you do not have access to it.",
                 code="model_not_found")


def refusal(request: Request, keys: set[str] | None, models: set[str] | None,
            limits: dict[str, int]) -> Reply | None:
    """Why the request isn't answered at all: its path, method, key, body, model or too many texts."""
    if not request.protocol:
        return error(request, 404, f"Invalid URL ({request.method} {request.path})")
    if request.method != "POST":
        return error(request, 405, f"Not allowed to {request.method} on {request.path}")
    if request.protocol == "azure_openai" and not request.query.get("api-version"):
        return error(request, 404, "Resource not found")
    if keys is not None and not _has_key(request, keys):
        return wrong_key(request)
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return error(request, 415, "the Content-Type must be application/json")
    try:
        wrong = _wrong_body(request, limits)
    except ValueError:
        wrong = error(request, 400, "We could not parse the JSON body of your request.")
    if wrong is None and models is not None and request.protocol != "tei" and request.model not in models:
        return unknown_model(request)
    return wrong


def _has_key(request: Request, keys: set[str]) -> bool:
    if request.protocol == "azure_openai":
        return request.headers.get("api-key") in keys
    given = request.headers.get("authorization")
    if given is None:
        return request.protocol in WITHOUT_KEY
    return given.startswith("Bearer ") and given.removeprefix("Bearer ") in keys


def _wrong_body(request: Request, limits: dict[str, int]) -> Reply | None:
    if not isinstance(request.json, dict):
        return error(request, 400, "the body must be a JSON object")
    if request.kind == "chat":
        return _wrong_chat(request)
    missing = [name for name in NEEDED[request.protocol] if not request.json.get(name)]
    if missing:
        return error(request, 400, f"invalid request: missing or empty: {missing[0]}", param=missing[0])
    texts = request.texts
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return error(request, 400, "invalid type: the texts must be a list of strings")
    most = limits.get(request.protocol, len(texts))
    if request.protocol in ("openai", "azure_openai") and (len(texts) > most or "" in texts):
        return error(request, 400, "'$.input' is invalid. Please check the API reference: "
                     "https://platform.openai.com/docs/api-reference.")
    if request.protocol == "tei" and len(texts) > most:
        return error(request, 413, f"batch size {len(texts)} > maximum allowed batch size {most}", kind="Validation")
    if len(texts) > most:
        return error(request, 400, f"invalid request: total number of texts must be at most {most} - received "
                     f"{len(texts)}")
    return None


def _wrong_chat(request: Request) -> Reply | None:
    missing = [name for name in ("model", "messages") if not request.json.get(name)]
    if request.protocol == "azure_openai":
        missing = [name for name in missing if name != "model"]
    if missing:
        return error(request, 400, f"Missing required parameter: '{missing[0]}'.", param=missing[0],
                     code="missing_required_parameter")
    asks_json = (request.json.get("response_format") or {}).get("type") == "json_object"
    if asks_json and "json" not in request.prompt.lower():
        return error(request, 400, "'messages' must contain the word 'json' in some form, to use 'response_format' "
                     "of type 'json_object'.", param="messages")
    return None
