"""Ovi through fal's queue, with a key of fal's (``FAL_KEY``), or with a Hugging Face token (``HF_TOKEN``) through its router to fal.

When both are set fal is asked: it is one company fewer that gets the prompt, and it does text as well. The router does the one task for
which Hugging Face maps the model. That mapping is data (``router`` in models/ovi.toml), since what a generator can do has to be known
before anybody is asked; ``check`` holds it against Hugging Face's own. It looks there at https://huggingface.co, or at
``HF_ROUTER_URL`` where that is set to something else than the real router: then whoever stands there answers for both.

Of the addresses in an answer only the path is used, on the configured root, so that the key goes nowhere else.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast

from core.capabilities import Applied, Capabilities
from core.errors import CredentialsRejected, InvalidRequest, ModelRetired, OutOfFunds
from core.jobs import Attempt
from core.money import Price
from core.ports import (
    Artifact,
    CancelAnswer,
    Connect,
    FindAnswer,
    Found,
    PollAnswer,
    Sink,
    Ticket,
)
from providers.downloads import Downloads
from providers.fal_queue import (
    forgotten,
    known,
    read_error,
    read_mapping,
    read_result,
    read_status,
    read_ticket,
    read_webhook,
    ticket_of,
)
from providers.line import Line, preparing
from providers.ovi_input import payload, wire
from providers.poured import data_uri
from providers.sheets import BadSheet, Model, Sheet, read_sheet

ROUTER: Final = "https://router.huggingface.co"
HUB: Final = "https://huggingface.co"
BEHIND_ROUTER: Final = "/fal-ai"
NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""The id of a request that was never made."""
KEPT: Final = 4096
"""Requests of which something is remembered."""


class Memory(OrderedDict[str, str]):
    """The newest few thousand pairs."""

    def keep(self, key: str, value: str) -> None:
        """Remember; the oldest goes when there are too many."""
        self[key] = value
        self.move_to_end(key)
        while len(self) > KEPT:
            self.popitem(last=False)


def capabilities() -> Capabilities:
    """What it can do at fal, as it is shipped."""
    return read_sheet("ovi").capabilities


class Ovi:
    """Implements ``core.ports.Provider``, and ``Listening`` for fal's webhooks."""

    name = "ovi"
    hook = "fal"

    def __init__(self, sheet: Sheet, world: Connect, root: str, key: str, *, hub: str | None = None) -> None:
        """``hub``: Hugging Face's root; then ``root`` is its router, and ``key`` a token of theirs."""
        self._sheet, self._world, self._routed = sheet, world, hub is not None
        self._wires = {model.id: wire(model) for model in sheet.models}
        self.capabilities = sheet.capabilities
        headers = {"Authorization": f"{'Key' if hub is None else 'Bearer'} {key}"}
        self._line = Line(root if hub is None else root + BEHIND_ROUTER, read_error, headers)
        self._hub = None if hub is None else Line(hub, read_error, headers)
        self._params = {} if hub is None else {"_subdomain": "queue"}
        self._downloads = Downloads(root)
        self._requests, self._attempts, self._stopped = Memory(), Memory(), Memory()
        self._heard = Memory()
        """What was said of attempts that this process did not make: apart, so that no stranger crowds out what it knows."""

    def estimate(self, applied: Applied) -> Price:
        """The price of one clip."""
        return self._sheet.price(applied)

    async def submit(self, applied: Applied, attempt: Attempt) -> Ticket:
        """Put it into the queue. fal repeats nothing by itself, and begins it in time or not at all."""
        model = self._sheet.model(applied)
        options = self._wires[model.id]
        picture = None
        if applied.picture is not None:
            async with preparing():
                encoded = await self._world.pictures.encoded(applied.picture, model.capabilities.pictures)
            picture = data_uri(encoded.data, encoded.mime)
        body = payload(applied, options, picture)
        app = self._app(model, with_picture=applied.picture is not None)
        can = model.capabilities
        begin_within = max(60.0, can.maximum_seconds - 2 * can.usual_seconds)
        headers = {"x-fal-no-retry": "1", "X-Fal-Request-Timeout": f"{begin_within:g}"}
        self._requests.keep(attempt.id, "")
        answer = await self._line.submit(
            f"/{app}", body, params=self._params | self._called_back(attempt), headers=headers
        )
        ticket = read_ticket(answer.data, app)
        self._requests.keep(attempt.id, ticket["id"])
        self._attempts.keep(ticket["id"], attempt.id)
        return ticket

    def _app(self, model: Model, *, with_picture: bool) -> str:
        options = self._wires[model.id]
        if self._routed and options.router is not None:
            if with_picture is not (options.router.task == "image-to-video"):
                raise InvalidRequest("the router does not do this task")
            return options.router.id
        return f"{model.id}/{options.image}" if with_picture and options.image else model.id

    def _called_back(self, attempt: Attempt) -> dict[str, str]:
        """Where fal tells that it is done. Whether the router takes an address is not documented, so it gets none."""
        address = None if self._routed else self._world.hook_url(self.hook, attempt.id)
        return {} if address is None else {"fal_webhook": address}

    async def poll(self, ticket: Ticket) -> PollAnswer:
        """Look once: at the status, and when it is completed at the result."""
        known(ticket)
        answer = await self._line.ask("GET", ticket["status"], params=self._params | {"logs": "true"}, passes=(404,))
        if answer.status == 404:
            return forgotten(answer)
        found = read_status(answer.data)
        if found is not None:
            return found
        answer = await self._line.ask("GET", ticket["result"], params=self._params, passes=tuple(range(400, 600)))
        return read_result(answer)

    async def fetch(self, ticket: Ticket, artifact: Artifact, sink: Sink) -> None:
        """Stream the clip from fal's public files; the key stays here."""
        del ticket
        await self._downloads.fetch(artifact.value, sink)

    async def cancel(self, ticket: Ticket) -> CancelAnswer:
        """Ask to stop. What was stopped before is not asked about again: fal would say that it is completed, or unknown."""
        known(ticket)
        if ticket["id"] in self._stopped:
            return "stopped"
        answer = await self._line.ask("PUT", ticket["cancel"], params=self._params, passes=(400, 404))
        said = answer.data.get("status") if isinstance(answer.data, dict) else None
        if answer.status in (400, 404) or said == "ALREADY_COMPLETED":
            return "still billed"
        self._stopped.keep(ticket["id"], "")
        return "stopped"

    async def find(self, applied: Applied, attempt: Attempt) -> FindAnswer:
        """There is no list, so only a request that a webhook named can be found, if our key knows it."""
        request = self._requests.get(attempt.id) or self._heard.get(attempt.id)
        if request is None or self._attempts.get(request, attempt.id) != attempt.id:
            return "cannot tell"
        app = self._app(self._sheet.model(applied), with_picture=applied.picture is not None)
        ticket = ticket_of(request, app)
        answer = await self._line.ask("GET", ticket["status"], params=self._params, passes=(404, 422))
        data = answer.data if answer.status < 300 and isinstance(answer.data, dict) else {}
        is_there = "status" in data and data.get("request_id", request) == request
        return Found(ticket_of(request, app, data)) if is_there else "cannot tell"

    async def heard(self, attempt_id: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether it may be fal that calls. Nobody could verify its signatures yet: the attempt's id in the address is the secret.

        A request that belongs to another attempt, or another request for an attempt whose own is known, is not believed.
        """
        del headers
        request = None if self._routed else read_webhook(body)
        if request is None:
            return False
        told = self._requests.get(attempt_id) or self._heard.get(attempt_id, request)
        if told != request or self._attempts.get(request, attempt_id) != attempt_id:
            return False
        if attempt_id in self._requests:
            self._requests.keep(attempt_id, request)
            self._attempts.keep(request, attempt_id)
        else:
            self._heard.keep(attempt_id, request)
        self._world.hint(attempt_id)
        return True

    async def release(self, ticket: Ticket) -> None:
        """Nothing is kept for it."""

    async def check(self) -> str:
        """Ask for a request that never was; through the router, compare the mapping first. Raises ProviderError."""
        if self._hub is not None:
            await self._check_mapping(self._hub)
        model = self._sheet.models[0]
        options = self._wires[model.id]
        app = options.router.id if self._routed and options.router is not None else model.id
        try:
            await self._line.ask("GET", ticket_of(NOBODY, app)["status"], params=self._params, passes=(400, 404, 422))
        except CredentialsRejected as error:
            wanted = "HF_TOKEN, and that it may call inference providers" if self._routed else "FAL_KEY"
            raise CredentialsRejected(f"the key is refused: check {wanted}", **error.facts) from error
        except OutOfFunds as error:
            raise OutOfFunds("the account has no balance left", **error.facts) from error
        return "Hugging Face's router takes the token" if self._routed else "fal takes the key"

    async def _check_mapping(self, hub: Line) -> None:
        route = self._wires[self._sheet.models[0].id].router
        if route is None:
            return
        path, wanted = f"/api/models/{route.model}", {"expand": "inferenceProviderMapping"}
        try:
            answer = await hub.ask("GET", path, params=wanted, passes=(404,))
        except CredentialsRejected as error:
            raise CredentialsRejected("Hugging Face refuses the token: check HF_TOKEN", **error.facts) from error
        told = read_mapping(answer.data)
        if answer.status == 404 or told is None:
            raise ModelRetired(
                f"the router no longer leads from {route.model} to fal: set OVI_MODEL", setting="OVI_MODEL"
            )
        if told != (route.id, route.task):
            text = f"the router now leads from {route.model} to another model or task: write its id and task as router in models/ovi.toml"
            raise InvalidRequest(text, id=str(told[0])[:100], task=str(told[1])[:40])

    async def close(self) -> None:
        """Free the connections."""
        await self._line.close()
        if self._hub is not None:
            await self._hub.close()
        await self._downloads.close()


def routed(sheet: Sheet) -> Sheet:
    """The models that Hugging Face's router leads to, with the one task that each does there."""
    models = []
    for model in sheet.models:
        route = wire(model).router
        if route is None:
            continue
        text = route.task == "text-to-video"
        can = replace(model.capabilities, text=text, image=not text, company="Hugging Face and fal")
        models.append(replace(model, capabilities=can))
    if not models:
        raise BadSheet("ovi.toml: no model has a router, so HF_TOKEN leads nowhere")
    return replace(sheet, models=tuple(models))


def connect(settings: Any, world: Connect) -> Ovi:
    """Connect with fal's key, or else with Hugging Face's token. ``OVI_MODEL`` may also name a model as Hugging Face does."""
    names: dict[str, str] = {}
    for model in read_sheet("ovi", own=world.scratch).models:
        route = wire(model).router
        names |= {} if route is None else {route.model: model.id}
    default = names.get(settings.ovi_model, settings.ovi_model)
    if settings.fal_key:
        sheet = read_sheet("ovi", default=default, own=world.scratch)
        return Ovi(sheet, world, settings.fal_queue_url, settings.fal_key.get_secret_value())
    sheet = routed(read_sheet("ovi", default=default, own=world.scratch, guess=False))
    root = cast("str", settings.hf_router_url)
    return Ovi(sheet, world, root, settings.hf_token.get_secret_value(), hub=HUB if root == ROUTER else root)
