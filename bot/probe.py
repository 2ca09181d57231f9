"""What ``reelay doctor`` looks at from inside a process that has the parts: ledger, clips, generators, pauses, alerts."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Protocol

from bot.engine.parts import Parts
from bot.engine.status import iso
from core.errors import ProviderError, ReelayError
from core.ports import Provider

CHECK_SECONDS: Final = 45.0
PROBE_BYTES: Final = 1 << 20
DRAWS_HERE: Final = frozenset({"local"})
"""Generators that only draw with the media worker, whose own check is apart and waits for nobody's renders."""

Mark = Literal["ok", "note", "fault"]


class Checked(Protocol):
    """Whatever can say by itself whether it is set up."""

    async def check(self) -> str:
        """A sentence; raises ProviderError."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's: ``note`` is worth knowing, ``fault`` has to be mended; ``advice`` says how."""

    mark: Mark
    part: str
    text: str
    advice: str = ""


async def probe(parts: Parts, others: Mapping[str, Checked] | None = None) -> list[Finding]:
    """Look at everything that needs the parts, and at ``others`` by what they are. Ends within minutes.

    Writes one file to the clip store and takes it away.
    """
    found = [await _ledger(parts), await _clip_store(parts), await _missing(parts)]
    found += await asyncio.gather(*(_generator(provider) for provider in parts.providers.values()))
    found += await asyncio.gather(*(_checked(part, each) for part, each in (others or {}).items()))
    for pause in await parts.store.pauses():
        name, flag = ("new jobs", "intake") if pause.provider == "*" else (pause.provider, pause.provider)
        until = "until it is resumed" if pause.until is None else f"until {iso(pause.until)}"
        found.append(
            Finding("note", "pauses", f"{name}: paused {until} ({pause.reason})", f"reelay admin resume {flag}")
        )
    for cause, since, text in await parts.store.alerts():
        found.append(
            Finding(
                "note",
                "alerts",
                f"since {iso(since)}: {text}",
                f"when it is mended: reelay admin alerts --clear '{cause}'",
            )
        )
    return found


def as_json(found: list[Finding]) -> dict[str, Any]:
    """For the socket; ``from_json`` reads it."""
    return {"findings": [asdict(each) for each in found]}


def from_json(data: dict[str, Any]) -> list[Finding]:
    """What ``as_json`` wrote."""
    return [Finding(**each) for each in data["findings"]]


async def _ledger(parts: Parts) -> Finding:
    wrong = await parts.store.audit_sums()
    if not wrong:
        return Finding("ok", "ledger", "every sum agrees with its lines")
    return Finding(
        "fault",
        "ledger",
        f"{len(wrong)} sums are wrong: {wrong[0]}",
        "keep a backup and report this: it is a fault of Reelay",
    )


async def _clip_store(parts: Parts) -> Finding:
    content = secrets.token_bytes(PROBE_BYTES)
    try:
        async with parts.clips.incoming(suffix=".probe", max_bytes=PROBE_BYTES) as incoming:
            await incoming.write(content)
            stored = await incoming.keep()
        try:
            read = b"".join([piece async for piece in parts.clips.open_range(stored.key, 0, PROBE_BYTES)])
        finally:
            await parts.clips.delete(stored.key)
        usage = await parts.clips.usage()
    except (ReelayError, OSError) as error:
        return Finding("fault", "clips", f"a file cannot be kept: {error}", "look at the folder's rights and free room")
    if read != content or await parts.clips.size(stored.key) is not None:
        return Finding(
            "fault", "clips", "a file came back changed, or would not go away", "check the disk (dmesg, smartctl)"
        )
    return Finding(
        "ok", "clips", f"written, read and removed 1 MB; {usage.files} files, {usage.bytes / 1e6:,.1f} MB are kept"
    )


async def _missing(parts: Parts) -> Finding:
    known = await parts.store.keys_in_use()
    gone = [key for key in sorted(known) if await parts.clips.size(key) is None]
    known_again = await parts.store.keys_in_use() if gone else set()
    gone = [key for key in gone if key in known_again]  # what was deleted meanwhile is no fault
    if not gone:
        return Finding("ok", "clips", f"every row has its file ({len(known)})")
    return Finding(
        "fault",
        "clips",
        f"{len(gone)} of {len(known)} files are missing, the first is {gone[0]}",
        "bring the folder clips/ back from a backup; without one, delete these clips on the page",
    )


async def _generator(provider: Provider) -> Finding:
    part = f"generator {provider.name}"
    if provider.name in DRAWS_HERE:
        return Finding("ok", part, "draws with the media worker, which is checked above")
    return await _checked(part, provider)


async def _checked(part: str, provider: Checked) -> Finding:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return Finding("ok", part, await provider.check())
    except TimeoutError:
        return Finding(
            "fault", part, f"did not answer within {CHECK_SECONDS:g} s", "look at its address and at the network"
        )
    except ProviderError as error:
        return Finding(
            "fault",
            part,
            f"{error.code}: {error}",
            ADVICE.get(error.code, "try again; if it stays, look at the vendor's status page"),
        )


ADVICE: Final = {
    "AUTHENTICATION_ERROR": "set a key that the vendor accepts, then start again",
    "INSUFFICIENT_FUNDS": "top up the account at the vendor, then: reelay admin resume",
    "MODEL_RETIRED": "set the model's setting to one that exists",
    "INVALID_REQUEST": "look at the model's setting",
}
