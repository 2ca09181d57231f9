"""A simulator of a paid generator: an HTTP server that bills every job it takes, writes down every request, and fails on demand.

The wire is our own; how it fails is scripted as for every vendor (``tests/lab/billing.py``).

==========================  ==================================================================================================
``POST /jobs``              ``{attempt, prompt, seconds, picture, references, last_picture, …}`` → 201 ``{id}``: billed from here on
``GET /jobs?attempt=``      ``{jobs: [{id}], complete}``: look an attempt up
``GET /jobs/{id}``          ``{status: waiting|ready|failed, progress, cost_usd, result, code}``
``POST /jobs/{id}/cancel``  ``{stopped}``
``DELETE /jobs/{id}``       204: the result may be thrown away
``GET /results/{id}``       the clip
==========================  ==================================================================================================
"""

from __future__ import annotations

import base64
from typing import Any

from aiohttp import web

from tests.lab.billing import Entry, PaidVendor, Refuse, Result, Script, Take, VendorJob

__all__ = ["KEY", "Entry", "Refuse", "Result", "Script", "Take", "Vendor", "VendorJob"]

KEY = "lab-key-4f1d0c5e9b7a"
"""The only key that the vendor takes; a canary, too: it must never be seen in a log."""


class Vendor(PaidVendor):
    """The paid generator of tests that are about something else."""

    def __init__(self, *, default: Script | None = None, complete: bool = True) -> None:
        """``complete``: whether the list of jobs can be trusted to be whole."""
        super().__init__(default=default)
        self.complete = complete
        self.hidden = False
        """While true the list finds nothing and says that it is not complete."""

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
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            self.note("unauthorised", None, None, 401)
            return web.json_response({"code": "key"}, status=401)
        response: web.StreamResponse = await handler(request)
        return response

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        data = await request.json()
        attempt, prompt = str(data["attempt"]), str(data["prompt"])
        fault = self.fate(prompt)
        if isinstance(fault, Refuse):
            self.note("submit", attempt, None, fault.status)
            return _refusal(fault)
        first, others, last = data.get("picture"), data.get("references", ()), data.get("last_picture")
        job = self.bill(
            prompt,
            attempt=attempt,
            picture=None if first is None else base64.b64decode(first),
            references=tuple(base64.b64decode(each) for each in others),
            last_picture=None if last is None else base64.b64decode(last),
            wish=data,
        )
        return await self.answered(request, job, fault, web.json_response({"id": job.id}, status=201))

    async def _list(self, request: web.Request) -> web.StreamResponse:
        attempt = request.query.get("attempt", "")
        known = [] if self.hidden else [job for job in self.jobs.values() if job.attempt == attempt]
        self.note("find", attempt, known[0].id if known else None, 200)
        return web.json_response(
            {"jobs": [{"id": job.id} for job in known], "complete": self.complete and not self.hidden}
        )

    async def _poll(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is None or job.script.forgets:
            self.note("poll", None, request.match_info["id"], 404)
            return web.json_response({"code": "unknown"}, status=404)
        refusal = self.poll_refusal(job)
        if refusal is not None:
            self.note("poll", job.attempt, job.id, refusal.status)
            return _refusal(refusal)
        answer = self._told(job)
        self.note("poll", job.attempt, job.id, answer["status"])
        return web.json_response(answer)

    def _told(self, job: VendorJob) -> dict[str, Any]:
        state = self.state(job)
        if state.kind == "waiting":
            return {"status": "waiting", "progress": state.progress}
        if state.kind == "failed":
            return {"status": "failed", "code": state.code}
        return {"status": "ready", "result": f"/results/{job.id}", "cost_usd": job.script.cost_usd}

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return web.json_response({"code": "unknown"}, status=404)
        job.cancelled = True
        self.note("cancel", job.attempt, job.id, "stopped" if job.script.stops else "still billed")
        return web.json_response({"stopped": job.script.stops})

    async def _release(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is not None:
            job.released = True
        self.note("release", None if job is None else job.attempt, request.match_info["id"], 204)
        return web.Response(status=204)

    async def _result(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return web.json_response({"code": "unknown"}, status=404)
        return await self.send_result(request, job)


def _refusal(fault: Refuse) -> web.Response:
    headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    return web.json_response({"code": fault.code}, status=fault.status, headers=headers)
