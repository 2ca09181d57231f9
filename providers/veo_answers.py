"""What Vertex says of a Veo operation, and what its refusals mean: tables and pure functions, without any SDK.

Sources: google-genai 3.4 and its wire (read and run, November 2026), Vertex's pages on Veo and on responsible AI, google.rpc.Code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

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
)
from core.ports import Artifact, Failed, PollAnswer, Ready, Waiting
from providers.google_answers import words_of
from providers.inline import ELIDED
from providers.line import Answer, refused_or_unclear

LOGIN: Final = (
    "Vertex does not accept the login. Veo wants a key of Vertex AI express mode (GOOGLE_GENAI_USE_VERTEXAI=yes and GOOGLE_API_KEY), or "
    "GOOGLE_CLOUD_PROJECT with application default credentials. A key of the Gemini API, from Google AI Studio, opens no door here: "
    "without GOOGLE_GENAI_USE_VERTEXAI it makes clips with Omni"
)
NO_ROLE: Final = (
    "the login may not use Vertex AI in this project: give it the role Vertex AI User (roles/aiplatform.user)"
)
API_OFF: Final = "the Vertex AI API (aiplatform.googleapis.com) is not enabled in the project"
NO_FUNDS: Final = "the project has no billing, or its money is used up: see Billing in the Google Cloud console"
NO_MODEL: Final = "Vertex has no such model here (any more): set VEO_MODEL to one that it has"

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
"""Certain refusals; after any other answer to a submit nobody knows."""

MEANINGS: Final[tuple[tuple[str, frozenset[int], type[ProviderError], str], ...]] = (
    (r"api.key.(not valid|expired)|api_key_invalid", frozenset({400}), CredentialsRejected, LOGIN),
    (r"service_disabled|has not been used in project|it is disabled", frozenset({403}), CredentialsRejected, API_OFF),
    (r"billing_disabled|requires billing|enable billing", frozenset({403, 429}), OutOfFunds, NO_FUNDS),
    (
        r"iam_permission_denied|permission '|permission denied on resource",
        frozenset({403}),
        CredentialsRejected,
        NO_ROLE,
    ),
    (r"support codes?|sensitive|violat|responsible ai", frozenset({400, 422}), ContentRefused, ""),
)
"""(words in the answer, statuses under which they count, what they mean, what the operator is told), the first that fits."""
HINTS: Final[Mapping[type[ProviderError], str]] = {
    CredentialsRejected: LOGIN,
    OutOfFunds: NO_FUNDS,
    ModelRetired: NO_MODEL,
}

RPC: Final[Mapping[int, type[ProviderError]]] = {
    1: Unavailable,
    2: Unavailable,
    3: InvalidRequest,
    4: TimedOut,
    5: Unavailable,
    7: CredentialsRejected,
    8: RateLimited,
    9: InvalidRequest,
    10: Unavailable,
    11: InvalidRequest,
    12: InvalidRequest,
    13: Unavailable,
    14: Unavailable,
    15: Unavailable,
    16: CredentialsRejected,
}
"""How an operation ended, by google.rpc.Code: cancelled, unknown, invalid, too late, not found, denied, exhausted …"""

REASONS: Final[Mapping[str, tuple[str, ...]]] = {
    "error.refused_child": ("58061214", "17301594"),
    "error.refused_celebrity": ("29310472", "15236754"),
    "error.refused_dangerous": ("62263041",),
    "error.refused_hate": ("57734940", "22137204"),
    "error.refused_people": ("39322892",),
    "error.refused_private": ("92201652",),
    "error.refused_prohibited": ("89371032", "49114662", "72817394"),
    "error.refused_sexual": ("90789179", "63429089", "43188360"),
    "error.refused_toxic": ("78610348",),
    "error.refused_violence": ("61493863", "56562880"),
}
"""Why in plain words, by the support codes of Vertex's page on responsible AI and image generation; Veo's answers carry the same."""


def read_status(data: Any) -> PollAnswer:
    """What an operation is at; ``data`` as ``inline.skim`` returns it. Raises Garbled for what is no operation.

    A clip that the safety filter held back is no error of the operation: it is done, without a clip, with counts and reasons.
    """
    if data == {ELIDED: True}:
        return Ready(Artifact("inline"))
    match data:
        case {"name": str(), "error": {"code": int(code), **rest}}:
            return Failed(_read_rpc(code, rest.get("message")))
        case {"name": str(), "done": True, "response": dict(response)}:
            return _read_response(response)
        case {"name": str(), "done": True}:
            return Failed(Garbled("the operation ended without a word"))
        case {"name": str()}:
            return Waiting()
        case _:
            raise Garbled("the answer is no operation")


def _read_response(response: Mapping[str, Any]) -> PollAnswer:
    videos = response.get("videos")
    for video in videos if isinstance(videos, list) else ():
        if isinstance(video, dict) and video.get("bytesBase64Encoded"):
            return Ready(Artifact("inline"))
        if isinstance(video, dict) and video.get("gcsUri"):
            return Failed(Garbled("the clip lies in a bucket: Reelay asks for none (output_gcs_uri is not used)"))
    reasons = response.get("raiMediaFilteredReasons")
    if response.get("raiMediaFilteredCount") or reasons:
        return Failed(refused(" ".join(map(str, reasons)) if isinstance(reasons, list) else ""))
    return Failed(Garbled("the operation ended without a clip"))


def _read_rpc(code: int, message: Any) -> ProviderError:
    said = message if isinstance(message, str) else ""
    if code == 3 and re.search(MEANINGS[-1][0], said.lower()):
        return refused(said)
    kind = RPC.get(code, Unavailable)
    return kind(HINTS.get(kind, "the operation failed"), rpc=code)


def refused(text: str) -> ContentRefused:
    """Why the safety filter refused, by the support codes in what Vertex says: ``… Support codes: 58061214, 17301594``."""
    found = re.search(r"support codes?: ?([\d, ]+)", text.lower())
    codes = re.findall(r"\d+", found[1] if found else "")[:8]
    why = next((reason for code in codes for reason, known in REASONS.items() if code in known), None)
    return ContentRefused("the safety filter refused", message_id=why, support_codes=codes)


def read_error(answer: Answer, submitting: bool) -> ProviderError:  # noqa: FBT001 - as Line asks it
    """What a refusal means: the status, or what its words and reasons say."""
    kind, hint = STATUSES.get(answer.status), ""
    said = words_of(answer.data)
    for words, statuses, meant, told in MEANINGS:
        if answer.status in statuses and re.search(words, said):
            kind, hint = meant, told
            break
    if kind is None:
        return refused_or_unclear(None, answer, submitting=submitting)
    if kind is ContentRefused:
        return refused(said)
    facts = {"setting": "VEO_MODEL"} if kind is ModelRetired else {}
    return kind(hint or HINTS.get(kind, ""), retry_after=answer.retry_after, status=answer.status, **facts)
