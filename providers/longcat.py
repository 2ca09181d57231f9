"""LongCat-Video, or any model, on a server of the operator's own that keeps our HTTP job contract (docs/reference/self-hosted.md).

The attempt's id goes along as ``Idempotency-Key``, so a lost answer is found again and no clip is made twice. An address that ends in
``/video`` is LocalAI's, whose dialect is in ``providers/localai.py``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from core.capabilities import Applied, Capabilities
from core.errors import (
    ContentRefused,
    CredentialsRejected,
    Garbled,
    InvalidRequest,
    ModelRetired,
    OutOfFunds,
    ProviderError,
    RateLimited,
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
    Provider,
    Ready,
    Sink,
    Ticket,
    Waiting,
)
from providers.downloads import Downloads
from providers.line import Answer, Line, preparing, refused_or_unclear
from providers.localai import connect_localai
from providers.localai_wire import is_localai
from providers.poured import Inline, data_uri
from providers.selfhosted import check_options, check_shapes, seen_from, served, shape_of
from providers.sheets import BadSheet, Model, Sheet, plain, read_sheet

NAME: Final = "longcat"
CLIP_BYTES: Final = 32 << 20
"""The most that a clip may have which another goes on from; an eight-second clip of 720p has 10 MB at most."""
ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")

STATUSES: Final[Mapping[int, type[ProviderError]]] = {
    400: InvalidRequest,
    401: CredentialsRejected,
    402: OutOfFunds,
    403: CredentialsRejected,
    404: ModelRetired,
    413: InvalidRequest,
    422: InvalidRequest,
    429: RateLimited,
}
"""What a refused submit means. 409 is missing on purpose: a job with this attempt's key is there, so nobody knows."""
CODES: Final[Mapping[str, type[ProviderError]]] = {
    "content_policy": ContentRefused,
    "invalid_request": InvalidRequest,
    "model_not_found": ModelRetired,
    "insufficient_funds": OutOfFunds,
    "timeout": TimedOut,
}
"""``error.code`` of the contract, of a refused submit and of a failed job; any other one says no more than the status does."""
TELLING: Final = frozenset({400, 422})
"""Statuses of refused submits whose code says more."""
ASKED: Final[Mapping[int, type[ProviderError]]] = {
    401: CredentialsRejected,
    403: CredentialsRejected,
    429: RateLimited,
}
"""What a refused question means; anything else tells nothing."""
WAITING: Final = frozenset({"queued", "running", "canceling"})
GONE: Final = frozenset({"canceled", "expired"})
CANNOT: Final = ("reference_images", "speech", "audio_switch", "person_generation", "folds_negative")
"""Keys of a sheet that promise what no field of an order asks for."""


def capabilities() -> Capabilities:
    """What it can do, by the sheet that comes with Reelay."""
    return read_sheet(NAME).capabilities


def payload(model: Model, applied: Applied, pictures: Mapping[str, str | Inline]) -> dict[str, Any]:
    """The order as the contract has it; ``pictures``: ``image``, ``last_image`` and ``video`` as ``data:`` addresses."""
    shape, options = shape_of(model.options, applied), model.options
    body: dict[str, Any] = {
        "model": applied.model,
        "prompt": applied.prompt,
        "width": shape.width,
        "height": shape.height,
        "num_frames": shape.frames,
        "fps": shape.fps,
        "seconds": applied.seconds,
        "seed": applied.seed,
        **pictures,
    }
    if applied.negative_prompt:
        body["negative_prompt"] = applied.negative_prompt
    if "steps" in options:
        body["steps"] = options["steps"]
    if "guidance_scale" in options:
        body["guidance_scale"] = float(options["guidance_scale"])
    if "params" in options:
        body["params"] = plain(options["params"])
    return body


def read_error(answer: Answer, submitting: bool) -> ProviderError:  # noqa: FBT001 - as Line calls it
    """The error of an answer from 300 on."""
    code = _code(answer.data)
    kind = (STATUSES if submitting else ASKED).get(answer.status)
    if submitting and answer.status in TELLING:
        kind = CODES.get(code, kind)
    error = refused_or_unclear(kind, answer, submitting=submitting)
    if code in CODES:
        error.facts["code"] = code
    if isinstance(error, ModelRetired):
        error.facts["setting"] = "LONGCAT_MODEL" if code == "model_not_found" else "LONGCAT_VIDEO_ENDPOINT"
    if isinstance(error, CredentialsRejected):
        error.facts["setting"] = "LONGCAT_API_KEY"
    return error


def read_status(data: Any) -> PollAnswer:
    """Where a job is. Raises Garbled for what is no job."""
    if not isinstance(data, Mapping):
        raise Garbled("the answer is no job")
    status = data.get("status")
    if not isinstance(status, str):
        raise Garbled("the job has no status")
    if status in WAITING:
        place = data.get("queue_position")
        return Waiting(_progress(data.get("progress")), queue_position=place if type(place) is int else None)
    if status == "succeeded":
        cost = _number(data.get("cost_usd"))
        return Ready(Artifact("url", _output(data), cost_usd=cost))
    if status == "failed":
        code = _code(data)
        return Failed(CODES.get(code, Unavailable)("the job failed", code=code if code in CODES else "other"))
    if status in GONE:
        return Failed(Unavailable(f"the job is {status}"))
    raise Garbled("the job has a status that is not known")


def _progress(said: Any) -> float | None:
    if not isinstance(said, Mapping):
        return None
    fraction, step, total = (_number(said.get(key)) for key in ("fraction", "step", "total"))
    if fraction is None and step is not None and total:
        fraction = step / total
    return None if fraction is None else max(0.0, min(1.0, fraction))


def _number(said: Any) -> float | None:
    found = isinstance(said, int | float) and not isinstance(said, bool) and math.isfinite(said)
    return float(said) if found else None


def _code(data: Any) -> str:
    error = data.get("error") if isinstance(data, Mapping) else None
    code = error.get("code") if isinstance(error, Mapping) else None
    return code if isinstance(code, str) else ""


def _output(job: Mapping[str, Any]) -> str:
    """Address of the first clip; where none is named, the job's own ``content``."""
    outputs = job.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        url = output.get("url") if isinstance(output, Mapping) else None
        if isinstance(url, str) and url and str(output.get("mime", "video/")).startswith("video/"):
            return url
    return ""


def _job_id(ticket: Any) -> str:
    found = ticket.get("id") if isinstance(ticket, Mapping) else None
    if not isinstance(found, str) or not ID.fullmatch(found):
        raise Garbled("not the id of a job")
    return found


class LongCat:
    """Implements ``core.ports.Provider`` over the self-hosted contract."""

    name = NAME

    def __init__(self, sheet: Sheet, can: Capabilities, root: str, key: str | None, world: Connect) -> None:
        """``root``: the server's address, whose path is kept in front of ``/v1``."""
        self.capabilities = can
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._sheet, self._root, self._world = sheet, root, world
        self._line, self._downloads = Line(root, read_error, headers), Downloads(root, headers)

    def estimate(self, applied: Applied) -> Price:
        """Nothing, unless the operator's own sheet says otherwise."""
        return self._sheet.price(applied)

    async def submit(self, applied: Applied, attempt: Attempt) -> Ticket:
        """Order once, under the attempt's own key."""
        model = self._sheet.model(applied)
        body = payload(model, applied, await self._pictures(model, applied))
        answer = await self._line.submit("/v1/jobs", body, headers={"Idempotency-Key": attempt.id})
        try:
            return {"id": _job_id(answer.data)}
        except Garbled:
            raise Unclear("the answer to a submit names no job", status=answer.status) from None

    async def poll(self, ticket: Ticket) -> PollAnswer:
        """Look once."""
        answer = await self._line.ask("GET", f"/v1/jobs/{_job_id(ticket)}", passes=(404, 410))
        if answer.status in (404, 410):
            return Failed(Unavailable("the job is no longer known", status=answer.status))
        return read_status(answer.data)

    async def fetch(self, ticket: Ticket, artifact: Artifact, sink: Sink) -> None:
        """Stream the clip: from the server itself with the key, from another host without it and only where everybody may look."""
        url = artifact.value or f"/v1/jobs/{_job_id(ticket)}/content"
        if not url.lower().startswith(("http://", "https://")):
            url = f"{self._root}/{url.lstrip('/')}"
        await self._downloads.fetch(url, sink)

    async def cancel(self, ticket: Ticket) -> CancelAnswer:
        """Ask the server to stop; a clip that is finished already counts as billed."""
        answer = await self._line.ask("POST", f"/v1/jobs/{_job_id(ticket)}/cancel", passes=(404, 410))
        status = answer.data.get("status") if isinstance(answer.data, Mapping) else None
        return "still billed" if answer.status == 200 and status in ("queued", "running", "succeeded") else "stopped"

    async def find(self, applied: Applied, attempt: Attempt) -> FindAnswer:
        """Look the attempt up by its key. A server that lists other jobs than those of the key is not believed."""
        del applied
        answer = await self._line.ask("GET", "/v1/jobs", params={"idempotency_key": attempt.id}, passes=(404, 405, 501))
        jobs = answer.data.get("jobs") if answer.status == 200 and isinstance(answer.data, Mapping) else None
        if not isinstance(jobs, list):
            return "cannot tell"
        ours = [each for each in jobs if isinstance(each, Mapping) and each.get("idempotency_key") == attempt.id]
        if ours:
            return Found({"id": _job_id(ours[0])})
        return "cannot tell" if jobs else "certainly not"

    async def release(self, ticket: Ticket) -> None:
        """Nothing is kept here, and the server lets go of a clip by itself."""

    async def check(self) -> str:
        """Ask which models the server has."""
        return await served(self._line, self.capabilities.default_model, "our contract for self-hosted servers")

    async def close(self) -> None:
        """Free the connections."""
        await self._line.close()
        await self._downloads.close()

    async def _pictures(self, model: Model, applied: Applied) -> dict[str, Inline]:
        source, limits, found = self._world.pictures, model.capabilities.pictures, {}
        async with preparing():
            for field, key in (("image", applied.picture), ("last_image", applied.last_picture)):
                if key is not None:
                    picture = await source.encoded(key, limits)
                    found[field] = data_uri(picture.data, picture.mime)
            if applied.extends is not None:
                found["video"] = data_uri(await source.clip(applied.extends, CLIP_BYTES), "video/mp4")
        return found


def connect(settings: Any, world: Connect) -> Provider:
    """Connect to ``LONGCAT_VIDEO_ENDPOINT``, in LocalAI's dialect when it ends in ``/video``. Raises BadSheet."""
    sheet = read_sheet(NAME, default=settings.longcat_model, own=world.scratch)
    root = str(settings.longcat_endpoint)
    key = None if settings.longcat_api_key is None else settings.longcat_api_key.get_secret_value()
    if is_localai(root):
        return connect_localai(sheet, root, key, world)
    for model in sheet.models:
        where, can = f"{NAME}.toml, model {model.id}", model.capabilities
        check_shapes(where, model.options, can)
        check_options(where, model.options)
        cannot = next((key for key in CANNOT if getattr(can, key)), None)
        if cannot is not None:
            raise BadSheet(f"{where}: {cannot} is not possible, since the contract has no word for it: leave it out")
    return LongCat(sheet, seen_from(root, sheet.capabilities), root.removesuffix("/v1"), key, world)
