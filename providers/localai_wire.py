"""The wire of LocalAI's ``POST /video``, as pure functions.

By its source: core/schema/localai.go, core/http/endpoints/localai/video.go, core/http/middleware/request.go and
backend/python/longcat-video/backend.py of mudler/LocalAI, read in November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from core.capabilities import Applied
from core.errors import (
    CredentialsRejected,
    Garbled,
    InvalidRequest,
    ModelRetired,
    ProviderError,
    RateLimited,
    Unavailable,
)
from providers.line import Answer, refused_or_unclear
from providers.poured import Inline
from providers.selfhosted import shape_of
from providers.sheets import Model, plain

PATH: Final = "/video"
MADE: Final = "/generated-videos/"
"""Where LocalAI keeps finished clips. Its addresses are taken at this path of the root: it may know itself by another name."""
SEED_MOST: Final = 2**31 - 1
STATUSES: Final[Mapping[int, type[ProviderError]]] = {
    400: InvalidRequest,
    401: CredentialsRejected,
    403: CredentialsRejected,
    404: ModelRetired,
    412: InvalidRequest,
    413: InvalidRequest,
    422: InvalidRequest,
    429: RateLimited,
}
"""403: the model is switched off, or the key's account may not use it. 412: its backend does not run on that machine."""


def is_localai(address: str) -> bool:
    """Whether an address is LocalAI's: it ends in ``/video``."""
    return urlsplit(address).path.endswith(PATH)


def payload(model: Model, applied: Applied, pictures: Mapping[str, str | Inline]) -> dict[str, Any]:
    """The request; ``pictures``: ``start_image`` and ``end_image``, in bare base64, which every version takes.

    A seed is 32 bits with a sign there, and one below 1 is taken for none: others are folded into what is left.
    """
    own = own_options(model)
    shape = shape_of(own, applied)
    body: dict[str, Any] = {
        "model": applied.model,
        "prompt": applied.prompt,
        "negative_prompt": applied.negative_prompt,
        "width": shape.width,
        "height": shape.height,
        "num_frames": shape.frames,
        "fps": shape.fps,
        "seed": (applied.seed - 1) % SEED_MOST + 1,
        "response_format": str(own.get("response_format", "b64_json")),
        # A clip that begins with a picture takes its size from it, at one of two resolutions.
        "params": {"resolution": applied.resolution, **plain(own.get("params", {}))},
        **pictures,
    }
    if "steps" in own:
        body["step"] = own["steps"]
    if "guidance_scale" in own:
        body["cfg_scale"] = float(own["guidance_scale"])
    return body


def read_error(answer: Answer, submitting: bool) -> ProviderError:  # noqa: FBT001 - as Line calls it
    """The error of an answer from 300 on. A 500 of LocalAI's own is an answer: the clip was not made."""
    kind = STATUSES.get(answer.status)
    said = answer.data.get("error") if isinstance(answer.data, Mapping) else None
    if submitting and kind is None and answer.status == 500 and isinstance(said, Mapping):
        return Unavailable("the clip could not be made", status=500)
    error = refused_or_unclear(kind, answer, submitting=submitting)
    if isinstance(error, ModelRetired):
        names_model = isinstance(said, Mapping) and said.get("type") == "invalid_request_error"
        error.facts["setting"] = "LONGCAT_MODEL" if names_model else "LONGCAT_VIDEO_ENDPOINT"
    if isinstance(error, CredentialsRejected):
        error.facts["setting"] = "LONGCAT_API_KEY"
    return error


def result_address(data: Any, root: str) -> str:
    """Address of the clip in an answer that does not bring it along. Raises Garbled when there is none."""
    items = data.get("data") if isinstance(data, Mapping) else None
    first = items[0] if isinstance(items, list) and items and isinstance(items[0], Mapping) else {}
    url = first.get("url")
    if not isinstance(url, str) or not url:
        raise Garbled("the answer brings no clip")
    try:
        path = urlsplit(url).path
        at = path.find(MADE)
        return urljoin(root + "/", url) if at < 0 else root + path[at:]
    except ValueError:
        raise Garbled("the clip's address cannot be read") from None


def own_options(model: Model) -> Mapping[str, Any]:
    """The model's options with what is different on LocalAI."""
    other = model.options.get("localai")
    return {**model.options, **(other if isinstance(other, Mapping) else {})}
