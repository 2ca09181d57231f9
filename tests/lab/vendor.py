"""A simulator of a paid generator: an HTTP server that bills every job it takes, writes down every request, and fails on demand.

Faults are scripted per prompt: ``vendor.on("word", Script(...))`` applies to each job whose prompt contains the word, so many jobs
may run side by side, each with its own fate.

==========================  ==================================================================================================
``POST /jobs``              ``{attempt, prompt, seconds, picture, references, …}`` → 201 ``{id}``: billed from here on
``GET /jobs?attempt=``      ``{jobs: [{id}], complete}``: look an attempt up
``GET /jobs/{id}``          ``{status: waiting|ready|failed, progress, cost_usd, result, code}``
``POST /jobs/{id}/cancel``  ``{stopped}``
``DELETE /jobs/{id}``       204: the result may be thrown away
``GET /results/{id}``       the clip
==========================  ==================================================================================================
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from tests.lab.clips import GARBAGE, PAGE, clip_bytes
from tests.lab.server import Simulator, cut

KEY = "lab-key-4f1d0c5e9b7a"
"""The only key that the vendor takes; a canary, too: it must never be seen in a log."""

Result = Literal["clip", "webm", "truncated", "html", "garbage", "empty", "oversized", "slow", "gone", "large"]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer a submit with ``status`` and take nothing."""

    status: int
    code: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Take:
    """Take and bill the job, then let something happen to the answer."""

    then: Literal["answer", "error", "cut", "hang", "garbage"] = "answer"
    seconds: float = 0.0
    """How long the answer takes."""


@dataclass(slots=True)
class Script:
    """The fate of a job. Sequences are used up in order; when they are empty all goes well."""

    submits: Sequence[Refuse | Take] = ()
    polls: Sequence[Refuse] = ()
    """What the first polls are answered with."""
    results: Sequence[Result] = ()
    """What the first downloads bring; then ``result``."""
    result: Result = "clip"
    seconds: float | None = 0.1
    """Work time; None: never ready."""
    fails: str | None = None
    """The job ends without a clip for this reason: ``content``, ``internal`` …"""
    forgets: bool = False
    """After the submit the vendor knows nothing of the job any more."""
    fractions: bool = True
    cost_usd: float | None = None
    stops: bool = True
    """Whether cancel ends the billing."""


@dataclass(slots=True)
class VendorJob:
    """One billed job."""

    id: str
    attempt: str
    prompt: str
    script: Script
    began: float
    picture: bytes | None = None
    """With which the clip is to begin."""
    references: tuple[bytes, ...] = ()
    polls: int = 0
    downloads: int = 0
    cancelled: bool = False
    released: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal."""

    at: float
    call: str
    attempt: str | None
    job: str | None
    status: int | str
    """Status of the answer, or what became of it."""


@dataclass(slots=True)
class _Scripted:
    word: str
    script: Script
    used: Counter[str] = field(default_factory=Counter)


class Vendor(Simulator):
    """The paid generator. ``paid`` counts billed submits by attempt."""

    def __init__(self, *, default: Script | None = None, complete: bool = True) -> None:
        """``complete``: whether the list of jobs can be trusted to be whole."""
        super().__init__()
        self.default = default or Script()
        self.complete = complete
        self.hidden = False
        """While true the list finds nothing and says that it is not complete."""
        self.jobs: dict[str, VendorJob] = {}
        self.paid: Counter[str] = Counter()
        self.journal: list[Entry] = []
        self.down = False
        self.ahead = 0.0
        """Seconds by which the time of its jobs has been moved on."""
        self._scripts: list[_Scripted] = []
        self._refusals: Counter[str] = Counter()
        self._ids = itertools.count(1)
        self._released: set[str] = set()

    def on(self, word: str, script: Script) -> None:
        """Jobs whose prompt contains ``word`` go by ``script``; the newest rule wins."""
        self._scripts.insert(0, _Scripted(word, script))

    def finish(self, word: str) -> None:
        """Let every waiting job whose prompt contains ``word`` be ready now."""
        self._released.add(word)

    def of(self, word: str) -> list[VendorJob]:
        """The billed jobs whose prompt contains ``word``."""
        return [job for job in self.jobs.values() if word in job.prompt]

    def calls(self, call: str, attempt: str | None = None) -> list[Entry]:
        """Lines of the journal by call."""
        return [line for line in self.journal if line.call == call and attempt in (None, line.attempt)]

    def forget_scripts(self) -> None:
        """All jobs from now on go by the default, and none is let be ready before its time; what was billed stays known."""
        self._scripts.clear()
        self._released.clear()

    def forget_all(self) -> None:
        """Start a new page of the journal; scripts are dropped too."""
        self.jobs.clear()
        self.paid.clear()
        self.journal.clear()
        self._scripts.clear()
        self._released.clear()

    # ------------------------------------------------------------------------------------------------------------------- routes

    def routes(self, app: web.Application) -> None:
        app.middlewares.append(self._door)
        app.router.add_post("/jobs", self._submit)
        app.router.add_get("/jobs", self._list)
        app.router.add_get("/jobs/{id}", self._poll)
        app.router.add_post("/jobs/{id}/cancel", self._cancel)
        app.router.add_delete("/jobs/{id}", self._release)
        app.router.add_get("/results/{id}", self._result)

    @web.middleware
    async def _door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.down:
            cut(request)
            return web.Response(status=503)
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            self._note("unauthorised", None, None, 401)
            return web.json_response({"code": "key"}, status=401)
        response: web.StreamResponse = await handler(request)
        return response

    def _now(self) -> float:
        return time.monotonic() + self.ahead

    def _note(self, call: str, attempt: str | None, job: str | None, status: int | str) -> None:
        self.journal.append(Entry(time.monotonic(), call, attempt, job, status))

    def _scripted(self, prompt: str) -> _Scripted:
        return next((each for each in self._scripts if each.word in prompt), _Scripted("", self.default))

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        data = await request.json()
        attempt, prompt = str(data["attempt"]), str(data["prompt"])
        rule = self._scripted(prompt)
        number = rule.used["submit"]
        rule.used["submit"] += 1
        fault = rule.script.submits[number] if number < len(rule.script.submits) else Take()
        if isinstance(fault, Refuse):
            self._note("submit", attempt, None, fault.status)
            return _refusal(fault)
        first, others = data.get("picture"), data.get("references", ())
        job = VendorJob(
            f"v{next(self._ids)}",
            attempt,
            prompt,
            rule.script,
            self._now(),
            picture=None if first is None else base64.b64decode(first),
            references=tuple(base64.b64decode(each) for each in others),
        )
        self.jobs[job.id] = job
        self.paid[attempt] += 1
        self._note("submit", attempt, job.id, 201 if fault.then == "answer" else fault.then)
        if fault.then == "hang":
            await asyncio.sleep(fault.seconds or 3600)
        elif fault.seconds:
            await asyncio.sleep(fault.seconds)
        if fault.then == "error":
            return web.json_response({"code": "internal"}, status=500)
        if fault.then == "cut":
            cut(request)
        if fault.then == "garbage":
            return web.Response(body=PAGE, content_type="text/html")
        return web.json_response({"id": job.id}, status=201)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        attempt = request.query.get("attempt", "")
        known = [] if self.hidden else [job for job in self.jobs.values() if job.attempt == attempt]
        self._note("find", attempt, known[0].id if known else None, 200)
        return web.json_response(
            {"jobs": [{"id": job.id} for job in known], "complete": self.complete and not self.hidden}
        )

    async def _poll(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is None or job.script.forgets:
            self._note("poll", None, request.match_info["id"], 404)
            return web.json_response({"code": "unknown"}, status=404)
        number, job.polls = job.polls, job.polls + 1
        if number < len(job.script.polls):
            self._note("poll", job.attempt, job.id, job.script.polls[number].status)
            return _refusal(job.script.polls[number])
        answer = self._state(job)
        self._note("poll", job.attempt, job.id, answer["status"])
        return web.json_response(answer)

    def _state(self, job: VendorJob) -> dict[str, Any]:
        script, elapsed = job.script, self._now() - job.began
        if job.cancelled and script.stops:
            return {"status": "failed", "code": "cancelled"}
        ready = script.seconds is not None and elapsed >= script.seconds
        if not ready and not any(word in job.prompt for word in self._released):
            progress = None
            if script.fractions:
                progress = min(0.99, elapsed / (script.seconds or 60.0))
            return {"status": "waiting", "progress": progress}
        if script.fails is not None:
            return {"status": "failed", "code": script.fails}
        return {"status": "ready", "result": f"/results/{job.id}", "cost_usd": script.cost_usd}

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return web.json_response({"code": "unknown"}, status=404)
        job.cancelled = True
        self._note("cancel", job.attempt, job.id, "stopped" if job.script.stops else "still billed")
        return web.json_response({"stopped": job.script.stops})

    async def _release(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is not None:
            job.released = True
        self._note("release", None if job is None else job.attempt, request.match_info["id"], 204)
        return web.Response(status=204)

    async def _result(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return web.json_response({"code": "unknown"}, status=404)
        number, job.downloads = job.downloads, job.downloads + 1
        kind = job.script.results[number] if number < len(job.script.results) else job.script.result
        self._note("fetch", job.attempt, job.id, kind)
        return await _send(request, kind)


def _refusal(fault: Refuse) -> web.Response:
    headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    return web.json_response({"code": fault.code}, status=fault.status, headers=headers)


async def _send(request: web.Request, kind: Result) -> web.StreamResponse:
    clip = clip_bytes()
    match kind:
        case "clip":
            return web.Response(body=clip, content_type="video/mp4")
        case "large":
            return web.Response(body=clip_bytes(seconds=4, noise=60, width=640), content_type="video/mp4")
        case "webm":
            return web.Response(body=clip_bytes(".webm"), content_type="video/webm")
        case "html":
            return web.Response(body=PAGE, content_type="text/html")
        case "garbage":
            return web.Response(body=GARBAGE, content_type="video/mp4")
        case "empty":
            return web.Response(body=b"", content_type="video/mp4")
        case "gone":
            return web.Response(status=410)
        case _:
            return await _drip(request, kind, clip)


async def _drip(request: web.Request, kind: Result, clip: bytes) -> web.StreamResponse:
    """Answers that need more than one write: cut off, in small pieces, or without end."""
    response = web.StreamResponse(headers={"Content-Type": "video/mp4"})
    if kind == "truncated":
        response.content_length = len(clip)
        await response.prepare(request)
        await response.write(clip[: len(clip) // 2])
        cut(request)
        return response
    if kind == "oversized":
        await response.prepare(request)
        await response.write(clip)
        for _ in range(64):  # 256 MB in all; the caller gives up long before
            await response.write(bytes(4 << 20))
        return response
    response.content_length = len(clip)
    await response.prepare(request)
    step = max(1, len(clip) // 20)
    for start in range(0, len(clip), step):
        await response.write(clip[start : start + step])
        await asyncio.sleep(0.05)
    return response
