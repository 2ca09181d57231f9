"""A simulator of Gemini's generateContent, as far as scripts and pictures of characters need it.

``POST /v1beta/models/{model}:generateContent`` (also ``/v1``) with the key in ``x-goog-api-key``. A text model answers with as many
scenes as the schema asks for, an image model with a PNG. Scripts go by the words of the prompt; ``fails`` says how it declines or breaks:

==============================  ====================================================================================================
a block reason                  ``prohibited``: the prompt is blocked, there is no candidate
a reason to finish              ``SAFETY``, ``MAX_TOKENS``, ``IMAGE_SAFETY`` …: a candidate without content
``words``                       an image model that answers in words
``few``, ``many``, ``long``     scenes: one too few, one too many, far too long
``no json``, ``no scene``       scenes: a sentence, an object in place of a list
``no text``, ``no candidate``   a candidate without parts, an answer without a candidate
==============================  ====================================================================================================

Source: the API's published description (``tests/lab/specs/gemini.json``); what a refusal looks like, from Google's page on image models.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final

from aiohttp import web

from tests.lab.billing import Refuse, Script
from tests.lab.google_door import GoogleDoor, google_error, is_right, json_names

TEXT_MODELS: Final = ("gemini-3.8-flash",)
IMAGE_MODELS: Final = ("gemini-3.1-flash-image", "gemini-3-pro-image")
PNG: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
USAGE: Final = {
    "promptTokenCount": 400,
    "candidatesTokenCount": 900,
    "thoughtsTokenCount": 100,
    "totalTokenCount": 1400,
}


class GeminiVendor(GoogleDoor):
    """Counts a paid call by the text that was sent."""

    models = TEXT_MODELS + IMAGE_MODELS

    def __init__(self, *, default: Script | None = None) -> None:
        super().__init__(default=default)
        self.picture = PNG

    def routes(self, app: web.Application) -> None:
        super().routes(app)
        for version in ("v1", "v1beta"):
            app.router.add_post(f"/{version}/models/{{model:[^:/]+}}:generateContent", self._generate)

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        model, order = request.match_info["model"], json_names(await request.json())
        if model not in self.models:
            self.note("submit", None, None, 404)
            return google_error(404)
        if not is_right("gemini", "GenerateContentRequest", order) or _is_wrong(model, order):
            self.note("submit", None, None, 400)
            return google_error(400)
        parts = [part for content in order["contents"] for part in content["parts"]]
        prompt = "\n".join(part["text"] for part in parts if "text" in part)
        fault = self.fate(prompt)
        if isinstance(fault, Refuse):
            return self.refusal(fault, prompt)
        pictures = tuple(_bytes(part["inlineData"]["data"]) for part in parts if "inlineData" in part)
        job = self.bill(prompt, references=pictures, wish={"model": model, **order})
        answer = self._answer(model, order, job.script.fails)
        assert is_right("gemini", "GenerateContentResponse", answer)
        return await self.answered(request, job, fault, web.json_response(answer))

    def _answer(self, model: str, order: dict[str, Any], fails: str | None) -> dict[str, Any]:
        if fails == "prohibited":
            return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": USAGE}
        if fails == "no candidate":
            return {"usageMetadata": USAGE}
        if fails is not None and fails.isupper():
            return {"candidates": [{"finishReason": fails, "index": 0}], "usageMetadata": USAGE}
        if fails == "words":
            parts: list[dict[str, Any]] = [{"text": "I can't paint that."}]
        elif fails == "no text":
            parts = []
        elif model in IMAGE_MODELS:
            data = base64.b64encode(self.picture).decode()
            parts = [
                {"text": "Let me think.", "thought": True},
                {"inlineData": {"mimeType": "image/png", "data": data}},
            ]
        else:
            parts = [{"text": _scenes(order, fails)}]
        candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
        return {"candidates": [candidate], "usageMetadata": USAGE, "modelVersion": model}


def _bytes(said: str) -> bytes:
    """Both alphabets of base64 are taken; the SDK writes that of addresses."""
    return base64.b64decode(said.replace("-", "+").replace("_", "/"), validate=True)


def _scenes(order: dict[str, Any], fails: str | None) -> str:
    schema = order["generationConfig"]["responseSchema"]
    number = int(schema["minItems"]) + {"few": -1, "many": 1}.get(fails or "", 0)
    if fails == "no json":
        return "Here are your scenes:"
    if fails == "no scene":
        return json.dumps({"scenes": []})
    long = " and the light turns" * 100 if fails == "long" else ""
    scenes = [{"description": f"Scene {n + 1}{long}", "negative_description": "fog" + long} for n in range(number)]
    return json.dumps(scenes)


def _is_wrong(model: str, order: dict[str, Any]) -> bool:
    """What the spec does not say: a text model has a schema with bounds here, an image model the shape and the size of a picture."""
    settings = order.get("generationConfig", {})
    parts = [part for content in order.get("contents", ()) for part in content.get("parts", ())]
    if (
        not parts
        or any(len(part) != 1 for part in parts)
        or not all(c.get("role") == "user" for c in order["contents"])
    ):
        return True
    if model in IMAGE_MODELS:
        looks = settings.get("imageConfig", {})
        return (settings.get("responseModalities"), looks) != (["IMAGE"], {"aspectRatio": "1:1", "imageSize": "1K"})
    schema = settings.get("responseSchema", {})
    item = schema.get("items", {})
    return bool(
        settings.get("responseMimeType") != "application/json"
        or (schema.get("type"), item.get("type")) != ("ARRAY", "OBJECT")
        or schema.get("minItems") != schema.get("maxItems")
        or any(each.get("type") != "STRING" for each in item.get("properties", {}).values())
        or not set(item.get("required", ())) <= set(item.get("properties", {}))
        or not 1 <= settings.get("maxOutputTokens", 1) <= 65536
    )
