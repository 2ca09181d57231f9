"""The writer of scenes over an OpenAI-compatible server: one chat completion with a schema, by our own HTTP.

Wire: ``POST /v1/chat/completions`` with ``response_format`` of type ``json_schema`` (OpenAI's API reference, "Structured outputs"; Ollama
and vLLM understand the same, 2026-11). A call costs, so it is made once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from functools import partial
from typing import Any, Final

from core.errors import (
    ContentRefused,
    CredentialsRejected,
    Garbled,
    InvalidRequest,
    ModelRetired,
    OutOfFunds,
    ProviderError,
    RateLimited,
    Unavailable,
)
from core.money import Price
from core.ports import Again, Connect, Script
from providers.line import Answer, Line, refused_or_unclear
from providers.scripts import CHARACTER, DIRECTOR, IDEA, SCENE, asked, scenes_of
from providers.sheets import BadSheet, Model, read_sheet

STATUSES: Final[Mapping[int, type[ProviderError]]] = {
    400: InvalidRequest,
    401: CredentialsRejected,
    402: OutOfFunds,
    403: CredentialsRejected,
    404: ModelRetired,
    413: InvalidRequest,
    422: InvalidRequest,
    429: RateLimited,
}
CODES: Final[Mapping[str, type[ProviderError]]] = {
    "insufficient_quota": OutOfFunds,
    "billing_hard_limit_reached": OutOfFunds,
    "model_not_found": ModelRetired,
    "content_policy_violation": ContentRefused,
    "content_filter": ContentRefused,
}
"""``error.code`` says more than the status: a balance that is used up comes as 429."""
PRICED: Final = ("usd_per_million_input_tokens", "usd_per_million_output_tokens")
COUNTED: Final = ("thinking_tokens", "tokens_per_scene")
INPUT_TOKENS: Final = (IDEA + CHARACTER) // 2 + len(DIRECTOR)
"""More than a request has: a token is seldom less than two characters, and nowhere less than one."""


def read_error(answer: Answer, submitting: bool) -> ProviderError:  # noqa: FBT001 - as Line asks it
    """The error of a refusal; ``setting`` among its facts names what the operator sets."""
    match answer.data:
        case {"error": {"code": str(code)}} if code in CODES:
            kind: type[ProviderError] | None = CODES[code]
        case _:
            kind = STATUSES.get(answer.status)
    error = refused_or_unclear(kind, answer, submitting=submitting)
    error.facts["setting"] = "SCENES_MODEL" if isinstance(error, ModelRetired) else "OPENAI_API_KEY"
    return error


def payload(model: Model, idea: str, character: str, scenes: int, again: Again | None = None) -> dict[str, Any]:
    """The body of the one call."""
    array = {"type": "array", "items": dict(SCENE), "minItems": scenes, "maxItems": scenes}
    wanted = {"type": "object", "properties": {"scenes": array}, "required": ["scenes"], "additionalProperties": False}
    return {
        "model": model.id,
        "messages": [
            {"role": "system", "content": DIRECTOR.format(scenes=scenes)},
            {"role": "user", "content": asked(idea, character, again)},
        ],
        "response_format": {"type": "json_schema", "json_schema": {"name": "scenes", "strict": True, "schema": wanted}},
        "max_completion_tokens": _output_tokens(model, scenes),
    }


def read_script(data: Any, model: Model, scenes: int) -> Script:
    """The script of an answer. Raises ContentRefused, Unavailable (it was cut off) or Garbled."""
    match data:
        case {"choices": [{"finish_reason": "content_filter"}, *_]} | {
            "choices": [{"message": {"refusal": str()}}, *_]
        }:
            raise ContentRefused("the script was declined")
        case {"choices": [{"finish_reason": "length"}, *_]}:
            raise Unavailable("the script was cut off")
        case {"choices": [{"message": {"content": str(content)}}, *_]}:
            pass
        case _:
            raise Garbled("an answer without a message")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise Garbled("the scenes are no JSON") from None
    drafts = scenes_of(found.get("scenes") if isinstance(found, dict) else found, scenes)
    return Script(drafts, OpenAIScenes.name, model.id, _usd(data.get("usage"), model))


def _usd(usage: Any, model: Model) -> float | None:
    match usage:
        case {"prompt_tokens": int(sent), "completion_tokens": int(written)}:
            prices = _prices(model)
            return float(prices[0] * sent + prices[1] * written) / 1e6
        case _:
            return None


def _prices(model: Model) -> tuple[Decimal, Decimal]:
    sent, written = (model.options.get(name, 0) for name in PRICED)
    return Decimal(str(sent)), Decimal(str(written))


def _output_tokens(model: Model, scenes: int) -> int:
    return int(model.options.get("thinking_tokens", 4096)) + int(model.options.get("tokens_per_scene", 800)) * scenes


class OpenAIScenes:
    """Implements ``core.ports.SceneWriter``."""

    name = "openai"

    def __init__(self, model: Model, line: Line) -> None:
        """``line`` ends at the server's root, without ``/v1``."""
        self._model, self._line = model, line

    def estimate(self, scenes: int) -> Price:
        """The most that it may cost: all the tokens that may be sent and written."""
        sent, written = _prices(self._model)
        usd = (sent * INPUT_TOKENS + written * _output_tokens(self._model, scenes)) / 1_000_000
        return Price(int((usd * 100).to_integral_value(rounding=ROUND_CEILING)))

    async def write(self, idea: str, character: str, scenes: int, again: Again | None = None) -> Script:
        """Ask once."""
        body = payload(self._model, idea, character, scenes, again)
        answer = await self._line.submit("/v1/chat/completions", body)
        return read_script(answer.data, self._model, scenes)

    async def check(self) -> str:
        """Whether the key is taken; a server that does not list the model may still have it."""
        answer = await self._line.ask("GET", "/v1/models")
        listed = answer.data.get("data") if isinstance(answer.data, dict) else None
        names = {each.get("id") for each in listed if isinstance(each, dict)} if isinstance(listed, list) else set()
        if names and self._model.id not in names:
            raise ModelRetired(f"the server does not list {self._model.id}: set SCENES_MODEL", setting="SCENES_MODEL")
        return f"the server answers, and {self._model.id} is there"

    async def close(self) -> None:
        """Free connections."""
        await self._line.close()


def _check(model: Model) -> None:
    for name, whole in (*((name, False) for name in PRICED), *((name, True) for name in COUNTED)):
        value = model.options.get(name, 0)
        if type(value) not in ((int,) if whole else (int, Decimal)) or not 0 <= value <= 1_000_000:
            kind = "a whole number" if whole else "a number"
            raise BadSheet(f"openai.toml, model {model.id}: options.{name} wants {kind} from 0 to 1000000")


def scenes(settings: Any, world: Connect) -> OpenAIScenes:
    """Connect the writer. A model that is only named costs like the first one of the sheet."""
    known = read_sheet("openai", own=world.scratch).models
    wanted = settings.scenes_model
    model = next((each for each in known if each.id == wanted), known[0])
    for each in known:
        _check(each)
    key = settings.openai_api_key
    headers = {} if key is None else {"Authorization": f"Bearer {key.get_secret_value()}"}
    return OpenAIScenes(replace(model, id=wanted or model.id), Line(settings.openai_url, partial(read_error), headers))
