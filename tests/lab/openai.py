"""A simulator of an OpenAI-compatible server's chat completions, strict about the body; it answers with as many scenes as asked."""

from __future__ import annotations

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
from aiohttp import web

from tests.lab.billing import PaidVendor, Refuse

KEY = "sk-lab-5c0e7d31f2a94b68"
BODY: dict[str, Any] = {
    "type": "object",
    "required": ["model", "messages", "response_format", "max_completion_tokens"],
    "additionalProperties": False,
    "properties": {
        "model": {"type": "string"},
        "max_completion_tokens": {"type": "integer", "minimum": 1},
        "messages": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["role", "content"],
                "additionalProperties": False,
                "properties": {"role": {"enum": ["system", "user"]}, "content": {"type": "string", "minLength": 1}},
            },
        },
        "response_format": {
            "type": "object",
            "required": ["type", "json_schema"],
            "properties": {
                "type": {"const": "json_schema"},
                "json_schema": {
                    "type": "object",
                    "required": ["name", "schema"],
                    "additionalProperties": False,
                    "properties": {
                        "name": {"type": "string"},
                        "strict": {"type": "boolean"},
                        "schema": {"type": "object"},
                    },
                },
            },
        },
    },
}
CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


class OpenAI(PaidVendor):
    """``ends``: why an answer ends; ``content`` and ``message``: what is answered in place of the script."""

    def __init__(self, key: str | None = KEY) -> None:
        super().__init__()
        self.key, self.models = key, ["gpt-5-mini", "llama-9"]
        self.ends = "stop"
        self.content: str | None = None
        self.message: dict[str, Any] = {}
        self.code: str | None = None

    def environment(self) -> dict[str, str]:
        return {"OPENAI_BASE_URL": self.url, **({} if self.key is None else {"OPENAI_API_KEY": self.key})}

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/models", self._list)

    def _stranger(self, request: web.Request) -> web.Response | None:
        if self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}":
            return self._refusal(Refuse(401))
        return None

    def _refusal(self, fault: Refuse) -> web.Response:
        code = self.code or CODES.get(fault.status)
        error = {"message": "Something about sk-lab and the prompt", "type": "error", "param": None, "code": code}
        headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
        return web.json_response({"error": error}, status=fault.status, headers=headers)

    async def _list(self, request: web.Request) -> web.Response:
        data = [{"id": each, "object": "model"} for each in self.models]
        return self._stranger(request) or web.json_response({"object": "list", "data": data})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        stranger = self._stranger(request)
        if stranger is not None:
            return stranger
        data = await request.json()
        jsonschema.validate(data, BODY)
        wanted = data["response_format"]["json_schema"]["schema"]
        jsonschema.Draft202012Validator.check_schema(wanted)
        prompt = data["messages"][-1]["content"]
        fault = self.fate(prompt)
        if isinstance(fault, Refuse):
            self.note("submit", None, None, fault.status)
            return self._refusal(fault)
        job = self.bill(prompt, wish=data)
        number = wanted["properties"]["scenes"]["maxItems"]
        script = {
            "scenes": [{"description": f"Scene {n} of it", "negative_description": "text"} for n in range(number)]
        }
        jsonschema.validate(script, wanted)
        content = json.dumps(script) if self.content is None else self.content
        choice = {
            "index": 0,
            "finish_reason": self.ends,
            "message": {"role": "assistant", "content": content, **self.message},
        }
        usage = {"prompt_tokens": 1000, "completion_tokens": 2000, "total_tokens": 3000}
        answer = {
            "id": job.id,
            "object": "chat.completion",
            "model": data["model"],
            "choices": [choice],
            "usage": usage,
        }
        return await self.answered(request, job, fault, web.json_response(answer))
