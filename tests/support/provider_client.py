"""Plain calls of the provider stub, one in each protocol."""

import base64
import http.client
import json

import numpy

from support.provider import Provider
from support.provider_embeddings import embed

TEXTS = ["Anna has a dog", "Anna walks her dog", "The stock market fell"]
MODEL = {"model": "m"}
OPENAI = "/v1/embeddings", MODEL | {"input": TEXTS}
AZURE = "/openai/deployments/m/embeddings?api-version=2024-10-21", {"input": TEXTS}
COHERE = "/v2/embed", MODEL | {"texts": TEXTS, "input_type": "search_document", "embedding_types": ["float"]}
HUGGINGFACE = "/hf-inference/models/BAAI/bge-small/pipeline/feature-extraction", {"inputs": TEXTS, "normalize": True}
TEI = "/embed", {"inputs": TEXTS}
OLLAMA = "/api/embed", MODEL | {"input": TEXTS}
PROTOCOLS = {"openai": OPENAI, "azure_openai": AZURE, "cohere": COHERE, "huggingface": HUGGINGFACE, "tei": TEI,
             "ollama": OLLAMA}
CHAT = "/v1/chat/completions", MODEL | {"messages": [{"role": "user", "content": "Hello"}]}


class Client:
    """One connection at a time; `ask` asserts the status and gives the reply's JSON."""

    def __init__(self, provider: Provider):
        self.connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=10)

    def post(self, path: str, body: dict, **headers: str) -> http.client.HTTPResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **sent})
        return self.connection.getresponse()

    def ask(self, path: str, body: dict, status: int = 200, **headers: str):
        reply = self.post(path, body, **headers)
        read = reply.read()
        assert (reply.status, reply.headers["Content-Type"]) == (status, "application/json"), read
        return json.loads(read)


def vectors(protocol: str, reply) -> numpy.ndarray:
    """Those in a reply, in the order of the texts."""
    match protocol:
        case "openai" | "azure_openai":
            reply = [item["embedding"] for item in sorted(reply["data"], key=lambda item: item["index"])]
            if isinstance(reply[0], str):
                reply = [numpy.frombuffer(base64.b64decode(item), "<f4") for item in reply]
        case "cohere":
            reply = reply["embeddings"]["float"]
        case "ollama":
            reply = reply["embeddings"]
    return numpy.array(reply, "f4")


def expected(dims: int = 32) -> numpy.ndarray:
    """The vectors of TEXTS."""
    return numpy.stack([embed(text, dims) for text in TEXTS])
