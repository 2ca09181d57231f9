"""Models on Replicate: ``google/veo-3.1`` and every other one whose inputs stand in a sheet.

Facts with their sources: docs/how-to/replicate.md. Replicate takes no key that would make a repeated order harmless, so a submit whose
answer was lost is looked for: a webhook that came names it, and the list of predictions shows it by the attempt's own seed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from core.capabilities import Applied, Capabilities
from core.errors import (
    Garbled,
    InvalidRequest,
    TimedOut,
    Unavailable,
    Unclear,
)
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
    Ready,
    Sink,
    Ticket,
    Waiting,
)
from providers.downloads import Downloads
from providers.line import Answer, preparing
from providers.replicate_hooks import Ear, read_message
from providers.replicate_inputs import Inputs, check_inputs, read_inputs, values_of
from providers.replicate_line import ReplicateLine, read_failure
from providers.replicate_search import Search, read_moment
from providers.sheets import Sheet, read_sheet

NAME: Final = "replicate"
ID: Final = re.compile(r"[a-z0-9]{8,64}")
LOG_TAIL: Final = 4000
TQDM: Final = re.compile(r"^\s*(?:[^|\r\n]*?:\s*)?(\d{1,3})%\s*\|[^|]*\|\s*(\d+)/(\d+)")
RUNNING: Final = frozenset({"starting", "processing"})
STOPPED: Final = frozenset({"canceled", "aborted"})
"""``canceled`` by somebody or by its deadline while it ran, ``aborted`` by its deadline before, which costs nothing.

replicate.com/docs/topics/predictions/lifecycle and its changelog of 2025-10-16.
"""


def capabilities() -> Capabilities:
    """What the shipped models can do."""
    return read_sheet(NAME).capabilities


def payload(applied: Applied, inputs: Inputs, lent: Mapping[str, Any]) -> dict[str, Any]:
    """The ``input`` of a prediction. ``lent``: addresses of the pictures by ``picture``, ``last_picture`` and ``references``.

    Raises InvalidRequest for what the model has no words for, and for a last picture of a clip that begins with none.
    """
    if applied.last_picture is not None and applied.picture is None:  # it would be left unseen, or be refused
        raise InvalidRequest("a last picture wants a first one", message_id="error.last_picture_alone")
    values = values_of(applied)
    if applied.line and inputs.line:
        values["prompt"] = _put(inputs.line, prompt=values["prompt"], line=applied.line)
    if applied.negative_prompt and inputs.leave_out:
        values["prompt"] = _put(inputs.leave_out, prompt=values["prompt"], negative=applied.negative_prompt)
    try:
        return inputs.fill({**values, **lent})
    except KeyError:  # taken while another sheet was in force
        raise InvalidRequest("the sheet has no word for a value of the order") from None


def _put(template: str, **words: str) -> str:
    """The template with its places filled at once, so that what a person wrote is never taken for a place."""
    return re.sub(r"\{(\w+)\}", lambda place: words.get(place[1], place[0]), template)


def read_status(data: Any, inputs: Inputs) -> PollAnswer:
    """What a prediction says. Raises Garbled when it says nothing that is known."""
    status = data.get("status") if isinstance(data, Mapping) else None
    if not isinstance(status, str):
        raise Garbled("no prediction")
    if status in RUNNING:
        return Waiting(progress=read_progress(data.get("logs")))
    if status == "failed":
        return Failed(read_failure(data.get("error")))
    if status == "aborted" or (status == "canceled" and _is_late(data)):
        return Failed(TimedOut("the prediction reached its deadline", status=status))
    if status == "canceled":
        return Failed(Unavailable("somebody cancelled the prediction", status=status))
    if status != "succeeded":
        raise Garbled("an unknown status of a prediction")
    address = inputs.address(data.get("output"))
    if address is None:
        # After an hour Replicate removes what a prediction brought: it will not come back.
        removed = bool(data.get("data_removed"))
        return Failed(Garbled("the prediction has no output", data_removed=removed, completed=data.get("completed_at")))
    return Ready(Artifact("url", address))


def _is_late(data: Mapping[str, Any]) -> bool:
    deadline, ended = read_moment(data.get("deadline")), read_moment(data.get("completed_at"))
    return deadline is not None and ended is not None and ended >= deadline - 1000


def read_progress(logs: Any) -> float | None:
    """How far the last line of a progress bar (tqdm) says that it is, 0 to 1; None without one."""
    if not isinstance(logs, str):
        return None
    for line in reversed(re.split(r"[\r\n]+", logs[-LOG_TAIL:])):
        if (found := TQDM.match(line)) is not None and int(found[3]):
            return min(1.0, int(found[2]) / int(found[3]))
    return None


class Replicate:
    """Implements ``core.ports.Provider`` and ``core.ports.Listening``."""

    name = NAME
    hook = NAME

    def __init__(self, line: ReplicateLine, root: str, sheet: Sheet, world: Connect) -> None:
        """Raises BadSheet when a model of ``sheet`` promises what its inputs do not take."""
        self.capabilities = sheet.capabilities
        self._sheet, self._world, self._line = sheet, world, line
        self._inputs = {model.id: read_inputs(NAME, model) for model in sheet.models}
        for model in sheet.models:
            check_inputs(NAME, self._inputs[model.id], model.capabilities)
        # Outputs lie on foreign hosts (replicate.delivery), which are told nothing; those on the root itself want the key.
        self._downloads = Downloads(root, line.headers)
        self._ear = Ear(line, world.clock)

    def estimate(self, applied: Applied) -> Price:
        """As its sheet says."""
        return self._sheet.price(applied)

    async def submit(self, applied: Applied, attempt: Attempt) -> Ticket:
        """Order a prediction, once."""
        inputs, can = self._of(applied)
        payload(applied, inputs, {})  # what it refuses is refused before any picture is uploaded
        async with preparing():
            lent = await self._lent(applied, can)
        filled = payload(applied, inputs, lent)
        hook = self._world.hook_url(NAME, attempt.id)
        body = inputs.body(filled, hook if hook is not None and hook.startswith("https://") else None)
        # A prediction that nobody waits for any more shall cost nothing.
        headers = {"Cancel-After": f"{max(5, math.ceil(can.maximum_seconds))}s"}
        answer = await self._line.submit(inputs.path, body, headers)
        found = _ticket(answer.data, inputs)
        if found is None:
            raise Unclear("the answer to a submit names no prediction", status=answer.status)
        self._ear.note(attempt.id, found["id"])
        return found

    async def _lent(self, applied: Applied, can: Capabilities) -> dict[str, Any]:
        lent: dict[str, Any] = {}

        async def lend(key: str) -> str:
            return await self._line.lent(await self._world.pictures.encoded(key, can.pictures))

        if applied.picture is not None:
            lent["picture"] = await lend(applied.picture)
        if applied.last_picture is not None:
            lent["last_picture"] = await lend(applied.last_picture)
        if applied.references:
            lent["references"] = [await lend(key) for key in applied.references]
        return lent

    async def poll(self, ticket: Ticket) -> PollAnswer:
        """Look at the prediction. One that Replicate does not know brings no clip."""
        answer = await self._line.ask("GET", f"/v1/predictions/{_id(ticket)}", passes=(404, 410))
        if answer.status in (404, 410):
            return Failed(Unavailable("Replicate does not know the prediction", status=answer.status))
        return read_status(answer.data, self._inputs_of(str(ticket.get("model"))))

    async def fetch(self, ticket: Ticket, artifact: Artifact, sink: Sink) -> None:
        """Stream the clip; the address ends an hour after the prediction."""
        del ticket
        await self._downloads.fetch(artifact.value, sink)

    async def cancel(self, ticket: Ticket) -> CancelAnswer:
        """Ask to stop. It has stopped when Replicate says so, at once or when asked again."""
        path = f"/v1/predictions/{_id(ticket)}"
        answer = await self._line.ask("POST", f"{path}/cancel", passes=(404, 410, 422))
        if _status(answer) not in STOPPED and answer.status != 404:  # it may take a moment to stop
            answer = await self._line.ask("GET", path, passes=(404, 410))
        return "stopped" if _status(answer) in STOPPED else "still billed"

    async def find(self, applied: Applied, attempt: Attempt) -> FindAnswer:
        """Look the attempt up: what webhooks said, else Replicate's list."""
        inputs, _ = self._of(applied)
        known = self._ear.prediction_of(attempt.id)
        if known is not None:
            return Found({"id": known, "model": inputs.model})
        search = Search(attempt, inputs, payload(applied, inputs, {}), self._ear.known())
        answer = await search.through(self._line, self._world.clock)
        if isinstance(answer, str):
            return answer
        found = _ticket(answer, inputs)
        if found is None:
            return "cannot tell"
        self._ear.note(attempt.id, found["id"])
        return Found(found)

    async def heard(self, attempt_id: str, headers: Mapping[str, str], body: bytes) -> bool:
        """See ``core.ports.Listening``."""
        if not await self._ear.hears(headers, body):
            return False
        said = read_message(body)
        told, prediction = said.get("webhook"), said.get("id")
        if isinstance(told, str) and attempt_id not in told:
            return False  # genuine, but sent to the address of another attempt
        if isinstance(prediction, str) and ID.fullmatch(prediction):
            self._ear.note(attempt_id, prediction)
        self._world.hint(attempt_id)
        return True

    async def release(self, ticket: Ticket) -> None:
        """Nothing is kept here, and Replicate removes what is there within the hour."""
        del ticket

    async def check(self) -> str:
        """The key is taken, and the default model is there."""
        inputs = self._inputs_of(self.capabilities.default_model)
        return await self._line.check(inputs.model, inputs.described_at)

    async def close(self) -> None:
        """Free the connections."""
        await self._line.close()
        await self._downloads.close()

    def _of(self, applied: Applied) -> tuple[Inputs, Capabilities]:
        model = self._sheet.model(applied)
        return self._inputs[model.id], model.capabilities

    def _inputs_of(self, model: str) -> Inputs:
        """The options of a model; of one that is described no more it is only known how most say where their result is."""
        return self._inputs.get(model) or Inputs(model, {})


def _status(answer: Answer) -> str:
    return str(answer.data.get("status")) if isinstance(answer.data, dict) else ""


def _ticket(data: Any, inputs: Inputs) -> dict[str, Any] | None:
    found = data.get("id") if isinstance(data, Mapping) else None
    return {"id": found, "model": inputs.model} if isinstance(found, str) and ID.fullmatch(found) else None


def _id(ticket: Ticket) -> str:
    found = str(ticket["id"])
    if not ID.fullmatch(found):
        raise Garbled("not a ticket of Replicate")
    return found


def connect(settings: Any, world: Connect) -> Replicate:
    """Connect with REPLICATE_API_TOKEN. Raises BadSheet for a REPLICATE_MODEL that no sheet describes."""
    sheet = read_sheet(NAME, default=settings.replicate_model or None, own=world.scratch, guess=False)
    line = ReplicateLine(settings.replicate_url, settings.replicate_api_token.get_secret_value())
    return Replicate(line, settings.replicate_url, sheet, world)
