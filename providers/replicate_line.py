"""A line to Replicate: raw JSON through the HTTP client that the ``replicate`` SDK builds, and what its refusals mean.

The SDK's own objects are not used (replicate 1.0.7, read and run in November 2026): its prediction breaks at the status ``aborted``, its
file output sends the key to whatever host delivers, and its client repeats every GET up to nine times, each after as many seconds as
``Retry-After`` says. A POST it never repeats; ``tests/lab/test_replicate_sdk.py`` and ``tests/providers/test_replicate.py`` prove both.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import re
import ssl
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import httpx
from replicate.client import Client, RetryTransport

from core.errors import (
    ContentRefused,
    CredentialsRejected,
    Garbled,
    InvalidRequest,
    ModelRetired,
    NothingSent,
    OutOfFunds,
    ProviderError,
    RateLimited,
    Unavailable,
    Unclear,
)
from core.ports import EncodedPicture
from providers.line import (
    ANSWER_BYTES,
    ASK_SECONDS,
    CONNECT_SECONDS,
    PIECE,
    RETRY_AFTER_MOST,
    SUBMIT_SECONDS,
    Answer,
    refused_or_unclear,
)

READ_ON_THE_LOOP: Final = 1 << 20
"""Longer answers are read in a worker thread."""
DATA_URI_BYTES: Final = 256_000
"""A larger picture is uploaded first: "Use a data URL when you have a small file <= 256kb" (Replicate's OpenAPI document, 2026-03-16)."""

logging.getLogger("httpx").setLevel(logging.WARNING)  # it would tell every poll

REFUSALS: Final[Mapping[int, type[ProviderError]]] = {
    400: InvalidRequest,
    401: CredentialsRejected,
    402: OutOfFunds,
    403: CredentialsRejected,
    404: ModelRetired,
    413: InvalidRequest,
    422: InvalidRequest,
    429: RateLimited,
}
"""What a status means to a submit: each is answered before anything runs. Any other one leaves the submit in doubt."""
ASKED: Final[Mapping[int, type[ProviderError]]] = {
    401: CredentialsRejected,
    402: OutOfFunds,
    403: CredentialsRejected,
    429: RateLimited,
}
"""What a status means to a call that may be made again; any other one tells nothing."""
RETIRED: Final = ("invalid version or not permitted", "version does not exist")
"""In the words of a 422: a pinned version is gone. replicate-python's issues quote it."""
REFUSED_WORDS: Final = ("e005", "flagged as sensitive", "nsfw", "content policy", "safety", "sensitive content")
"""In the words of a failure: the model declined. Not documented; E005 and the others are quoted by users (2025-2026)."""
INVALID_WORDS: Final = ("e006", "input was invalid", "invalid input")
"""In the words of a failure: the model could not use an input that Replicate itself had let through."""
CODE: Final = re.compile(r"\bE\d{3,4}\b")
"""replicate.com/docs/reference/error-codes names those of four digits: all of them are Replicate's own failures."""
RESETS: Final = re.compile(r"resets in ~?(\d{1,5})s")
"""``{"detail":"Request was throttled. Your rate limit resets in ~30s."}``: replicate.com/docs/topics/predictions/rate-limits."""


def read_error(answer: Answer, *, submitting: bool, setting: str = "REPLICATE_MODEL") -> ProviderError:
    """The error that a refusal means. Replicate's words only choose the class; none of them is passed on.

    ``setting`` names the model, for an operator whose model is gone.
    """
    kind = (REFUSALS if submitting else ASKED).get(answer.status)
    words = _words(answer.data)
    if submitting and answer.status == 422:
        if any(word in words for word in RETIRED):
            kind = ModelRetired
        elif any(word in words for word in REFUSED_WORDS):
            kind = ContentRefused
    error = refused_or_unclear(kind, answer, submitting=submitting)
    if isinstance(error, ModelRetired):
        error.facts["setting"] = setting
    if isinstance(error, RateLimited) and error.retry_after is None and (found := RESETS.search(words)):
        error.retry_after = min(RETRY_AFTER_MOST, float(found[1]))
    return error


def _words(data: Any) -> str:
    """The words of a problem (RFC 7807), in lower case."""
    if not isinstance(data, Mapping):
        return ""
    return " ".join(str(data.get(key, ""))[:2000] for key in ("title", "detail")).lower()


def read_failure(text: Any) -> ProviderError:
    """The error of a prediction that failed, by the text that its model left."""
    words = str(text or "").lower()
    code = CODE.search(str(text or ""))
    facts: dict[str, Any] = {} if code is None else {"vendor_code": code[0]}
    if any(word in words for word in REFUSED_WORDS):
        return ContentRefused("the model declined", **facts)
    if any(word in words for word in INVALID_WORDS):
        return InvalidRequest("the model could not use an input", **facts)
    return Unavailable("the prediction failed", **facts)


class ReplicateLine:
    """Connections to Replicate. Made in a worker thread: the certificates and the SDK's client take longer than a loop may stand still."""

    def __init__(self, root: str, token: str, *, setting: str = "REPLICATE_MODEL") -> None:
        """``root`` has no ``/v1``; ``setting`` is named where a model is gone."""
        self._setting = setting
        self.headers: Mapping[str, str] = {"Authorization": f"Bearer {token}"}
        self._asking = _client(root, token, httpx.AsyncHTTPTransport(verify=_certificates()))
        # A submit gets a connection of its own: one that the vendor closed while it lay idle would leave the answer in doubt.
        lone = httpx.Limits(max_connections=32, max_keepalive_connections=0)
        self._submitting = _client(root, token, httpx.AsyncHTTPTransport(verify=_certificates(), limits=lone))
        with contextlib.suppress(ImportError):  # else the first call would import it on the loop
            import_module("anyio._backends._asyncio")

    async def submit(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """POST once.

        Raises NothingSent when no connection came about, Unclear when the answer was lost or cannot be read, and what ``read_error``
        makes of a refusal.
        """
        try:
            async with asyncio.timeout(SUBMIT_SECONDS):
                answer = await _call(self._submitting, "POST", path, SUBMIT_SECONDS, json=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NothingSent(f"no connection: {type(error).__name__}") from error
        except (httpx.HTTPError, TimeoutError, OSError, Garbled) as error:
            raise Unclear(f"the answer was lost: {type(error).__name__}") from error
        if answer.status >= 300:
            raise read_error(answer, submitting=True, setting=self._setting)
        if not answer.is_json:
            raise Unclear("the answer to a submit is no JSON", status=answer.status)
        return answer

    async def ask(
        self, method: str, path: str, *, passes: tuple[int, ...] = (), most: int = ANSWER_BYTES, **content: Any
    ) -> Answer:
        """A call that may be made again by whoever wants to; ``content`` is httpx's (``json``, ``params``, ``files``).

        ``most``: bytes that are read of the answer.

        Statuses of ``passes`` are returned like good ones. Raises Unavailable when no answer came within ``ASK_SECONDS``, Garbled when
        a good one is no object, and what ``read_error`` makes of a refusal.
        """
        try:
            async with asyncio.timeout(ASK_SECONDS):
                answer = await _call(self._asking, method, path, ASK_SECONDS, most=most, **content)
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            raise Unavailable(f"no answer: {type(error).__name__}") from error
        if answer.status in passes:
            return answer
        if answer.status >= 300:
            raise read_error(answer, submitting=False, setting=self._setting)
        if not isinstance(answer.data, dict):
            raise Garbled("the answer is no object", status=answer.status)
        return answer

    async def lent(self, picture: EncodedPicture) -> str:
        """An address of the picture for an input: the picture itself where it is small, else that of an upload (kept for 24 h).

        An upload costs nothing and may be repeated, so a failure of it is NothingSent to the submit that wanted it, unless the key or
        the account is refused.
        """
        if (len(picture.data) + 2) // 3 * 4 <= DATA_URI_BYTES:
            return picture.data_uri()
        name = f"picture.{picture.mime.rpartition('/')[2]}"
        try:
            answer = await self.ask("POST", "/v1/files", files={"content": (name, picture.data, picture.mime)})
            return str(answer.data["urls"]["get"])
        except (CredentialsRejected, OutOfFunds, RateLimited):
            raise
        except (ProviderError, KeyError, TypeError) as error:
            raise NothingSent("a picture could not be uploaded", reason=type(error).__name__) from error

    async def check(self, model: str, described_at: str) -> str:
        """The key is taken and the model is there; costs nothing. Raises ProviderError whose text says what to set."""
        try:
            await self.ask("GET", "/v1/account")
            answer = await self.ask("GET", described_at, passes=(404,))
        except CredentialsRejected as error:
            raise CredentialsRejected("Replicate does not take REPLICATE_API_TOKEN", **error.facts) from error
        if answer.status == 404:
            text = f"Replicate has no model {model}: set {self._setting} to one that it has"
            raise ModelRetired(text, setting=self._setting)
        return f"the key is taken, and {model} is there"

    async def close(self) -> None:
        """Free the connections."""
        await self._asking.aclose()
        await self._submitting.aclose()


@functools.cache
def _certificates() -> ssl.SSLContext:
    """The roots that are trusted, read once."""
    return httpx.create_ssl_context()


def _client(root: str, token: str, transport: httpx.AsyncHTTPTransport) -> httpx.AsyncClient:
    """The SDK's client without its repeats."""
    sdk = Client(token, base_url=root, transport=transport, headers={"Accept-Encoding": "identity"})
    found = sdk._async_client  # noqa: SLF001 - the SDK offers raw answers nowhere else
    repeating = found._transport  # noqa: SLF001
    if not isinstance(repeating, RetryTransport):
        raise TypeError("this version of the SDK repeats in another way")
    repeating.max_attempts = 1
    return found


async def _call(
    client: httpx.AsyncClient, method: str, path: str, seconds: float, *, most: int = ANSWER_BYTES, **content: Any
) -> Answer:
    """One call, its answer read within bounds. Raises Garbled when it is too long."""
    limits = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
    async with client.stream(method, path, timeout=limits, follow_redirects=False, **content) as response:
        body = bytearray()
        async for piece in response.aiter_bytes(PIECE):
            body += piece
            if len(body) > most:
                raise Garbled("the answer is too long", status=response.status_code)
    try:
        data = json.loads(bytes(body)) if len(body) <= READ_ON_THE_LOOP else await asyncio.to_thread(json.loads, body)
        return Answer(response.status_code, response.headers, data, is_json=True)
    except (ValueError, RecursionError):
        return Answer(response.status_code, response.headers)
