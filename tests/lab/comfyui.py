"""A simulator of ComfyUI's server: one worker, a queue, a history, messages over a WebSocket, and its own words for every mistake.

Written after the behaviour of server.py and execution.py (Comfy-Org/ComfyUI, read in November 2026); what is published of the schemas is
held against it in ``test_comfyui_wire.py``. Which nodes it knows: ``tests/lab/comfyui_nodes.py``.

=============================  ================================================================================================
``POST /prompt``               validates the graph → ``{prompt_id, number, node_errors}`` or 400 ``{error, node_errors}``
``GET``, ``POST /queue``       rows ``[number, id, graph, extra_data, outputs]``; ``{delete: [id]}`` takes pending ones out
``POST /interrupt``            ``{prompt_id}`` ends that one if it runs; without one it ends whatever runs, and is strange
``GET /history/{id}``          ``{}`` until the prompt has ended
``POST /history``              ``{delete: [id]}``
``GET /view``                  a file, as the prompt's script says
``POST /upload/image``         multipart ``image``, ``type``, ``overwrite``
``GET /object_info/{class}``   what a class of nodes takes
``GET /system_stats``, ``/ws``
=============================  ================================================================================================
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from aiohttp import web

from bot.settings import read_settings
from core.ports import Connect
from providers.comfyui import ComfyUI, connect
from tests.lab.billing import PaidVendor, Refuse, Script, VendorJob
from tests.lab.comfyui_nodes import NODES, describe, failure, pictures, refusal, refused, texts, validate

VERSION = "0.9.2"
STEP_SECONDS = 0.01
STEPS = 20
FIELDS = {"prompt", "prompt_id", "client_id", "extra_data", "number", "front", "partial_execution_targets"}
PREVIEW = b"\x00\x00\x00\x01\x00\x00\x00\x01" + bytes(2000)


class ComfyUIServer(PaidVendor):
    """One ComfyUI. ``old``: as servers of 2024 were, which choose ids themselves, and tell steps of one node at a time."""

    def __init__(self, *, default: Script | None = None, old: bool = False) -> None:
        super().__init__(default=default)
        self.old = old
        self.inputs: dict[str, bytes] = {}
        self.oddities: list[str] = []
        """What a good client never does."""
        self.meanwhile: dict[str, Callable[[], None]] = {}
        """Done once, before the next answer of a call: ``queue``, ``history`` …"""
        self.clients: list[str] = []
        """Client ids by connection of the WebSocket."""
        self.silent = False
        """While true no messages are sent."""
        self._pending: list[tuple[int, str]] = []
        self._running: dict[str, int] = {}
        self._history: dict[str, dict[str, Any]] = {}
        self._files: dict[tuple[str, str, str], VendorJob] = {}
        self._sockets: dict[str, asyncio.Queue[str | bytes]] = {}
        self._open: set[web.WebSocketResponse] = set()
        self._steps: dict[str, int] = {}
        self._number = 0

    def environment(self) -> dict[str, str]:
        return {"COMFYUI_URL": self.url}

    def restart(self) -> None:
        """Forget queue and history, as the process does when it ends; files stay."""
        self._pending.clear()
        self._running.clear()
        self._history.clear()

    def hang_up(self) -> None:
        """Close every WebSocket."""
        for socket in list(self._open):
            self.run(_closed(socket))

    def routes(self, app: web.Application) -> None:
        app.middlewares.append(self._door)
        app.cleanup_ctx.append(self._works)
        for method, path, handler in (
            ("POST", "/prompt", self._prompt),
            ("GET", "/queue", self._queue),
            ("POST", "/queue", self._change_queue),
            ("POST", "/interrupt", self._interrupt),
            ("GET", "/history/{id}", self._look),
            ("POST", "/history", self._change_history),
            ("GET", "/view", self._view),
            ("POST", "/upload/image", self._upload),
            ("GET", "/object_info/{name}", self._object_info),
            ("GET", "/system_stats", self._system_stats),
            ("GET", "/ws", self._ws),
        ):
            app.router.add_route(method, path, handler)

    async def interfere(self, request: web.Request) -> web.StreamResponse | None:
        """Messages are no answer: a connection for them uses up nothing that is to be answered strangely."""
        return None if request.path == "/ws" and not self.down else await super().interfere(request)

    @web.middleware
    async def _door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            found: web.StreamResponse = await handler(request)
        except web.HTTPNotFound:
            self.oddities.append(f"{request.method} {request.path}")
            raise
        return found

    def _before(self, call: str) -> None:
        act = self.meanwhile.pop(call, None)
        if act is not None:
            act()
        self._work()

    # ---------------------------------------------------------------------------------------------------------------- the worker

    async def _works(self, _app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self._keep_working())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        for socket in list(self._open):
            await socket.close()

    async def _keep_working(self) -> None:
        while True:
            self._work()
            await asyncio.sleep(STEP_SECONDS)

    def _work(self) -> None:
        """End what is done, begin what is next, tell of the steps between."""
        while True:
            for name in list(self._running):
                self._go_on(self.jobs[name])
            if self._running or not self._pending:
                return
            number, name = self._pending.pop(0)
            self._running[name] = number
            job = self.jobs[name]
            job.began = self.now()
            self._say(job, "execution_start", {})
            self._say(job, "execution_cached", {"nodes": [next(iter(job.wish["prompt"]))]})
            if job.script.seconds:
                return

    def _go_on(self, job: VendorJob) -> None:
        state = self.state(job)
        if state.kind == "waiting":
            self._step(job, state.progress)
            return
        number = self._running.pop(job.id)
        told: list[list[Any]] = [["execution_start", {"prompt_id": job.id, "timestamp": 1}]]
        outputs: dict[str, Any] = {}
        if state.kind == "ready":
            outputs = self._outputs(job)
            told.append(["execution_success", {"prompt_id": job.id, "timestamp": 2}])
        else:
            told.append(failure(job, state.code))
        self._history[job.id] = {
            "prompt": [number, job.id, job.wish["prompt"], job.wish.get("extra_data", {}), list(outputs)],
            "outputs": outputs,
            "status": {
                "status_str": "success" if outputs else "error",
                "completed": bool(outputs),
                "messages": told,
            },
            "meta": {},
        }
        self._say(job, told[-1][0], {key: value for key, value in told[-1][1].items() if key != "prompt_id"})
        self._say(job, "executing", {"node": None})

    def _step(self, job: VendorJob, progress: float | None) -> None:
        sampler = next((name for name, node in job.wish["prompt"].items() if "KSampler" in node["class_type"]), None)
        step = int(STEPS * (progress or 0.0))
        if progress is None or sampler is None or self._steps.get(job.id) == step:
            return
        self._steps[job.id] = step
        if self.old:
            self._say(job, "executing", {"node": sampler, "display_node": sampler})
            self._say(job, "progress", {"node": sampler, "value": step, "max": STEPS})
        else:
            first, *_ = job.wish["prompt"]
            nodes = {first: {"value": 1, "max": 1, "state": "finished"}}
            nodes[sampler] = {"value": step, "max": STEPS, "state": "running"}
            more = {name: {"node_id": name, "prompt_id": job.id, "real_node_id": name} for name in nodes}
            self._say(job, "progress_state", {"nodes": {name: {**nodes[name], **more[name]} for name in nodes}})
        self._post(job, PREVIEW)

    def _outputs(self, job: VendorJob) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, node in job.wish["prompt"].items():
            key, ending, place, extra = NODES[node["class_type"]].saves or ("", "", "", {})
            if not key:
                continue
            prefix = str(node["inputs"].get("filename_prefix", "ComfyUI"))
            folder, _, stem = prefix.rpartition("/")
            file = {"filename": f"{stem}_{len(self._files) + 1:05}_{ending}", "subfolder": folder, "type": place}
            self._files[place, folder, file["filename"]] = job
            found[name] = {key: [{**file, **extra}]} | ({"animated": [True]} if ending == ".mp4" else {})
        return found

    def _say(self, job: VendorJob, kind: str, data: Mapping[str, Any]) -> None:
        self._post(job, json.dumps({"type": kind, "data": {**data, "prompt_id": job.id}}))

    def _post(self, job: VendorJob, message: str | bytes) -> None:
        mail = self._sockets.get(str(job.wish.get("client_id")))
        if mail is not None and not self.silent:
            mail.put_nowait(message)

    # ---------------------------------------------------------------------------------------------------------------- the routes

    async def _prompt(self, request: web.Request) -> web.StreamResponse:
        data = await request.json()
        self.oddities += [f"POST /prompt with {name}" for name in sorted(set(data) - FIELDS)]
        wanted = data.get("prompt_id")
        if wanted is not None and not _is_canonical(wanted) and not self.old:
            return refused("invalid_prompt_id", "prompt_id must be a valid UUID")
        if "prompt" not in data:
            return refused("no_prompt", "No prompt provided")
        graph = data["prompt"]
        name = str(uuid.uuid4()) if self.old or wanted is None else wanted
        text = " ".join(texts(graph))
        fault = self.fate(text)
        if isinstance(fault, Refuse):
            self.note("submit", _attempt(name), None, fault.status)
            return refusal(fault)
        error, node_errors = validate(graph, self.inputs)
        if error is not None:
            self.note("submit", _attempt(name), None, 400)
            return web.json_response({"error": error, "node_errors": node_errors}, status=400)
        job = self.bill(
            text,
            id=name,
            attempt=_attempt(name),
            wish=data,
            picture=next((self.inputs[each] for each in pictures(graph)), None),
        )
        self._number += 1
        if not job.script.forgets:
            self._pending.append((self._number, name))
        answer = {"prompt_id": name, "number": self._number, "node_errors": node_errors}
        return await self.answered(request, job, fault, web.json_response(answer))

    async def _queue(self, _request: web.Request) -> web.StreamResponse:
        self._before("queue")
        running = [self._row(number, name) for name, number in self._running.items()]
        pending = [self._row(number, name) for number, name in reversed(self._pending)]  # a heap is in no order
        self.note("queue", None, None, 200)
        return web.json_response({"queue_running": running, "queue_pending": pending})

    def _row(self, number: int, name: str) -> list[Any]:
        wish = self.jobs[name].wish
        return [number, name, wish["prompt"], wish.get("extra_data", {}), []]

    async def _change_queue(self, request: web.Request) -> web.StreamResponse:
        self._before("delete")
        data = await request.json()
        if data.get("clear"):
            self.oddities.append("the whole queue was cleared")
            self._pending.clear()
        for name in data.get("delete", ()):
            self._pending = [row for row in self._pending if row[1] != name]
            self.note("delete", _attempt(name), name, 200)
        return web.Response()

    async def _interrupt(self, request: web.Request) -> web.StreamResponse:
        self._before("interrupt")
        name = None
        with suppress(ValueError):
            name = (await request.json()).get("prompt_id")
        if name is None:
            self.oddities.append("everything was interrupted")
        for each in list(self._running):
            if name in (None, each) or self.old:
                self.jobs[each].cancelled = True
                self.note("interrupt", _attempt(each), each, 200)
        self._work()
        return web.Response()

    async def _look(self, request: web.Request) -> web.StreamResponse:
        self._before("history")
        name = request.match_info["id"]
        job = self.jobs.get(name)
        fault = None if job is None else self.poll_refusal(job)
        self.note("poll", _attempt(name), name, 200 if fault is None else fault.status)
        if fault is not None:
            return refusal(fault)
        return web.json_response({name: self._history[name]} if name in self._history else {})

    async def _change_history(self, request: web.Request) -> web.StreamResponse:
        data = await request.json()
        if data.get("clear"):
            self.oddities.append("the whole history was cleared")
        for name in data.get("delete", ()):
            self._history.pop(name, None)
            if name in self.jobs:
                self.jobs[name].released = True
            self.note("release", _attempt(name), name, 200)
        return web.Response()

    async def _view(self, request: web.Request) -> web.StreamResponse:
        asked = request.query
        name, folder = asked.get("filename", ""), asked.get("subfolder", "")
        if not name or name.startswith("/") or ".." in name:
            return web.Response(status=400)
        job = self._files.get((asked.get("type", "output"), folder, name))
        return web.Response(status=404) if job is None else await self.send_result(request, job)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        self.oddities += [f"POST /upload/image with {name}" for name in set(form) - {"image", "type", "overwrite"}]
        file = form.get("image")
        if not isinstance(file, web.FileField) or form.get("type", "input") != "input":
            return web.Response(status=400)
        name, number = file.filename, 0
        while name in self.inputs and form.get("overwrite") not in ("true", "1"):
            number += 1
            stem, dot, ending = file.filename.rpartition(".")
            name = f"{stem} ({number}){dot}{ending}"
        self.inputs[name] = file.file.read()
        self.note("upload", None, None, 200)
        return web.json_response({"name": name, "subfolder": "", "type": "input"})

    async def _object_info(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        return web.json_response({name: describe(name)} if name in NODES else {})

    async def _system_stats(self, _request: web.Request) -> web.StreamResponse:
        system = {"os": "posix", "ram_total": 1 << 36, "ram_free": 1 << 35, "comfyui_version": VERSION}
        system |= {"python_version": "3.12", "pytorch_version": "2.9", "embedded_python": False, "argv": ["main.py"]}
        device = {"name": "cuda:0", "type": "cuda", "index": 0, "vram_total": 1 << 34, "vram_free": 1 << 33}
        return web.json_response({"system": system, "devices": [device]})

    async def _ws(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        client = request.query.get("clientId") or uuid.uuid4().hex
        self.clients.append(client)
        mail: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._sockets[client] = mail
        self._open.add(socket)
        status = {"exec_info": {"queue_remaining": len(self._pending) + len(self._running)}}
        mail.put_nowait(json.dumps({"type": "status", "data": {"status": status, "sid": client}}))
        postman = asyncio.create_task(_deliver(mail, socket))
        try:
            async for _ in socket:
                pass
        finally:
            postman.cancel()
            self._open.discard(socket)
            if self._sockets.get(client) is mail:
                del self._sockets[client]
        return socket


async def _deliver(mail: asyncio.Queue[str | bytes], socket: web.WebSocketResponse) -> None:
    with suppress(ConnectionError):
        while True:
            message = await mail.get()
            await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_str(message))


async def _closed(socket: web.WebSocketResponse) -> None:
    await socket.close()


def _attempt(name: str) -> str:
    return name.replace("-", "")


def _is_canonical(name: Any) -> bool:
    try:
        return isinstance(name, str) and str(uuid.UUID(name)) == name
    except ValueError:
        return False


def comfyui(settings: Mapping[str, str], world: Connect) -> ComfyUI:
    """The generator as the app connects it: in a thread, because it reads files."""
    with ThreadPoolExecutor(1) as room:
        return room.submit(lambda: connect(read_settings(settings, None), world)).result()
