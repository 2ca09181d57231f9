"""Clips of 50 MB on their way to Discord: how long one takes, and what eight at once weigh.

*Delivery*: from the row of the trail that says ``stored`` (the clip is on the disk, inspected, and the job done) to the moment in which
the simulator answers the edit that brings the file, against aiohttp alone in a process of its own that sends the same body and the same
file to the same route of the same message, right after it. Its time runs from the call to the answer read. Both sides have sent one such
clip before.

*Memory*: eight jobs become ready at the same moment, and the simulator looks at none of their uploads for some seconds, so that all of
them are under way together. Counted is by how much the peak of the process's resident memory rises above what it had before, over
everything from the download to the last upload (the media work is done by children and is not counted), as a share of the payload. The
bare bot of discord.py only uploads, with ``discord.File``. Here, too, both have sent one before: what is imported late counts for
neither.

Same simulator, same file: a real clip of noise, filled up to exactly 50 MB with an empty box.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from tests.benchmarks.discord_sides import a_bare_bot, a_reelay
from tests.benchmarks.figures import ROUNDS, Figure, median, ratio, resident_bytes
from tests.benchmarks.worlds import folder
from tests.lab.discord import Channel, Discord, Person, Use
from tests.lab.reelay import ROOT, Reelay
from tests.lab.vendor import Script, Vendor
from tests.lab.waiting import until
from tests.media.canned import canned_clip

MB: Final = 1_000_000
BYTES: Final = 50 * MB
AT_ONCE: Final = 8
HELD_SECONDS: Final = 4.0
EDIT: Final = "update_original_webhook_message"
WHY: Final = (
    "The edit's first byte goes out 10 to 22 ms after the clip was stored (two commits and the card, 2026-11-21); the upload itself is no"
    " slower than aiohttp alone. When others want the cores, single rounds lie between 0.3 and 3."
)
Json = dict[str, Any]


def fill_up(path: Path, size: int) -> None:
    """Make an MP4 exactly ``size`` bytes long with a box that players skip. Raises ValueError when it is longer already."""
    missing = size - path.stat().st_size
    if missing < 8:
        raise ValueError(f"{path.name} has no room for a box within {size} bytes")
    with path.open("ab") as file:
        file.write(missing.to_bytes(4, "big") + b"free" + bytes(missing - 8))


def big_clip(path: Path, size: int) -> None:
    """A real clip of noise, nearly all of its bytes pictures."""
    canned_clip(path, seconds=0.5, width=1280, height=720, noise=255)
    pictures = int(0.95 * size / path.stat().st_size * 12)
    canned_clip(path, seconds=pictures / 24, width=1280, height=720, noise=255)
    fill_up(path, size)


class FileVendor(Vendor):
    """The paid generator with one result for all, sent from the disk."""

    def __init__(self, clip: Path, **more: Any) -> None:
        super().__init__(**more)
        self.clip = clip

    async def _result(self, request: web.Request) -> web.StreamResponse:
        del request
        return web.FileResponse(self.clip, headers={"Content-Type": "video/mp4"})


def reset_peak(pid: int) -> None:
    """Let VmHWM begin anew at what is resident now (Linux, proc(5))."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def peak_bytes(pid: int) -> int:
    """VmHWM of a process."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line for line in text.splitlines() if line.startswith("VmHWM:")).split()[1]) * 1024


@dataclass
class Stage:
    """A guild of tier 2, where 50 MiB may be posted, and a clip."""

    discord: Discord
    clip: Path
    people: list[Person] = field(default_factory=list)
    room: Channel | None = None

    def __post_init__(self) -> None:
        guild = self.discord.add_guild("Cinema", tier=2)
        self.room = self.discord.add_channel(guild, "general")
        self.people = [self.discord.add_person(f"person-{number}", guild) for number in range(AT_ONCE + 1)]

    def wait_ready(self) -> None:
        """Until the bot is there."""
        until(
            lambda: (
                self.discord.gateway.connected == 1
                and any(c["name"] == "video" for c in self.discord.commands.of(None))
            ),
            30,
            "the bot",
        )

    def order(self, person: Person, prompt: str) -> Use:
        """One command."""
        use = person.slash("video", self.room, prompt=prompt)
        until(lambda: use.acknowledged, 20, "the answer")
        return use

    def brought(self, use: Use) -> Json:
        """The journal's line of the edit that brought the clip."""
        token = use.interaction.token
        found = until(
            lambda: [r for r in self.discord.journal.requests(EDIT, 200) if r["files"] and token in r["path"]],
            60,
            "the clip",
        )
        return found[0]

    def weigh(self, pid: int, uses: list[Use], go: Any) -> float:
        """Bytes by which the peak rises while all of ``uses`` become clips at once."""
        self.discord.door.most_inflight.clear()
        self.discord.door.latency[EDIT] = HELD_SECONDS
        reset_peak(pid)
        before = resident_bytes(pid)
        go()
        until(lambda: all(use.message and use.message.clip for use in uses), 120, "all clips")
        self.discord.door.latency.clear()
        together = self.discord.door.most_inflight[EDIT]
        if together < len(uses):
            raise RuntimeError(f"only {together} of {len(uses)} uploads were under way together")
        return float(max(0, peak_bytes(pid) - before))


def raw_upload(stage: Stage, use: Use, body: Json) -> float:
    """Seconds of aiohttp alone, for the same message."""
    found = use.interaction
    path = f"/webhooks/{stage.discord.world.application_id}/{found.token}/messages/@original"
    wish = {"does": "raw", "api_url": stage.discord.api_url, "path": path, "body": body, "clip": str(stage.clip)}
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.discord_bare"]
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps(wish) + "\n", capture_output=True, text=True, timeout=60, check=True
    )
    return float(json.loads(done.stdout)["seconds"])


def one_delivery(stage: Stage, reelay: Reelay, number: int) -> tuple[float, float]:
    """(seconds of ours, seconds of raw)."""
    use = stage.order(stage.people[number % AT_ONCE], f"take-{number}-")
    line = stage.brought(use)
    job = reelay.value("SELECT job_id FROM inbox WHERE update_id = ?", use.interaction.id)
    stored = reelay.value("SELECT at FROM events WHERE job_id = ? AND hop = 'stored'", job) / 1000
    reelay.wait_quiet()
    return float(line["at"]) - stored, raw_upload(stage, use, line["body"])


@contextmanager
def reelay_there(place: Path, stage: Stage) -> Iterator[tuple[Reelay, FileVendor]]:
    """Reelay at this Discord with a vendor of 50 MB clips, warm."""
    with FileVendor(stage.clip, default=Script(seconds=0.3)) as vendor:
        generator = {"name": "lab", "url": vendor.url, "usual_seconds": 1.0, "most_active": AT_ONCE}
        with a_reelay(stage.discord, place, generator) as reelay:
            stage.wait_ready()
            one_delivery(stage, reelay, 99)
            yield reelay, vendor


def ours(place: Path, clip: Path, rounds: int) -> tuple[list[tuple[float, float]], float]:
    """((ours, raw) seconds of each delivery, bytes of eight at once)."""
    with Discord(validate=False) as discord:
        stage = Stage(discord, clip)
        with reelay_there(place, stage) as (reelay, vendor):
            pairs = [one_delivery(stage, reelay, number) for number in range(rounds)]
            vendor.on("held", Script(seconds=None))
            uses = [stage.order(person, f"held {number}") for number, person in enumerate(stage.people[:AT_ONCE])]
            until(lambda: len(vendor.of("held")) == AT_ONCE, 20, "eight jobs")
            until(lambda: all("Rendering" in use.text for use in uses), 20, "eight cards")
            return pairs, stage.weigh(reelay.running.pid, uses, lambda: vendor.finish("held"))


def bare(place: Path, clip: Path) -> float:
    """Bytes of eight ``discord.File`` at once."""
    with Discord(validate=False) as discord:
        stage, go = Stage(discord, clip), place / "go"
        with a_bare_bot(discord, "upload", clip=str(clip), go=str(go)) as bot:
            stage.wait_ready()
            go.touch()
            stage.brought(stage.order(stage.people[AT_ONCE], "warm"))
            go.unlink()
            uses = [stage.order(person, "held") for person in stage.people[:AT_ONCE]]
            return stage.weigh(bot.pid, uses, go.touch)


def measure(scale: float = 1.0) -> list[Figure]:
    """Two figures."""
    size, rounds = (BYTES, ROUNDS) if scale >= 1 else (5 * MB, 1)
    pairs: list[tuple[float, float]] = []
    weights: list[float] = []
    bares: list[float] = []
    with folder() as place:
        clip = place / "clip.mp4"
        big_clip(clip, size)
        for number in range(rounds):
            side = place / f"round {number}"
            side.mkdir()
            took, weight = ours(side, clip, 2 if scale >= 1 else 1)
            pairs += took
            weights.append(weight)
            bares.append(bare(side, clip))
    payload = AT_ONCE * size
    mine, raws = [one for one, _ in pairs], [other for _, other in pairs]
    mb = f"{size / MB:g} MB"
    return [
        ratio(
            "discord delivery",
            f"clip of {mb} stored and inspected → Discord's answer ÷ aiohttp alone, same bytes, same route",
            mine,
            raws,
            goal=1.15,
            unit="×",
            sides={"ours ms": 1000 * median(mine), "raw aiohttp ms": 1000 * median(raws)},
            note=WHY,
        ),
        Figure(
            "discord upload memory",
            f"peak memory of {AT_ONCE} deliveries of {mb} at once, from download to answer ÷ their bytes",
            median(weights) / payload,
            goal=0.05,
            rounds=tuple(weight / payload for weight in weights),
            sides={
                "ours MB": median(weights) / MB,
                "bare discord.py MB": median(bares) / MB,
                "payload MB": payload / MB,
            },
        ),
    ]
