"""The long proofs: ``make prove``. Kill after kill, flood, soak, each with the real process and a vendor that bills.

``PROVE_SECONDS``  how long in all (1800; a sample of 120 works); three parts share it
``PROVE_SEED``     seed of everything random (printed; default: by the clock)
``PROVE_ONLY``     kills, generators, films, flood or soak
``PROVE_WRITE``    1: append the results to docs/reference/proofs.md

Exit code 0 when nothing was violated, else 1.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import platform
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil  # type: ignore[import-untyped]

from storage.folder import FolderClipStore
from tests.lab.api import Api
from tests.lab.checker import CANARY, check, connect, orphans
from tests.lab.clips import clip_bytes
from tests.lab.reelay import Reelay
from tests.lab.vendor import Script, Take, Vendor
from tests.lab.vendors import KINDS, hurry
from tests.lab.waiting import until
from tests.media.hostile import photo
from tests.prove_films import films

DOCS: Final = Path(__file__).parents[1] / "docs" / "reference" / "proofs.md"
WARM_SECONDS: Final = 300.0
"""Growth of the memory before this is warming up."""
LEAST_SECONDS: Final = 1200.0
"""A slope over less time is noise."""
LOSSY: Final = "albatross"
"""A word for prompts of which the vendor loses the answer to the submit."""
FREE: Final = {
    "REELAY_DAILY_CREDITS": "unlimited",
    "REELAY_GLOBAL_DAILY_CREDITS": "unlimited",
    "REELAY_MAX_WAITING_JOBS": "10000",
    "REELAY_MAX_ACTIVE_JOBS": "16",
}


@dataclass
class Part:
    """What one part found."""

    name: str
    figures: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def told(self) -> str:
        """For the terminal and the page."""
        figures = ", ".join(f"{name} {value}" for name, value in self.figures.items())
        verdict = "holds" if not self.wrong else f"VIOLATED ({len(self.wrong)}): " + "; ".join(self.wrong[:5])
        return f"{self.name}: {verdict}. {figures}"


# ---------------------------------------------------------------------------------------------------------------------------- kills


def kills(folder: Path, seconds: float, rng: random.Random) -> Part:
    """kill -9 every 1 to 10 s while jobs come in; then everything drains, and every invariant is checked."""
    part = Part("kills")
    with Vendor(default=Script(seconds=0.3)) as vendor:
        generators = [{"name": "paid", "url": vendor.url, "most_active": 12, "poll_seconds": [0.1, 0.5]}]
        with Reelay(folder, environ=FREE, generators=generators) as reelay:
            reelay.start()
            clients = Clients(reelay, rng.randrange(2**32))
            killed, ends = 0, time.monotonic() + seconds * 0.8
            while time.monotonic() < ends:
                clients.pause_until(time.monotonic() + rng.uniform(1, min(10.0, max(1.5, seconds / 30))))
                reelay.kill()
                killed += 1
                reelay.restart()
            clients.stop()
            asked = drain(reelay, max(60.0, seconds))
            part.figures |= counts(reelay) | {
                "kills": killed,
                "left unclear and cancelled": asked,
                "billed": len(vendor.jobs),
            }
            part.figures["longest start"] = f"{max(reelay.starts):.1f} s"
            if reelay.stop() != 0:
                part.wrong.append("it did not stop with 0")
        part.wrong += check(reelay.data, vendor, reelay.text)
        part.wrong += [f"an order was lost: {key}" for key in clients.accepted if key not in known_keys(reelay)]
        sweep(reelay.data)
        part.wrong += [f"orphan {path}" for path in orphans(reelay.data)]
    return part


# ----------------------------------------------------------------------------------------------------------------------- generators


def generators(folder: Path, seconds: float, rng: random.Random) -> Part:
    """Every vendor in turn behind its own wire: kill after kill while jobs come in, and some answers to submits lost besides.

    Nothing is paid twice: of a vendor whose wire tells our attempts by attempt, of the others by prompt, each of which is ordered once.
    """
    part = Part("generators")
    totals: Counter[str] = Counter()
    for name, kind in KINDS.items():
        with kind.simulator(Script(seconds=0.3)) as vendor:
            vendor.on(LOSSY, Script(seconds=0.3, submits=[Take("cut")] * 10_000))
            with Reelay(folder / kind.module / name.replace(" ", "-"), environ=kind.settings(vendor)) as reelay:
                hurry(reelay.data, kind.generator)
                reelay.start()
                clients = Clients(
                    reelay, rng.randrange(2**32), provider=kind.generator, with_picture=not kind.text, lossy=0.05
                )
                ends = time.monotonic() + seconds / len(KINDS) * 0.7
                while time.monotonic() < ends:
                    clients.pause_until(time.monotonic() + rng.uniform(0.5, 4.0))
                    reelay.kill()
                    totals["kills"] += 1
                    reelay.restart()
                clients.stop()
                totals["left unclear and cancelled"] += drain(reelay, max(120.0, seconds))
                totals.update(counts(reelay))
                why = "SELECT json_extract(failure, '$.code') AS code, COUNT(*) AS n FROM jobs WHERE state = 'failed' GROUP BY code"
                totals.update({f"{name} {row['code']}": row["n"] for row in reelay.rows(why)})
                free = not reelay.value("SELECT MAX(price) FROM jobs")
                totals["billed" if not free else "drawn for nothing"] += vendor.paid.total()
                if reelay.stop() != 0:
                    part.wrong.append(f"{name} did not stop with 0")
                found = check(
                    reelay.data, vendor if kind.names_attempts and not free else None, reelay.text, refusals=free
                )
                twice = [] if free else [prompt for prompt, n in vendor.paid.items() if n > 1]
                totals["paid twice"] += len(twice)
                lost = [key for key in clients.accepted if key not in known_keys(reelay)]
                part.wrong += [
                    f"{name}: {each}" for each in (*found, *(f"paid twice: {each}" for each in twice), *lost)
                ]
    part.figures |= totals
    return part


class Clients(threading.Thread):
    """People who order with a key, and order the same again when no answer came."""

    def __init__(
        self,
        reelay: Reelay,
        seed: int,
        *,
        provider: str = "",
        with_picture: bool = False,
        lossy: float = 0.0,
    ) -> None:
        """``lossy``: the share of orders whose prompt asks the vendor to lose its answer."""
        super().__init__(daemon=True)
        self._reelay, self._rng = reelay, random.Random(seed)
        self._provider, self._lossy = provider, lossy
        self._picture = photo((320, 180)) if with_picture else None
        self._ended = threading.Event()
        self.accepted: dict[str, str] = {}
        self.start()

    def run(self) -> None:
        number = 0
        while not self._ended.is_set():
            key = f"order-{number}"
            if self._order(key):
                number += 1
            self._ended.wait(self._rng.uniform(0.02, 0.25))

    def _order(self, key: str) -> bool:
        number = int(key.rpartition("-")[2])
        lossy = f"{LOSSY} " if self._lossy and number % round(1 / self._lossy) == 0 else ""
        prompt, api = f"{CANARY} {lossy}{key}", Api(self._reelay.url)
        try:
            if self._picture is None:
                answer = api.generate(prompt, idempotency_key=key, provider=self._provider)
            else:
                answer = api.generate_with_image(
                    self._picture, prompt=prompt, idempotency_key=key, provider=self._provider
                )
        except (OSError, http.client.HTTPException):
            return False
        if answer.status == 202:
            self.accepted[key] = answer["operation_id"]
        return answer.status == 202

    def pause_until(self, at: float) -> None:
        """Let them order until ``at``."""
        self._ended.wait(max(0.0, at - time.monotonic()))

    def stop(self) -> None:
        """No more orders."""
        self._ended.set()
        self.join(30)


def drain(reelay: Reelay, seconds: float) -> int:
    """Wait until all is quiet; whatever stays unclear is cancelled, as a person would. Returns how many."""
    asked: set[str] = set()

    def look() -> bool:
        for row in reelay.rows("SELECT id FROM jobs WHERE state = 'unclear' AND retries > 0 AND cancel_wish IS NULL"):
            Api(reelay.url).cancel(row["id"])
            asked.add(row["id"])
        live = reelay.value("SELECT COUNT(*) FROM jobs WHERE state NOT IN ('done', 'failed', 'cancelled')")
        open_cards = reelay.value("SELECT COUNT(*) FROM cards WHERE closed = 0")
        return not live and not open_cards

    until(look, seconds, "the queue to drain")
    reelay.wait_quiet(30)
    return len(asked)


def counts(reelay: Reelay) -> dict[str, int]:
    """Jobs by state."""
    rows = reelay.rows("SELECT state, COUNT(*) AS n FROM jobs GROUP BY state ORDER BY state")
    return {"jobs": sum(row["n"] for row in rows)} | {row["state"]: row["n"] for row in rows}


def known_keys(reelay: Reelay) -> set[str]:
    """Keys of the orders that became jobs."""
    return {row["dedupe_key"] for row in reelay.rows("SELECT dedupe_key FROM jobs")}


def sweep(data: Path) -> None:
    """The hourly sweep, now."""
    connection = connect(data)
    try:
        rows = connection.execute("SELECT key FROM clips UNION SELECT poster_key FROM clips").fetchall()
    finally:
        connection.close()
    known = {row[0] for row in rows if row[0]}
    asyncio.run(FolderClipStore(data / "clips", budget_bytes=None).sweep(known, -60.0))


# ---------------------------------------------------------------------------------------------------------------------------- flood


def flood(folder: Path, seconds: float, rng: random.Random) -> Part:
    """Waves of orders from many addresses against a daily allowance: never one more than there is room for."""
    part = Part("flood")
    room = rng.randint(20, 60)
    environ = {**FREE, "VIDEO_TOKEN_COST": "7", "REELAY_DAILY_CREDITS": str(7 * room + rng.randint(0, 6))}
    canned = folder / "clip.mp4"
    folder.mkdir(parents=True, exist_ok=True)
    canned.write_bytes(clip_bytes())
    generators = [{"kind": "instant", "name": "instant", "clip": str(canned), "most_active": 16}]
    with Reelay(folder / "reelay", environ=environ, generators=generators) as reelay:
        reelay.start()
        answers: Counter[int] = Counter()
        slowest = 0.0
        ends = time.monotonic() + seconds * 0.5
        wave = 0
        while time.monotonic() < ends:
            wave += 1
            found, took = asyncio.run(one_wave(reelay.url, wave, 300))
            answers += found
            slowest = max(slowest, took)
        drain(reelay, 120)
        part.figures |= {"room": room, "orders": answers.total(), "taken": answers[202], "waves": wave}
        part.figures["slowest answer"] = f"{slowest:.2f} s"
        if answers[202] != room:
            part.wrong.append(f"{answers[202]} orders were taken where {room} have room")
        if strange := {status: n for status, n in answers.items() if status not in {202, 402, 429}}:
            part.wrong.append(f"strange answers: {strange}")
        if reelay.stop() != 0:
            part.wrong.append("it did not stop with 0")
    part.wrong += check(reelay.data, None, reelay.text)
    return part


async def one_wave(url: str, wave: int, orders: int) -> tuple[Counter[int], float]:
    """``orders`` at once; returns (answers by status, the slowest)."""
    slowest = 0.0
    local = (f"127.0.{1 + wave // 250 % 250}.{1 + wave % 250}", 0) if sys.platform == "linux" else None
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200, local_addr=local)) as session:

        async def ask(number: int) -> int:
            nonlocal slowest
            began = time.monotonic()
            async with session.post(f"{url}/api/video_chat/generate", json={"prompt": f"{wave} {number}"}) as response:
                await response.read()
            slowest = max(slowest, time.monotonic() - began)
            return response.status

        return Counter(await asyncio.gather(*(ask(number) for number in range(orders)))), slowest


# ----------------------------------------------------------------------------------------------------------------------------- soak


def soak(folder: Path, seconds: float, rng: random.Random) -> Part:
    """Jobs, cancels, deletes and readers without pause: memory, descriptors and threads must not grow with time."""
    part = Part("soak")
    with Vendor(default=Script(seconds=0.1)) as vendor:
        generators = [{"name": "paid", "url": vendor.url, "most_active": 4, "poll_seconds": [0.1, 0.3]}]
        with Reelay(folder, environ=FREE, generators=generators) as reelay:
            reelay.start()
            process = psutil.Process(reelay.running.pid)
            samples: list[tuple[float, float, int, int]] = []
            began = time.monotonic()
            while time.monotonic() < began + seconds * 0.8:
                rounds(reelay, rng)
                with process.oneshot():
                    rss = process.memory_info().rss / 1e6
                    samples.append((time.monotonic() - began, rss, process.num_fds(), process.num_threads()))
            drain(reelay, 120)
            until(lambda: process.num_fds() <= samples[0][2] + 40, 30, "descriptors to be given back")
            steady = samples[len(samples) // 3 :]
            part.figures |= counts(reelay)
            part.figures |= {
                "memory": f"{steady[0][1]:.0f} → {steady[-1][1]:.0f} MB",
                "descriptors at most": max(s[2] for s in samples),
            }
            part.figures["memory per hour"] = hourly([(at, rss) for at, rss, _, _ in samples])
            grown = steady[-1][1] - steady[0][1]
            if grown > 25 + 0.02 * len(reelay.rows("SELECT 1 FROM jobs")):
                part.wrong.append(f"memory grew by {grown:.0f} MB in {steady[-1][0] - steady[0][0]:.0f} s")
            if slope([(s[0], float(s[2])) for s in steady]) * (steady[-1][0] - steady[0][0]) > 30:
                part.wrong.append(f"descriptors grew: {[s[2] for s in steady][:: max(1, len(steady) // 8)]}")
            if max(s[3] for s in samples) > 80:
                part.wrong.append(f"{max(s[3] for s in samples)} threads")
            if reelay.stop() != 0:
                part.wrong.append("it did not stop with 0")
        part.wrong += check(reelay.data, vendor, reelay.text)
    return part


def rounds(reelay: Reelay, rng: random.Random) -> None:
    """A handful of jobs with all that people do around them."""
    api = Api(reelay.url, whence=f"127.0.{rng.randint(1, 250)}.{rng.randint(1, 250)}")
    jobs = [api.ordered(f"{CANARY} {rng.random()}") for _ in range(6)]
    if rng.random() < 0.5:
        api.cancel(jobs[0])
    for job in jobs:
        reelay.wait_state(job, seconds=60)
    status = api.status(jobs[-1])
    with ThreadPoolExecutor(4) as pool:
        for answer in pool.map(lambda _: api.get(status["video_url"], headers={"Range": "bytes=0-999"}), range(8)):
            assert answer.status == 206, answer.body
    api.operations(limit=20)
    reelay.http("/metrics")
    if rng.random() < 0.3:
        api.delete(jobs[1])


def hourly(memory: list[tuple[float, float]]) -> str:
    """Growth from (seconds since the start, MB), in words. A young process fills its caches, which says nothing about an hour."""
    warm = [(at, rss) for at, rss in memory if at >= WARM_SECONDS]
    if not warm or warm[-1][0] - warm[0][0] < LEAST_SECONDS:
        return "not known after so short a run"
    return f"{slope(warm) * 3600:+.0f} MB"


def slope(points: list[tuple[float, float]]) -> float:
    """Least squares, per second."""
    if len(points) < 2:
        return 0.0
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def filming(folder: Path, seconds: float, rng: random.Random) -> Part:
    """Films under kill after kill: scenes are made once, cuts come of what was made, and the ledger says so."""
    figures, wrong = films(folder, seconds, rng, FREE)
    return Part("films", figures, wrong)


PARTS: Final = {
    "kills": (kills, 0.25),
    "generators": (generators, 0.35),
    "films": (filming, 0.15),
    "flood": (flood, 0.1),
    "soak": (soak, 0.15),
}


def main() -> int:
    """Run the parts; 0 when nothing was violated."""
    seconds = float(os.environ.get("PROVE_SECONDS", "1800"))
    seed = int(os.environ.get("PROVE_SEED") or time.time())
    only = os.environ.get("PROVE_ONLY")
    print(f"PROVE_SECONDS={seconds:g} PROVE_SEED={seed}", flush=True)
    parts = []
    for name, (prove, share) in PARTS.items():
        if only not in {None, "", name}:
            continue
        with tempfile.TemporaryDirectory(prefix="reelay-prove-") as folder:
            part = prove(Path(folder) / name, seconds * (share if not only else 1.0), random.Random(f"{seed} {name}"))
        parts.append(part)
        print(part.told(), flush=True)
    if os.environ.get("PROVE_WRITE") == "1":
        write(parts, seconds, seed)
    return 1 if any(part.wrong for part in parts) else 0


def write(parts: list[Part], seconds: float, seed: int) -> None:
    """Append the results to the page."""
    at = datetime.now(UTC).strftime("%Y-%m-%d")
    head = f"\n### {at}: {seconds:g} s, seed {seed}, Python {platform.python_version()}, {os.cpu_count()} cores\n\n"
    with DOCS.open("a", encoding="utf-8") as page:
        page.write(head + "".join(f"- {part.told()}\n" for part in parts))


if __name__ == "__main__":
    sys.exit(main())
