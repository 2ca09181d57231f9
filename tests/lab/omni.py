"""A simulator of Gemini Omni: the Interactions API and the files of the Gemini API, as far as clips need them.

======================================================  ================================================================
``POST /v1beta/interactions`` (also ``/v1``)            a background interaction: billed from here on
``GET  …/interactions/{id}``                            ``{id, status, steps, usage, errors}``
``POST …/interactions/{id}/cancel``                     the interaction; 400 when it has ended
``GET  /v1beta/files/{id}``                             ``{name, state}``
``GET  /v1beta/files/{id}:download?alt=media``          the clip
``GET  /v1beta/models/{id}``                            what the check looks at
======================================================  ================================================================

Sources: ai.google.dev/gemini-api/docs/omni (October 2026), the types of google-genai 3.4.0, and for the numbers of tokens a published
measurement of September 2026. What a file says while it is worked on, and what cancelling an ended interaction answers, are guesses.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from typing import Any, Final

from aiohttp import web

from tests.lab.billing import Refuse, Script, VendorJob
from tests.lab.clips import clip_bytes, huge_inside
from tests.lab.google_door import KEY, GoogleDoor, google_error, is_right

__all__ = ["KEY", "OmniVendor"]

TOKENS: Final = {"360p": 1931, "720p": 5792, "1080p": 8688, "4k": 17376}
"""Of video a second."""
SECONDS: Final = {"gemini-omni-1.2-flash": range(3, 16), "gemini-omni-1.1-flash": range(3, 11)}
REFERENCES: Final = {"gemini-omni-1.2-flash": 6, "gemini-omni-1.1-flash": 3}
MARK: Final = "SHVnZQ=="
"""Stands where a huge clip will be written."""
HOST: Final = "https://generativelanguage.googleapis.com"


class OmniVendor(GoogleDoor):
    """``inline``: whether a look at an interaction brings the clip in base64, as Google's page says that it may. ``echoes``: whether it
    repeats what it was asked with, pictures included. ``processing``: how many looks at a file find it worked on.
    """

    models = tuple(SECONDS)

    def __init__(self, *, default: Script | None = None, inline: bool = False, echoes: bool = False) -> None:
        super().__init__(default=default)
        self.inline, self.echoes = inline, echoes
        self.processing = 0
        self.file_state = "ACTIVE"
        self.status = "in_progress"
        """Of an interaction that is worked on."""
        self.at_once = False
        """Whether an interaction is answered when it is completed, as if nobody had asked for the background."""
        self.uri = f"{HOST}/v1beta/files/{{file}}:download?alt=media"

    def routes(self, app: web.Application) -> None:
        super().routes(app)
        for version in ("v1", "v1beta"):
            app.router.add_post(f"/{version}/interactions", self._create)
            app.router.add_get(f"/{version}/interactions/{{id}}", self._get)
            app.router.add_post(f"/{version}/interactions/{{id}}/cancel", self._cancel)
        app.router.add_get("/v1beta/files/{file:[^:/]+}", self._file)
        app.router.add_get("/v1beta/files/{file:[^:/]+}:download", self._download)

    # ------------------------------------------------------------------------------------------------------------------ submit

    async def _create(self, request: web.Request) -> web.StreamResponse:
        order = await request.json()
        if isinstance(order, dict) and isinstance(order.get("model"), str) and order["model"] not in SECONDS:
            self.note("submit", None, None, 404)
            return google_error(404)
        wrong = _wrong(order)
        if wrong:
            self.note("submit", None, None, 400)
            return _interaction_error(400, "invalid_request", wrong)
        content = order["input"][0]["content"]
        prompt = _own_words(content[-1]["text"])
        fault = self.fate(prompt)
        if isinstance(fault, Refuse):
            return self.refusal(fault, prompt)
        pictures = [base64.b64decode(part["data"]) for part in content if part["type"] == "image"]
        first = "<FIRST_FRAME>" in content[-1]["text"]
        job = self.bill(
            prompt,
            picture=pictures[0] if first else None,
            references=tuple(pictures[1:] if first else pictures),
            wish=order,
        )
        if self.at_once:
            job.began -= 3600
        answer = self._told(job, inline=False) if self.at_once else {**_head(job), "status": "in_progress"}
        return await self.answered(request, job, fault, web.json_response(answer))

    # -------------------------------------------------------------------------------------------------------------------- look

    async def _get(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(_id(request.match_info["id"]))
        if job is None or job.script.forgets:
            self.note("poll", None, request.match_info["id"], 404)
            return _interaction_error(404, "not_found", "Requested entity was not found.")
        refusal = self.poll_refusal(job)
        if refusal is not None:
            self.note("poll", job.attempt, job.id, refusal.status)
            return google_error(refusal.status, refusal.code, refusal.retry_after)
        answer = await asyncio.to_thread(self._told, job, inline=self.inline)
        self.note("poll", job.attempt, job.id, answer["status"])
        assert is_right("interactions", "Interaction", answer), answer["status"]
        before, mark, after = json.dumps(answer).partition(MARK)
        if mark:
            body = huge_inside(before, self.huge_bytes, after)
            return web.Response(body=body, content_type="application/json")
        return web.json_response(answer)

    def _told(self, job: VendorJob, *, inline: bool) -> dict[str, Any]:
        state, head = self.state(job), _head(job)
        asked = {"type": "user_input", "content": job.wish["input"][0]["content"]}
        steps: list[dict[str, Any]] = [asked] if self.echoes else []
        if state.kind == "waiting":
            return {**head, "status": self.status, "steps": steps}
        if state.kind == "failed":
            return {**head, **_failure(state.code, steps)}
        form = job.wish["response_format"]
        tokens = TOKENS[form.get("resolution", "720p")] * int(form.get("duration", "10s")[:-1])
        video: dict[str, Any] = {"type": "video", "mime_type": "video/mp4"}
        if inline:
            kind = self.next_result(job)
            self.note("fetch", job.attempt, job.id, kind)
            file = clip_bytes(".webm") if kind == "webm" else clip_bytes()
            video["data"] = MARK if kind == "huge" else base64.b64encode(file).decode()
        else:
            video["uri"] = self.uri.format(file=_file(job.id))
        usage = {
            "total_input_tokens": 20,
            "total_output_tokens": tokens,
            "output_tokens_by_modality": [{"modality": "video", "tokens": tokens}],
        }
        thought = {"type": "thought", "signature": "c2lnbmF0dXJl"}
        steps += [thought, {"type": "model_output", "content": [video]}]
        return {**head, "status": "completed", "steps": steps, "usage": usage}

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(_id(request.match_info["id"]))
        if job is None:
            return _interaction_error(404, "not_found", "Requested entity was not found.")
        if self.state(job).kind != "waiting":
            self.note("cancel", job.attempt, job.id, 400)
            return _interaction_error(400, "failed_precondition", "The interaction is not running.")
        job.cancelled = True
        self.note("cancel", job.attempt, job.id, "stopped" if job.script.stops else "still billed")
        return web.json_response(self._told(job, inline=False))

    # ------------------------------------------------------------------------------------------------------------------- files

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["file"]
        job = self._of_file(name)
        if job is None:
            return google_error(403)  # as Google answers for a file that is not there
        state, self.processing = ("PROCESSING", self.processing - 1) if self.processing else (self.file_state, 0)
        self.note("file", job.attempt, job.id, state)
        answer = {"name": f"files/{name}", "mimeType": "video/mp4", "state": state, "source": "GENERATED"}
        return web.json_response(answer)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        job = self._of_file(request.match_info["file"])
        if job is None or request.query.get("alt") != "media":
            return google_error(403)
        return await self.send_result(request, job)

    def _of_file(self, name: str) -> VendorJob | None:
        return next((job for job in self.jobs.values() if _file(job.id) == name), None)


def _id(name: str) -> str:
    return name.removeprefix("v1_")


def _file(job: str) -> str:
    return f"clip{job}"


def _head(job: VendorJob) -> dict[str, Any]:
    return {"id": f"v1_{job.id}", "model": job.wish["model"], "created": "2026-11-22T10:00:00Z"}


def _own_words(text: str) -> str:
    """The order's own words: the first line that declares nothing."""
    lines = [line for line in text.split("\n") if not line.startswith(("[#", "Extend this video."))]
    return lines[0] if lines else ""


def _failure(code: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    nothing = {"total_output_tokens": 0, "total_input_tokens": 20}
    match code:
        case "cancelled" | "budget_exceeded" | "incomplete" | "requires_action":
            return {"status": code, "steps": steps}
        case "content":  # a refusal comes quickly, and as if all were well
            return {"status": "completed", "steps": steps, "usage": nothing}
        case "words":  # the model says in words why not
            said = {"type": "model_output", "content": [{"type": "text", "text": "I can't make that."}]}
            return {"status": "completed", "steps": [*steps, said], "usage": nothing}
        case "safety":
            error = {"code": "safety", "message": "Input blocked: The prompt could not be processed."}
        case _:
            error = {"code": code, "message": "Something went wrong."}
    return {"status": "failed", "steps": steps, "errors": [error]}


def _interaction_error(status: int, code: str, message: str) -> web.Response:
    """A refusal as the Interactions API says it."""
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


def _wrong(order: Any) -> str:
    """What is wrong with an order; nothing when it is right."""
    if not is_right("interactions", "CreateModelInteraction", order):
        return "Invalid JSON payload received. Unknown name or value."
    form, settings = order.get("response_format"), order.get("generation_config", {})
    steps = order.get("input")
    if not isinstance(form, dict) or form.get("type") != "video" or form.get("delivery") != "uri":
        return "response_format: this lab delivers by uri."
    if order.get("background") is not True or "stream" in order or order.get("store") is False:
        return "A video is a background interaction."
    if not isinstance(steps, list) or len(steps) != 1 or steps[0].get("type") != "user_input":
        return "input wants one user_input."  # the SDK wraps a list of contents
    content = steps[0]["content"]
    if [part["type"] for part in content].count("text") != 1 or content[-1]["type"] != "text":
        return "The text stands behind the media."
    if not 0 <= settings.get("seed", 0) < 2**31:
        return "generation_config.seed is an int32."
    duration = re.fullmatch(r"(\d+)s", form.get("duration", "10s"))
    seconds = SECONDS[order["model"]]
    if duration is None or int(duration[1]) not in seconds:
        return "response_format.duration is out of range."
    return _wrong_media(order, content, settings.get("video_config", {}).get("task"), int(duration[1]))


def _wrong_media(order: dict[str, Any], content: list[dict[str, Any]], task: str | None, seconds: int) -> str:
    text, kinds = content[-1]["text"], [part["type"] for part in content[:-1]]
    if any(not base64.b64decode(part["data"], validate=True) for part in content[:-1]):
        return "Empty media."
    images, videos = kinds.count("image"), kinds.count("video")
    if "<LAST_FRAME>" in text and "<FIRST_FRAME>" not in text:
        return "LAST_FRAME must be used with FIRST_FRAME."
    declared = set(re.findall(r"@Image(\d+)", text))
    if declared != {str(n + 1) for n in range(images)}:
        return "Every image has a role, and every role its image."
    references = len(re.findall(r"<IMAGE_REF_\d+>@", text))
    if references > REFERENCES[order["model"]]:
        return "Too many reference images."
    if videos and (task != "extend" or images or seconds > 10 or "aspect_ratio" in order["response_format"]):
        return "Extension takes one video, and at most 10 seconds."
    wanted = {"text_to_video": images == 0 and not videos, "image_to_video": images == 1, "extend": videos == 1}
    if not wanted.get(task or "", True) or (task == "reference_to_video" and not references):
        return f"The task {task} does not fit its media."
    return ""
