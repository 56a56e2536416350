"""Models that fail in turns while agents add memories through them: nothing said is lost, whatever the model makes of it."""

import pytest
from faults.witness import Witness
from support import provider_faults as faults
from support.provider import Provider

SETTINGS = {"LLM_PROVIDER": "openai", "LLM_API_KEY": "key", "LLM_MODEL": "gpt-4.1-mini", "LLM_TIMEOUT_MS": "1000",
            "EMBEDDING_PROVIDER": "openai", "EMBEDDING_API_KEY": "key", "EMBEDDING_MODEL": "text-embedding-3-small",
            "EMBEDDING_DIMS": "64", "EMBEDDING_TIMEOUT_MS": "1000", "MAAS_REQUEST_TIMEOUT_MS": "10000"}
FLAPPING = (faults.status(500), faults.status(400), faults.too_many_requests(0), faults.cut(), faults.reset())
GARBLING = (faults.malformed_json(), faults.not_json(), faults.empty_body(), faults.wrong_shape())


@pytest.fixture
def provider():
    with Provider() as provider:
        yield provider


@pytest.mark.parametrize("keeps", [True, False], ids=["what it fails at is kept", "what it fails at is refused"])
@pytest.mark.parametrize("broken", [(faults.slow(3),), FLAPPING, GARBLING], ids=["slow", "flapping", "garbling"])
def test_the_llm_is(broken, keeps, provider, start_server, fault):
    """Where what it fails at is kept, it is word for word, which is what this model makes of it, too."""
    server = start_server(**SETTINGS, LLM_BASE_URL=f"{provider.url}/v1", EMBEDDING_BASE_URL=f"{provider.url}/v1",
                          LTM_KEEP_ON_LLM_FAILURE=str(keeps).lower())
    with Witness(fault, server, allowed=set() if keeps else {502, 503, 504}, sessions=False) as witness:
        witness.wait_for(8)
        for each in broken:
            provider.break_with(each, kind="chat")
            if keeps:
                witness.wait_for(4)
            else:
                witness.wait_for_refusals()
            provider.heal()
            witness.wait_until_recovered()
        witness.wait_for(8)
    witness.verify()
    assert server.stop() == 0, server.log()


@pytest.mark.parametrize("broken", [(faults.slow(3),), FLAPPING, (*GARBLING, faults.too_few_vectors(), faults.nan())],
                         ids=["slow", "flapping", "garbling"])
def test_the_embedder_is(broken, provider, start_server, fault):
    """A memory without its vector would not be found by what it means: adds are refused until there are vectors again."""
    server = start_server(**SETTINGS | {"LLM_PROVIDER": "none"}, EMBEDDING_BASE_URL=f"{provider.url}/v1")
    with Witness(fault, server, allowed={502, 503, 504}, sessions=False) as witness:
        witness.wait_for(8)
        for each in broken:
            provider.break_with(each, kind="embedding")
            witness.wait_for_refusals()
            provider.heal()
            witness.wait_until_recovered()
        witness.wait_for(8)
    witness.verify()
    assert server.stop() == 0, server.log()
