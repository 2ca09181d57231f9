"""The longest time that the event loop was held while Reelay was busy, against the longest while it was idle.

A task of the server's process sleeps 5 ms at a time and notes how much later it woke. Busy: four orders for the built-in generator are
due, four pictures of several megabytes are uploaded, and 200 people ask once a second how their job is doing. The people are in another
process, which yields to the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any, Final

import aiohttp

from bot.platforms.web.accounts import hash_token
from bot.platforms.web.server import RateLimit
from tests.benchmarks.figures import ROUNDS, Figure, median
from tests.benchmarks.worlds import folder, running_app

READERS: Final = 200
UPLOADS: Final = 4
JOBS: Final = 4
IDLE_SECONDS: Final = 2.0
BUSY_SECONDS: Final = 6.0
SLEEP_SECONDS: Final = 0.005
PROMPT: Final = "A lighthouse on a cliff at golden sunset, waves below"
WHY: Final = (
    "The value is the worst of all rounds, and whoever else wants a core may hold the loop: compare the idle side, where Reelay does "
    "nothing, and the load above. With a load of 1.9 to 2.6 the worst was 30.3 ms, and 4.2 ms idle (2026-11-21). What of a long stall "
    "is Reelay's own and what the machine's was not taken apart."
)


def noise(side: int = 1200) -> bytes:
    """A PNG that cannot be made smaller: three bytes a pixel."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    lines = b"".join(b"\0" + os.urandom(3 * side) for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 1)) + chunk(b"IEND", b"")


class Sampler:
    """Wakes every 5 ms and keeps the longest delay."""

    def __init__(self) -> None:
        self.worst = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(SLEEP_SECONDS)
            self.worst = max(self.worst, time.monotonic() - before - SLEEP_SECONDS)


async def serve(place: Path) -> None:
    """The server's process: prints port and tokens, then the worst delay since the last line, for each line it reads."""
    async with running_app(place, REELAY_MAX_WAITING_JOBS="1000", REELAY_MAX_ACTIVE_JOBS="8") as (app, port, _):
        app.server._limit = RateLimit(app.clock, burst=10**6, per_second=10**6)  # the whole crowd has one address here
        tokens = []
        for number in range(READERS):
            account, token = await app.store.open_account("web", f"reader {number}"), f"token-{number:04d}"
            await app.store.add_token(hash_token(token), "api", account, None)
            tokens.append(token)
        sampler = Sampler()
        sampling = asyncio.create_task(sampler.run())
        print(json.dumps({"port": port, "tokens": tokens}), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps({"worst": sampler.worst}), flush=True)
            sampler.worst = 0.0
        sampling.cancel()


class Crowd:
    """People at the server."""

    def __init__(self, http: aiohttp.ClientSession, url: str, tokens: list[str], picture: bytes) -> None:
        self._http, self._url, self._tokens, self._picture = http, url, tokens, picture
        self.asked = self.orders = self.uploads = 0
        self._mine: dict[str, str] = {}

    async def post(self, token: str, path: str, **body: Any) -> dict[str, Any]:
        """One call that must be answered."""
        headers = {"Authorization": f"Bearer {token}"}
        async with self._http.post(f"{self._url}/api/video_chat/{path}", headers=headers, **body) as answer:
            data: dict[str, Any] = await answer.json()
            if answer.status >= 400:
                raise RuntimeError(f"{path}: {answer.status} {data}")
            return data

    async def order(self, token: str) -> None:
        """A clip of four seconds."""
        data = await self.post(token, "generate", json={"prompt": PROMPT, "duration": 4})
        self._mine[token] = data["operation_id"]
        self.orders += 1

    async def upload(self, token: str) -> None:
        """A clip from a picture."""
        form = aiohttp.FormData({"prompt": PROMPT, "duration": "4"})
        form.add_field("image_file", self._picture, filename="a.png", content_type="image/png")
        await self.post(token, "generate_with_image", data=form)
        self.uploads += 1

    async def read(self, token: str, until: float) -> None:
        """Ask once a second, each at a moment of their own."""
        await asyncio.sleep(random.random())
        while time.monotonic() < until:
            began = time.monotonic()
            await self.post(token, "status", json={"operation_id": self._mine[token]})
            self.asked += 1
            await asyncio.sleep(max(0.0, 1.0 - (time.monotonic() - began)))

    async def first_orders(self) -> None:
        """Everybody has a job to ask about, and none of them is left to draw."""
        for token in self._tokens:
            data = await self.post(token, "generate", json={"prompt": PROMPT, "duration": 4})
            self._mine[token] = data["operation_id"]
            await self.post(token, "cancel", json={"operation_id": data["operation_id"]})

    async def rush(self, seconds: float) -> None:
        """Orders, uploads and readers at once."""
        until = time.monotonic() + seconds
        readers = [asyncio.create_task(self.read(token, until)) for token in self._tokens]
        await asyncio.sleep(0.5)
        works = [self.order(token) for token in self._tokens[:JOBS]]
        works += [self.upload(token) for token in self._tokens[JOBS : JOBS + UPLOADS]]
        await asyncio.gather(*works)
        await asyncio.gather(*readers)

    async def tidy(self) -> None:
        """Cancel what is still being drawn."""
        for token in self._tokens[: JOBS + UPLOADS]:
            headers = {"Authorization": f"Bearer {token}"}
            async with self._http.get(f"{self._url}/api/video_chat/operations", headers=headers) as answer:
                found = (await answer.json())["operations"]
            for job in found:
                if job["status"] in ("pending", "processing"):
                    with contextlib.suppress(RuntimeError):
                        await self.post(token, "cancel", json={"operation_id": job["operation_id"]})


async def watch(place: Path, rounds: int) -> tuple[list[float], list[float], Crowd]:
    """(worst delays when idle, worst delays when busy) in seconds, and what the crowd did."""
    command = [sys.executable, "-m", "tests.benchmarks.stall", str(place)]
    server = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 20
    )
    assert server.stdin is not None
    assert server.stdout is not None

    async def worst() -> float:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(b"\n")
        await server.stdin.drain()
        return float(json.loads(await server.stdout.readline())["worst"])

    idle: list[float] = []
    busy: list[float] = []
    picture = await asyncio.to_thread(noise)
    try:
        told = json.loads(await asyncio.wait_for(server.stdout.readline(), 60))
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as http:
            crowd = Crowd(http, f"http://127.0.0.1:{told['port']}", told["tokens"], picture)
            await crowd.first_orders()
            for _ in range(rounds):
                await asyncio.sleep(1.0)
                await worst()
                await asyncio.sleep(IDLE_SECONDS)
                idle.append(await worst())
                await crowd.rush(BUSY_SECONDS)
                busy.append(await worst())
                await crowd.tidy()
            return idle, busy, crowd
    finally:
        server.stdin.close()
        try:
            await asyncio.wait_for(server.wait(), 30)
        except TimeoutError:
            server.kill()


def measure(scale: float = 1.0) -> list[Figure]:
    """One figure: the worst of all rounds."""
    os.nice(5)
    rounds = ROUNDS if scale >= 1 else 2
    with folder() as place:
        idle, busy, crowd = asyncio.run(watch(place, rounds))
    in_ms = tuple(1000 * seconds for seconds in busy)
    asked = crowd.asked / (rounds * BUSY_SECONDS)
    sides = {"median of the rounds ms": median(in_ms), "idle, worst ms": 1000 * max(idle), "status calls /s": asked}
    what = f"worst loop stall: {JOBS} local jobs due, {UPLOADS} uploads of {len_mb()} MB, {READERS} status readers"
    return [Figure("stall", what, max(in_ms), goal=50.0, unit="ms", rounds=in_ms, sides=sides, note=WHY)]


def len_mb() -> str:
    """Megabytes of one upload."""
    return f"{len(noise()) / 1e6:.1f}"


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
