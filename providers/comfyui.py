"""ComfyUI on a machine of the operator's: workflows that an order fills, by its HTTP API and its WebSocket.

We choose the prompt's id, so an attempt whose answer was lost can be looked up; what is posted twice ComfyUI runs twice, so nothing is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import aiohttp

from core.capabilities import Applied, Capabilities, PictureLimits
from core.errors import Garbled, InvalidRequest, ModelRetired, NothingSent, ProviderError, Unavailable, Unclear
from core.ids import new_secret_id
from core.jobs import Attempt
from core.money import Price
from core.ports import (
    Artifact,
    CancelAnswer,
    Connect,
    Failed,
    FindAnswer,
    Found,
    PollAnswer,
    Sink,
    Ticket,
    Waiting,
)
from providers.comfyui_ears import Ears
from providers.comfyui_wire import (
    ADDRESS,
    REFUSALS,
    payload,
    prompt_id,
    read_error,
    read_history,
    read_queue,
    read_status,
    unknown_choices,
    upload,
)
from providers.comfyui_workflow import SETTING, Value, Workflows, check_options, measures, read_workflows
from providers.downloads import Downloads
from providers.line import Line, preparing, read_answer, refused_or_unclear
from providers.sheets import Sheet, read_sheet

UPLOAD_SECONDS: Final = 60.0
ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,127}", re.ASCII)
"""Of a prompt. Ours are UUIDs; servers that give ids of their own need not."""
ARRIVES_MS: Final = 120_000
"""A prompt whose answer was lost may still be on its way for so long: it is checked before it is queued."""
MOST_MISSES: Final = 1000


def capabilities() -> Capabilities:
    """What the workflow that comes with Reelay can do."""
    return read_workflows(None).can(read_sheet("comfyui").capabilities)


class ComfyUI:
    """Implements ``core.ports.Provider`` with one ComfyUI server."""

    name = "comfyui"

    def __init__(self, root: str, sheet: Sheet, workflows: Workflows, world: Connect) -> None:
        """``root``: the server's address without a path."""
        self.capabilities = workflows.can(sheet.capabilities)
        self._root, self._sheet, self._workflows, self._world = root, sheet, workflows, world
        self._client_id = new_secret_id()
        self._line = Line(root, read_error)
        self._downloads = Downloads(root)
        self._http: aiohttp.ClientSession | None = None
        self._ears = Ears(root, self._client_id, self._session, world.clock, world.hint)
        self._missed: dict[str, int] = {}
        self._takes_ids = True

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._http

    def estimate(self, applied: Applied) -> Price:
        """The sheet's price: nothing, unless the operator wrote one."""
        return self._sheet.price(applied)

    async def submit(self, applied: Applied, attempt: Attempt) -> Ticket:
        """Hand pictures over, then post the filled workflow once."""
        workflow, model = self._workflows.pick(applied), self._sheet.model(applied)
        values: dict[str, Value] = {
            "prompt": applied.prompt,
            "negative_prompt": applied.negative_prompt,
            "seed": applied.seed,
            **measures(model.options, applied),
        }
        for name, key in (("image", applied.picture), ("last_image", applied.last_picture)):
            if key is not None:
                values[name] = await self._hand_over(key, model.capabilities.pictures)
        prompt = prompt_id(attempt.id)
        self._ears.expect(prompt, attempt.id, workflow.weights())
        body = payload(workflow.fill(values), prompt=prompt, client_id=self._client_id)
        try:
            answer = await self._line.submit("/prompt", body)
        except Unclear:
            raise
        except ProviderError:
            self._ears.forget(prompt)
            raise
        match answer.data:
            case {"prompt_id": str(given)} if ID.fullmatch(given):
                if given != prompt:  # older servers give ids of their own
                    self._takes_ids = False
                    self._ears.forget(prompt)
                    self._ears.expect(given, attempt.id, workflow.weights())
                return {"id": given, "attempt": attempt.id}
            case _:
                raise Unclear("the answer names no prompt", status=answer.status)

    async def _hand_over(self, key: str, limits: PictureLimits) -> str:
        """Upload a picture and return what a LoadImage node calls it. Nothing is begun by it, so whatever fails may be tried again."""
        async with preparing():
            picture = await self._world.pictures.encoded(key, limits)
        try:
            async with self._session().post(
                f"{self._root}/upload/image",
                data=upload(key, picture),
                timeout=aiohttp.ClientTimeout(total=UPLOAD_SECONDS),
                allow_redirects=False,
            ) as response:
                answer = await read_answer(response)
        except (aiohttp.ClientError, TimeoutError, OSError, Garbled) as error:
            raise NothingSent(f"the picture could not be handed over: {type(error).__name__}") from error
        if answer.status != 200:
            raise refused_or_unclear(REFUSALS.get(answer.status, NothingSent), answer, submitting=True)
        match answer.data:
            case {"name": str(name), **rest}:
                folder = rest.get("subfolder")
                return f"{folder}/{name}" if isinstance(folder, str) and folder else name
            case _:
                raise NothingSent("the picture was handed over, but not named")

    async def poll(self, ticket: Ticket) -> PollAnswer:
        """Look into the history, then into the queue.

        A prompt moves from one to the other between two questions, so only what is missed twice in a row counts as forgotten.
        """
        prompt = _prompt(ticket)
        entry = await self._entry(prompt)
        if entry is not None:
            self._missed.pop(prompt, None)
            return read_status(entry)
        before = await self._before(prompt)
        if before is None:
            return self._miss(prompt)
        self._missed.pop(prompt, None)
        if before:
            return Waiting(queue_position=before)
        return Waiting(progress=self._ears.progress(prompt))

    async def _entry(self, prompt: str) -> Mapping[str, Any] | None:
        return read_history((await self._line.ask("GET", f"/history/{prompt}")).data, prompt)

    async def _before(self, prompt: str) -> int | None:
        return read_queue((await self._line.ask("GET", "/queue")).data, prompt)

    def _miss(self, prompt: str) -> PollAnswer:
        if len(self._missed) >= MOST_MISSES:
            self._missed.clear()
        self._missed[prompt] = self._missed.get(prompt, 0) + 1
        if self._missed[prompt] < 2:
            return Waiting(progress=self._ears.progress(prompt))
        return Failed(Unavailable("the server does not know the prompt any more", reason="forgotten"))

    async def fetch(self, ticket: Ticket, artifact: Artifact, sink: Sink) -> None:
        """Stream the file that the workflow saved."""
        del ticket
        await self._downloads.fetch(f"{self._root}/view?{artifact.value}", sink)

    async def cancel(self, ticket: Ticket) -> CancelAnswer:
        """Take exactly this prompt from the queue, or interrupt it while it runs.

        An interrupt that names no prompt, or comes to a server too old to read the name, ends whatever runs: so it is sent only while
        the queue says that this prompt does.
        """
        prompt = _prompt(ticket)
        before = await self._before(prompt)
        if before:
            await self._line.ask("POST", "/queue", {"delete": [prompt]}, passes=(200,))
            before = await self._before(prompt)  # it may have begun meanwhile
        if before == 0:
            await self._line.ask("POST", "/interrupt", {"prompt_id": prompt}, passes=(200,))
        return "stopped"

    async def find(self, applied: Applied, attempt: Attempt) -> FindAnswer:
        """Look the attempt's id up in history, queue, and history again: it moves from the queue to the history at one stroke."""
        del applied
        prompt = prompt_id(attempt.id)
        found = Found({"id": prompt, "attempt": attempt.id})
        for look in (self._entry, self._before, self._entry):
            if await look(prompt) is not None:
                return found
        lately = self._world.clock.now() - attempt.intent_at < ARRIVES_MS
        return "cannot tell" if lately or not self._takes_ids else "certainly not"

    async def release(self, ticket: Ticket) -> None:
        """Take the prompt out of the history: it holds what the person wrote. The files of the workflow stay; nothing removes these."""
        prompt = _prompt(ticket)
        self._ears.forget(prompt)
        self._missed.pop(prompt, None)
        await self._line.ask("POST", "/history", {"delete": [prompt]}, passes=(200,))

    async def check(self) -> str:
        """Whether a ComfyUI answers and has the nodes and the files that the workflows name."""
        try:
            stats = (await self._line.ask("GET", "/system_stats")).data
        except Garbled as error:
            raise Unavailable(f"what answers there is no ComfyUI: set {ADDRESS} to its address") from error
        match stats:
            case {"system": {"comfyui_version": str(version)}}:
                pass
            case {"system": dict()}:
                version = "of unknown version"
            case _:
                raise Unavailable(f"what answers there is no ComfyUI: set {ADDRESS} to its address")
        graphs = [workflow.graph for workflow in self._workflows.by_pictures.values()]
        nodes = [node for graph in graphs for node in graph.values()]
        known: dict[str, Any] = {}
        for name in dict.fromkeys(str(node["class_type"]) for node in nodes):
            told = (await self._line.ask("GET", f"/object_info/{quote(name, safe='')}")).data
            known[name] = told.get(name) if isinstance(told, dict) else None
        missing = sorted(name for name, told in known.items() if told is None)
        if missing:
            raise InvalidRequest(f"this ComfyUI has no {', '.join(missing)}: install these nodes, or set {SETTING}")
        strange = sorted(
            {text for node in nodes for text in unknown_choices(node["inputs"], known[node["class_type"]])}
        )
        if strange:
            raise ModelRetired(f"this ComfyUI has no {', '.join(strange)}: put these files there, or set {SETTING}")
        return f"ComfyUI {version} has the {len(known)} kinds of nodes of the workflow"

    async def close(self) -> None:
        """Hang up and free the connections."""
        await self._ears.close()
        await self._line.close()
        await self._downloads.close()
        if self._http is not None:
            await self._http.close()
        self._http = None


def _prompt(ticket: Ticket) -> str:
    """The ticket's id, which goes into paths and bodies. Raises Garbled when it is none."""
    found = ticket.get("id")
    if not isinstance(found, str) or not ID.fullmatch(found):
        raise Garbled("not a ticket of ComfyUI")
    return found


def connect(settings: Any, world: Connect) -> ComfyUI:
    """Connect with the configured address and workflow. Raises BadSheet, which says what is wrong with either."""
    sheet = read_sheet("comfyui", own=world.scratch)
    check_options(sheet)
    return ComfyUI(settings.comfyui_url.rstrip("/"), sheet, read_workflows(settings.comfyui_workflow), world)
