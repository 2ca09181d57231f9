"""A generator that bills: what every vendor's simulator shares, whatever wire it speaks.

Faults are scripted per prompt: ``vendor.on("word", Script(...))`` applies to each job whose prompt contains the word, so many jobs
may run side by side, each with its own fate. The same scripts work for all vendors; a subclass says them in its vendor's words.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from tests.lab.clips import GARBAGE, PAGE, clip_bytes, huge_pieces
from tests.lab.server import Simulator, cut

Result = Literal["clip", "webm", "truncated", "html", "garbage", "empty", "oversized", "slow", "gone", "large", "huge"]


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
    wish: dict[str, Any] = field(default_factory=dict)
    """The whole order, as the vendor's wire has it."""
    references: tuple[bytes, ...] = ()
    last_picture: bytes | None = None
    """With which the clip is to end."""
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


@dataclass(frozen=True, slots=True)
class State:
    """Where a job is: ``progress`` from 0 to 1 where the script tells it, ``code`` why no clip comes (``content``, ``cancelled`` …)."""

    kind: Literal["waiting", "ready", "failed"]
    progress: float | None = None
    code: str = ""


@dataclass(slots=True)
class _Scripted:
    word: str
    script: Script
    used: Counter[str] = field(default_factory=Counter)


class PaidVendor(Simulator):
    """Jobs, scripts, bills and the journal. ``paid`` counts billed submits by attempt, or by prompt where the wire names no attempt.

    A subclass makes the routes. For a submit: ``fault = self.fate(prompt)``; a ``Refuse`` is answered and nothing is billed, else
    ``job = self.bill(...)`` and ``return await self.answered(request, fault, answer)``. For a poll: ``self.poll_refusal(job)``, then
    ``self.state(job)``. For a result: ``await self.send_result(request, job)``.
    """

    def __init__(self, *, default: Script | None = None) -> None:
        super().__init__()
        self.default = default or Script()
        self.jobs: dict[str, VendorJob] = {}
        self.paid: Counter[str] = Counter()
        self.journal: list[Entry] = []
        self.down = False
        """While true every connection is cut."""
        self.ahead = 0.0
        """Seconds by which the time of its jobs has been moved on."""
        self.huge_bytes = 100_000_000
        """How long the result ``huge`` is."""
        self.strange: list[tuple[int, str, bytes]] = []
        """(status, content type, body) with which the next requests are answered, whatever they are."""
        self._scripts: list[_Scripted] = []
        self._ids = itertools.count(1)
        self._released: set[str] = set()

    def environment(self) -> dict[str, str]:
        """The settings of a process that has this generator and no other paid one."""
        raise NotImplementedError

    async def interfere(self, request: web.Request) -> web.StreamResponse | None:
        """Cut while it is down; answer strangely what is to be answered so."""
        if self.down:
            cut(request)
            return web.Response(status=503)
        if not self.strange:
            return None
        status, mime, body = self.strange.pop(0)
        return web.Response(status=status, content_type=mime, body=body)

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

    # ------------------------------------------------------------------------------------------------- for the vendor's own routes

    def now(self) -> float:
        """Seconds, moved on by ``ahead``."""
        return time.monotonic() + self.ahead

    def note(self, call: str, attempt: str | None, job: str | None, status: int | str) -> None:
        """Write a line of the journal; ``call`` is submit, find, poll, cancel, fetch, release or a word of the vendor's own."""
        self.journal.append(Entry(time.monotonic(), call, attempt, job, status))

    def fate(self, prompt: str) -> Refuse | Take:
        """What becomes of this submit; each call uses one up."""
        rule = self._scripted(prompt)
        number = rule.used["submit"]
        rule.used["submit"] += 1
        return rule.script.submits[number] if number < len(rule.script.submits) else Take()

    def script(self, prompt: str) -> Script:
        """The script of a prompt; uses nothing up."""
        return self._scripted(prompt).script

    def bill(self, prompt: str, *, id: str | None = None, attempt: str | None = None, **facts: Any) -> VendorJob:  # noqa: A002
        """Take the job: from here on it is paid. ``attempt`` as the wire names it; ``facts`` are further fields of the job."""
        job = VendorJob(
            id or f"v{next(self._ids)}",
            prompt if attempt is None else attempt,
            prompt,
            self._scripted(prompt).script,
            self.now(),
            **facts,
        )
        self.jobs[job.id] = job
        self.paid[job.attempt] += 1
        return job

    async def answered(
        self, request: web.Request, job: VendorJob, fault: Take, answer: web.Response
    ) -> web.StreamResponse:
        """Answer a submit that was billed, or let the answer be lost as ``fault`` says."""
        self.note("submit", job.attempt, job.id, answer.status if fault.then == "answer" else fault.then)
        if fault.then == "hang":
            await asyncio.sleep(fault.seconds or 3600)
        elif fault.seconds:
            await asyncio.sleep(fault.seconds)
        if fault.then == "error":
            return web.json_response({"error": "internal"}, status=500)
        if fault.then == "cut":
            cut(request)
        if fault.then == "garbage":
            return web.Response(body=PAGE, content_type="text/html")
        return answer

    def poll_refusal(self, job: VendorJob) -> Refuse | None:
        """What this poll is answered with in place of the truth; counts the poll."""
        number, job.polls = job.polls, job.polls + 1
        return job.script.polls[number] if number < len(job.script.polls) else None

    def state(self, job: VendorJob) -> State:
        """Where the job is."""
        script, elapsed = job.script, self.now() - job.began
        if job.cancelled and script.stops:
            return State("failed", code="cancelled")
        ready = script.seconds is not None and elapsed >= script.seconds
        if not ready and not any(word in job.prompt for word in self._released):
            progress = min(0.99, elapsed / (script.seconds or 60.0)) if script.fractions else None
            return State("waiting", progress=progress)
        return State("ready") if script.fails is None else State("failed", code=script.fails)

    async def send_result(self, request: web.Request, job: VendorJob) -> web.StreamResponse:
        """The clip, or what the script sends in its place."""
        kind = self.next_result(job)
        self.note("fetch", job.attempt, job.id, kind)
        return await (_pour(request, self.huge_bytes) if kind == "huge" else _send(request, kind))

    def next_result(self, job: VendorJob) -> Result:
        """What this download brings; each call uses one up."""
        number, job.downloads = job.downloads, job.downloads + 1
        return job.script.results[number] if number < len(job.script.results) else job.script.result

    def _scripted(self, prompt: str) -> _Scripted:
        return next((each for each in self._scripts if each.word in prompt), _Scripted("", self.default))


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


async def _pour(request: web.Request, size: int) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "video/mp4"})
    response.content_length = size
    await response.prepare(request)
    for piece in huge_pieces(size):
        await response.write(piece)
        await asyncio.sleep(0)  # a socket that takes everything at once would leave the loop no turn
    return response


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
