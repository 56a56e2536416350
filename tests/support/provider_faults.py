"""What a provider may do instead of answering properly. See Provider.fail and Provider.break_with.

A Fault is spent by requests that it fits. What its fields don't spoil is as it would be without it.
"""

from __future__ import annotations

import dataclasses
import datetime
import email.utils
import math
import typing

import numpy

from support.provider_embeddings import Vectors
from support.provider_http import JSON, Reply, Request
from support.provider_protocols import error, unknown_model, wrong_key

MESSAGES = {400: "The request is invalid.", 401: "Unauthorized.", 403: "Forbidden.", 404: "Not found.",
            408: "The request timed out.", 409: "Conflict.", 429: "Rate limit reached for requests",
            500: "The server had an error while processing your request. Sorry about that!",
            502: "Bad gateway.", 503: "That model is currently overloaded with other requests.", 504: "Timed out."}


@dataclasses.dataclass(frozen=True)
class Fault:
    delay: float = 0  # seconds before anything is sent, besides the provider's latency
    reply: typing.Callable[[Request], Reply] | None = None  # instead of the proper one
    change: typing.Callable[[Reply], Reply] | None = None   # the proper reply, spoiled
    vectors: typing.Callable[[Vectors], Vectors] | None = None      # of an embedding reply
    indices: typing.Callable[[list[int]], list[int]] | None = None  # of an OpenAI embedding reply
    as_floats: bool = False  # vectors are not in base64 even if the request asks for that
    kind: str | None = None  # "chat" or "embedding": only such requests
    when: typing.Callable[[Request], bool] | None = None  # only requests that this is true of

    def fits(self, request: Request) -> bool:
        return (self.kind or request.kind) == request.kind and (self.when is None or self.when(request))


def slow(seconds: float) -> Fault:
    """The proper answer, later."""
    return Fault(delay=seconds)


def status(code: int, message: str = "", **headers: str) -> Fault:
    """An error in the shape of the request's protocol; `retry_after="1"` is a header, as any other keyword."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}

    def reply(request: Request) -> Reply:
        return dataclasses.replace(error(request, code, message or MESSAGES.get(code, "An error.")), headers=sent)
    return Fault(reply=reply)


def answer(body: bytes | str | dict | list, code: int = 200, content_type: str | None = JSON, **headers: str) -> Fault:
    """Any other reply."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(reply=lambda _: Reply(code, body, sent, content_type))


def too_many_requests(retry_after: float | str | datetime.datetime | None = None) -> Fault:
    """429; Retry-After in seconds, or as an HTTP date if it is an (aware) datetime; a text is sent as it is."""
    if retry_after is None:
        return status(429)
    if isinstance(retry_after, datetime.datetime):
        retry_after = email.utils.format_datetime(retry_after.astimezone(datetime.timezone.utc), usegmt=True)
    return status(429, retry_after=f"{retry_after:g}" if isinstance(retry_after, (int, float)) else retry_after)


def unauthorized() -> Fault:
    return Fault(reply=wrong_key)


def no_such_model() -> Fault:
    return Fault(reply=unknown_model)


def unsupported_parameter(name: str, instead: str = "") -> Fault:
    """400 for requests that have it. Newer models: `unsupported_parameter("max_tokens", "max_completion_tokens")`."""
    hint = f" Use '{instead}' instead." if instead else ""
    return Fault(reply=lambda request: error(
        request, 400, f"Unsupported parameter: '{name}' is not supported with this model.{hint}", param=name,
        code="unsupported_parameter"), when=lambda request: name in request.json)


def unsupported_value(name: str, default: typing.Any = 1) -> Fault:
    """400 for requests that have the parameter with another value, such as a temperature."""
    return Fault(reply=lambda request: error(
        request, 400, f"Unsupported value: '{name}' does not support {request.json[name]} with this model. Only the "
        f"default ({default}) value is supported.", param=name, code="unsupported_value"),
        when=lambda request: request.json.get(name, default) != default)


def unsupported_response_format() -> Fault:
    """400 for requests that ask for a JSON object."""
    return Fault(reply=lambda request: error(
        request, 400, "Invalid parameter: 'response_format' of type 'json_object' is not supported with this model.",
        param="response_format"), when=lambda request: "response_format" in request.json)


def _ending(how: str, share: float = 0) -> Fault:
    return Fault(change=lambda reply: dataclasses.replace(reply, ending=how, share=share))


def cut(share: float = 0.5) -> Fault:
    """Closes after the head and that share of the body."""
    return _ending("cut", share)


def stall(share: float = 0) -> Fault:
    """Sends the head and that share of the body, then nothing until the client closes."""
    return _ending("stall", share)


def closed() -> Fault:
    """Closes without a byte."""
    return _ending("close")


def reset() -> Fault:
    """Resets the TCP connection without a byte."""
    return _ending("reset")


def _body(spoil: typing.Callable[[bytes], bytes], **changes) -> Fault:
    return Fault(change=lambda reply: dataclasses.replace(reply, body=spoil(reply.body_bytes()), **changes))


def malformed_json() -> Fault:
    """The first half of the proper body as a whole reply."""
    return _body(lambda body: body[:len(body) // 2])


def not_json() -> Fault:
    """200 with a page, as a proxy or captive portal in between answers."""
    return answer("<html><body><h1>Welcome</h1></body></html>", content_type="text/html; charset=utf-8")


def empty_body() -> Fault:
    return _body(lambda _: b"")


def wrong_shape() -> Fault:
    """JSON, but nothing that was asked for."""
    return answer({"object": "nothing"})


def huge(size: int) -> Fault:
    """The proper body, blown up to `size` bytes by white space before its end: JSON still."""
    return _body(lambda body: body[:-1] + b" " * (size - len(body)) + body[-1:])


def too_few_vectors() -> Fault:
    return Fault(vectors=lambda vectors: vectors[:-1])


def too_many_vectors() -> Fault:
    return Fault(vectors=lambda vectors: [*vectors, vectors[-1]])


def wrong_dims(dims: int | None = None, last_only: bool = False) -> Fault:
    """Vectors of `dims`, one more than they should have if that isn't told; of the last text only if so told."""
    def spoil(vectors: Vectors) -> Vectors:
        good = len(vectors) - 1 if last_only else 0
        return [*vectors[:good], *(numpy.resize(vector, dims or len(vector) + 1) for vector in vectors[good:])]
    return Fault(vectors=spoil)


def _put(value: float, as_floats: bool = False) -> Fault:
    def spoil(vectors: Vectors) -> Vectors:
        spoiled = vectors[-1].copy()
        spoiled[len(spoiled) // 2] = value
        return [*vectors[:-1], spoiled]
    return Fault(vectors=spoil, as_floats=as_floats)


def nan() -> Fault:
    """A NaN in the last vector: in base64 if the request asks for that, otherwise as a bare token."""
    return _put(math.nan)


def infinity() -> Fault:
    return _put(math.inf)


def bare_nan() -> Fault:
    """The token NaN in the last vector, which JSON does not know; never in base64."""
    return _put(math.nan, as_floats=True)


def zero_vector() -> Fault:
    """The last vector is 0 everywhere."""
    return Fault(vectors=lambda vectors: [*vectors[:-1], numpy.zeros_like(vectors[-1])])


def same_index() -> Fault:
    """Every element of OpenAI's `data` has the index 0."""
    return Fault(indices=lambda indices: [0] * len(indices))


def index_out_of_range(value: int = 1_000_000) -> Fault:
    """The last element of OpenAI's `data` has that index."""
    return Fault(indices=lambda indices: [*indices[:-1], value])
