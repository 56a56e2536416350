"""The chat half of the provider stub: a model that needs no prompt of a certain wording, and the reply's shape.

It tells what a prompt asks for by a few words: decisions by "event" and "memory" with the events ADD,
UPDATE and DELETE; facts by "fact" and "json"; a summary by "summar".
"""

from __future__ import annotations

import ast
import collections
import collections.abc
import dataclasses
import itertools
import json
import re
import typing

from support.provider_http import Reply, message_text

EVENTS = {"ADD", "UPDATE", "DELETE", "NONE"}
ROLES = "user|human|assistant|ai|system|tool"
TURN = re.compile(rf"^[ \t>*-]*(?:\[[^\]\n]*\][ \t]*)?\**({ROLES})\**(?:[ \t]*\([^)\n]*\))?[ \t]*:[ \t]*",
                  re.IGNORECASE | re.MULTILINE)
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*|\n+")


@dataclasses.dataclass
class Completion:
    """An answer of which more than the text is chosen."""

    content: str | dict | None
    finish_reason: str = "stop"  # "length": the model has run out of max_tokens
    usage: dict | None = None
    message: dict = dataclasses.field(default_factory=dict)  # further fields, such as {"refusal": "…"}


Answer = str | dict | Completion | Reply
Model = typing.Callable[[dict], Answer]


def scripted(*answers: Answer, then: Model | None = None) -> Model:
    """A model that gives these answers one after the other, and then is `then` (by default the simple model)."""
    left = collections.deque(answers)
    return lambda request: left.popleft() if left else (then or simple_model)(request)


def model(facts: list[str] | None = None, decide: typing.Callable[[list[dict], list[str]], list[dict]] | None = None,
          summary: str | None = None) -> Model:
    """The simple model, but with these facts, these decisions about memories and facts, that summary."""
    def answer(request: dict) -> Answer:
        match asks(request):
            case "facts" if facts is not None:
                return {"facts": facts}
            case "decisions" if decide is not None:
                return {"memory": decide(*memories_and_facts(request))}
            case "summary" if summary is not None:
                return summary
        return simple_model(request)
    return answer


def simple_model(request: dict) -> Answer:
    """Facts: the user's sentences. Decisions: ADD for each fact, NONE for each memory there is. See `asks`."""
    match asks(request):
        case "decisions":
            return {"memory": add_all(*memories_and_facts(request))}
        case "facts":
            return {"facts": user_sentences(request)}
        case "summary":
            return f"Summary: {' '.join(user_sentences(request))[:200]}"
    return "I see."


def asks(request: dict) -> str:
    """What the prompt asks for: "facts", "decisions", "summary", or "" for none of these."""
    prompt = "\n".join(map(message_text, request["messages"]))
    lower = prompt.lower()
    about_memory = "event" in lower and ("memory" in lower or "memories" in lower)
    if about_memory and sum(event in prompt for event in ("ADD", "UPDATE", "DELETE")) >= 2:
        return "decisions"
    if "fact" in lower and "json" in lower:
        return "facts"
    return "summary" if "summar" in lower else ""


def sentences(text: str) -> list[str]:
    return [part.strip() for part in SENTENCE_END.split(text) if part and part.strip()]


def user_sentences(request: dict) -> list[str]:
    """What the user says in the conversation that a prompt holds.

    That is in the last message with a list of {"role", "content"} or with lines such as "user: …";
    without one, the first message of the user is all conversation.
    """
    asking = [message_text(message) for message in request["messages"] if message.get("role") != "assistant"]
    for text in reversed(asking):
        for turns in reversed([found for found in json_lists(text) if _is_conversation(found)]):
            said = [str(turn["content"]) for turn in turns if turn["role"] == "user"]
            return list(itertools.chain.from_iterable(map(sentences, said)))
        turns = list(TURN.finditer(text))
        ends = [turn.start() for turn in turns[1:]] + [len(text)]
        said = [text[turn.end():end] for turn, end in zip(turns, ends) if turn[1].lower() in ("user", "human")]
        if said:
            if turns[-1][1].lower() in ("user", "human"):  # what follows the conversation is no part of it
                said[-1] = re.split(r"\n\s*\n|\n```|\n<", said[-1])[0]
            return list(itertools.chain.from_iterable(map(sentences, said)))
    users = [message_text(message) for message in request["messages"] if message.get("role") == "user"]
    return sentences(users[0]) if users else []


def add_all(memories: list[dict], facts: list[str]) -> list[dict]:
    """NONE for each memory, ADD for each fact that is not the text of one."""
    kept = {memory["text"] for memory in memories}
    decided = [{"id": str(memory["id"]), "text": memory["text"], "event": "NONE"} for memory in memories]
    free = max((int(memory["id"]) for memory in memories if str(memory["id"]).isdigit()), default=-1) + 1
    for fact in facts:
        if fact not in kept:
            kept.add(fact)
            decided.append({"id": str(free), "text": fact, "event": "ADD"})
            free += 1
    return decided


def memories_and_facts(request: dict) -> tuple[list[dict], list[str]]:
    """What a prompt for decisions shows: memories as [{"id", "text"}] and facts as [text]; the last of each,
    for a prompt may have examples before them."""
    asking = [message_text(message) for message in request["messages"] if message.get("role") != "assistant"]
    for text in reversed(asking):
        lists = list(json_lists(text))
        places = [place for place, found in enumerate(lists) if _is_facts(found)]
        if not places:
            continue
        before, after = lists[:places[-1]][::-1], lists[places[-1] + 1:]
        for found in itertools.chain(itertools.takewhile(_is_no_answer, before),
                                     itertools.takewhile(_is_no_answer, after)):
            if not found or _is_memories(found):
                return found, lists[places[-1]]
        return [], lists[places[-1]]
    return [], []


def json_lists(text: str) -> collections.abc.Iterator[list]:
    """The lists in a text, in order, those in objects too; a list in Python's notation is one as well."""
    at = 0
    while (start := text.find("[", at)) >= 0:
        try:
            found, end = json.JSONDecoder().raw_decode(text, start)
        except ValueError:
            found, end = _python_list(text, start)
        if found is not None:
            yield found
        at = end


def _python_list(text: str, start: int) -> tuple[list | None, int]:
    if text[start + 1:start + 2] in ("'", "{"):
        for match in re.compile(r"\]").finditer(text, start):
            try:
                return ast.literal_eval(text[start:match.end()]), match.end()
            except (ValueError, SyntaxError):
                continue
    return None, start + 1


def _is_conversation(found: list) -> bool:
    return bool(found) and all(isinstance(item, dict) and {"role", "content"} <= item.keys() for item in found)


def _is_memories(found: list) -> bool:
    return bool(found) and all(isinstance(item, dict) and {"id", "text"} <= item.keys() for item in found)


def _is_facts(found: list) -> bool:
    return bool(found) and all(isinstance(item, str) for item in found) and not EVENTS >= set(found)


def _is_no_answer(found: list) -> bool:
    return not (found and isinstance(found[0], dict) and "event" in found[0])


def fenced(value: dict | list) -> str:
    """JSON in a code fence, as models like to write it."""
    return f"```json\n{json.dumps(value, indent=2)}\n```"


def in_prose(value: dict | list) -> str:
    """JSON with words around it, with braces in them."""
    return f"Sure! Here is what I found {{as JSON}}:\n\n{json.dumps(value)}\n\nLet me know if {{anything}} is missing."


def completion_body(answer: str | dict | Completion, request: dict, name: str, number: int) -> dict:
    """The body of the reply to the chat request of that number."""
    chosen = answer if isinstance(answer, Completion) else Completion(answer)
    content = json.dumps(chosen.content) if isinstance(chosen.content, dict) else chosen.content
    prompt_tokens = sum(len(message_text(message)) for message in request["messages"]) // 4 + 1
    completion_tokens = len(content or "") // 4 + 1
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens,
             "total_tokens": prompt_tokens + completion_tokens}
    return {"id": f"chatcmpl-{number}", "object": "chat.completion", "created": 1_700_000_000 + number, "model": name,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": content, **chosen.message},
                         "finish_reason": chosen.finish_reason}],
            "usage": usage if chosen.usage is None else chosen.usage}
