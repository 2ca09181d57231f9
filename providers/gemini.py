"""Gemini as a writer of scenes and a painter of characters: one generateContent each, with a key of the Gemini API.

Both calls cost, so they are made once: the SDK's repeats are off, and so is its aiohttp transport, which repeats a broken POST by itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, Decimal
from functools import cache
from typing import Any, Final, TypeVar

import httpx2
from google import genai
from google.genai import errors, types

from core.errors import ContentRefused, Garbled, ProviderError, Unavailable
from core.money import Price
from core.ports import Again, Connect, EncodedPicture, Portrait, SceneDraft, Script
from providers.google_answers import ROOT, VERSION, answer_of, read_error
from providers.google_line import Door, Order, certificates, lost, nobody, ordering, rehearsed, speaking_through
from providers.line import SUBMIT_SECONDS, Answer, Line
from providers.scripts import CHARACTER, DIRECTOR, asked, scenes_of
from providers.sheets import BadSheet, Model, read_sheet

OPTIONS: Final = {
    "kind",
    "references",
    "thinking_tokens",
    "tokens_per_scene",
    "usd_per_million_input_tokens",
    "usd_per_million_output_tokens",
}
INPUT_TOKENS: Final = 8000
"""More than an idea and a character of so many characters have, with what we say ourselves."""
PICTURE_BYTES: Final = 20 << 20
ANSWER_BYTES: Final = 28 << 20
"""Of such a picture in base64, and what stands around it."""

REFUSALS: Final = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "NO_IMAGE",
    }
)
"""Reasons to finish that decline what was asked. The others are of the machine."""
BROKEN: Final = frozenset({"MAX_TOKENS", "LANGUAGE", "OTHER", "IMAGE_OTHER", "MALFORMED_RESPONSE"})

PAINTER: Final = (
    "Paint one picture of this person or thing, alone, from the front, whole and in focus, on a plain background, in even light, "
    "without text: "
)
SCENE: Final = types.Schema(
    type=types.Type.OBJECT,
    properties={
        "description": types.Schema(type=types.Type.STRING),
        "negative_description": types.Schema(type=types.Type.STRING),
    },
    required=["description", "negative_description"],
    property_ordering=["description", "negative_description"],
)


G = TypeVar("G", bound="_Gemini")


def script_config(model: Model, scenes: int) -> types.GenerateContentConfig:
    """How a script of so many scenes is asked for."""
    wanted = types.Schema(type=types.Type.ARRAY, items=SCENE, min_items=scenes, max_items=scenes)
    return types.GenerateContentConfig(
        system_instruction=DIRECTOR.format(scenes=scenes),
        response_mime_type="application/json",
        response_schema=wanted,
        max_output_tokens=_output_tokens(model, scenes),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


def portrait_config() -> types.GenerateContentConfig:
    """How a picture is asked for."""
    return types.GenerateContentConfig(
        response_modalities=["IMAGE"],
        image_config=types.ImageConfig(aspect_ratio="1:1", image_size="1K"),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


def read_scenes(response: types.GenerateContentResponse, scenes: int) -> tuple[SceneDraft, ...]:
    """Exactly so many scenes. Raises ContentRefused, Unavailable or Garbled."""
    text = "".join(part.text or "" for part in _parts(response) if not part.thought)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Garbled("the scenes are no JSON") from None
    return scenes_of(found, scenes)


def read_portrait(response: types.GenerateContentResponse) -> tuple[bytes, str]:
    """The picture and its MIME type. Raises ContentRefused where there is none but words, Unavailable or Garbled."""
    for part in _parts(response):
        blob = part.inline_data
        if part.thought or blob is None or not blob.data or not (blob.mime_type or "").startswith("image/"):
            continue
        if len(blob.data) > PICTURE_BYTES:
            raise Garbled("the picture is too large")
        return blob.data, str(blob.mime_type)
    raise ContentRefused("no picture came")


def _parts(response: types.GenerateContentResponse) -> list[types.Part]:
    """What was answered. Raises ContentRefused and Unavailable where the answer says so itself."""
    blocked = response.prompt_feedback.block_reason if response.prompt_feedback else None
    if blocked is not None:
        raise ContentRefused("the prompt was blocked", reason=_word(blocked))
    if not response.candidates:
        raise Garbled("an answer without a candidate")
    candidate = response.candidates[0]
    reason = _word(candidate.finish_reason)
    if reason in REFUSALS:
        raise ContentRefused("it was declined", reason=reason)
    if reason in BROKEN:
        raise Unavailable("it was not finished", reason=reason)
    return list(candidate.content.parts or ()) if candidate.content else []


def _word(reason: Any) -> str:
    """An enum's word, or ``OTHER`` for one that the SDK does not know: whatever a server writes there goes into no log."""
    known = {*types.FinishReason.__members__, *types.BlockedReason.__members__}
    word = str(getattr(reason, "value", reason or "STOP"))
    return word if word in known else "OTHER"


def script_usd(response: types.GenerateContentResponse, model: Model) -> float | None:
    """US dollars by the tokens that are counted; None where they are not, or their price is not known."""
    usage, prices = response.usage_metadata, _prices(model)
    if usage is None or prices is None or usage.prompt_token_count is None:
        return None
    written = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    return float(prices[0] * usage.prompt_token_count + prices[1] * written) / 1e6


def _prices(model: Model) -> tuple[Decimal, Decimal] | None:
    sent, written = (model.options.get(f"usd_per_million_{kind}_tokens") for kind in ("input", "output"))
    return None if sent is None or written is None else (Decimal(str(sent)), Decimal(str(written)))


def _output_tokens(model: Model, scenes: int) -> int:
    return int(model.options.get("thinking_tokens", 4096)) + int(model.options.get("tokens_per_scene", 800)) * scenes


def _credits(usd: Decimal) -> Price:
    return Price(int((usd * 100).to_integral_value(rounding=ROUND_CEILING)))


@dataclass(slots=True)
class _Gemini:
    """One model, and the connections to it."""

    model: Model
    setting: str
    client: genai.Client = field(repr=False)
    http: httpx2.AsyncClient = field(repr=False)
    line: Line = field(repr=False)
    name: str = "gemini"

    async def ask(
        self, words: str, config: types.GenerateContentConfig, pictures: Sequence[EncodedPicture] = ()
    ) -> types.GenerateContentResponse:
        """Ask once. Nothing that Google said goes along with an error."""
        with ordering({str(number): each.data for number, each in enumerate(pictures)}) as order:
            async with _asked(self.setting, order):
                parts = [
                    types.Part.from_bytes(data=order.marks[str(number)], mime_type=each.mime)
                    for number, each in enumerate(pictures)
                ]
                contents = types.Content(role="user", parts=[*parts, types.Part.from_text(text=words)])
                generate = self.client.aio.models.generate_content
                return await generate(model=self.model.id, contents=contents, config=config)

    async def check(self) -> str:
        """Whether the key is taken and the model is there."""
        await self.line.ask("GET", f"/{VERSION}/models/{self.model.id}")
        return f"the key is accepted, and {self.model.id} is there"

    async def close(self) -> None:
        """Free connections."""
        await self.http.aclose()
        await self.line.close()


class GeminiScenes(_Gemini):
    """Implements ``core.ports.SceneWriter``."""

    def estimate(self, scenes: int) -> Price:
        prices = _prices(self.model)
        if prices is None:
            return Price(0)
        return _credits((prices[0] * INPUT_TOKENS + prices[1] * _output_tokens(self.model, scenes)) / 1_000_000)

    async def write(self, idea: str, character: str, scenes: int, again: Again | None = None) -> Script:
        response = await self.ask(asked(idea, character, again), script_config(self.model, scenes))
        found = read_scenes(response, scenes)
        return Script(found, self.name, self.model.id, script_usd(response, self.model))


class GeminiCharacters(_Gemini):
    """Implements ``core.ports.CharacterPainter``."""

    def estimate(self) -> Price:
        return _credits(self.model.rate.flat or Decimal(0))

    async def paint(self, description: str, references: Sequence[EncodedPicture] = ()) -> Portrait:
        most = int(self.model.options.get("references", 0))
        words = PAINTER + description[:CHARACTER]
        data, mime = read_portrait(await self.ask(words, portrait_config(), references[:most]))
        flat = self.model.rate.flat
        return Portrait(data, mime, self.name, self.model.id, None if flat is None else float(flat))


@asynccontextmanager
async def _asked(setting: str, order: Order) -> AsyncIterator[None]:
    """One paid call of the SDK: its deadline, and its errors in our words."""
    try:
        async with asyncio.timeout(SUBMIT_SECONDS):
            yield
    except errors.APIError as error:
        headers = getattr(error.response, "headers", None)
        answer = answer_of(error.code, headers, error.details)
        raise read_error(answer, True, setting=setting) from None
    except Exception as error:  # noqa: BLE001 - of several libraries, and of the SDK where it cannot read the answer
        raise lost(error, order) from None


def scenes(settings: Any, world: Connect) -> GeminiScenes:
    """Connect the writer. Called in a worker thread."""
    return _connected(GeminiScenes, settings, world, kind="text", setting="SCENES_MODEL", wanted=settings.scenes_model)


def characters(settings: Any, world: Connect) -> GeminiCharacters:
    """Connect the painter. Called in a worker thread."""
    wanted = settings.character_model
    return _connected(GeminiCharacters, settings, world, kind="image", setting="CHARACTER_MODEL", wanted=wanted)


def _connected(make: type[G], settings: Any, world: Connect, *, kind: str, setting: str, wanted: str | None) -> G:
    key = (settings.gemini_api_key or settings.google_api_key).get_secret_value()
    root = settings.google_api_url or ROOT
    models = read_sheet("gemini", own=world.scratch).models
    for each in models:
        if unknown := set(each.options) - OPTIONS:
            raise BadSheet(
                f"gemini.toml, model {each.id}: options.{min(unknown)} is unknown; they take {', '.join(sorted(OPTIONS))}"
            )
    known = [model for model in models if model.options.get("kind") == kind]
    if not known:
        raise BadSheet(f'gemini.toml: no model has options = {{ kind = "{kind}" }}')
    model = next((each for each in known if each.id == wanted), known[0])
    http = speaking_through(Door(ANSWER_BYTES))

    def refused(answer: Answer, submitting: bool) -> ProviderError:  # noqa: FBT001 - as Line asks it
        return read_error(answer, submitting, setting=setting)

    line = Line(root, refused, {"x-goog-api-key": key})
    rehearsed()
    _rehearsed()
    return make(replace(model, id=wanted or model.id), setting, _client(key, root, http), http, line)


def _client(key: str, root: str, http: httpx2.AsyncClient) -> genai.Client:
    said: Mapping[str, Any] = {"candidates": [{"content": {"parts": [{"text": "[]"}]}, "finishReason": "STOP"}]}
    options = types.HttpOptions(
        base_url=root,
        api_version=VERSION,
        retry_options=types.HttpRetryOptions(attempts=1),
        httpx_client=nobody(said),
        httpx_async_client=http,
    )
    return genai.Client(vertexai=False, api_key=key, http_options=options)  # whatever the SDK finds in the environment


@cache
def _rehearsed() -> None:
    """Call everything once, to nobody: the SDK imports and builds its types at the first call."""
    client = _client("rehearsal", "http://localhost", httpx2.AsyncClient(verify=certificates()))
    client.models.generate_content(model="rehearsal", contents="", config=portrait_config())
