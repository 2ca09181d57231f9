"""Canned clips once for all, and a media room that proves to have left nothing behind."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from media.tools import MediaTools
from tests.media.canned import canned_clip


@dataclass(frozen=True)
class Shelf:
    """Good clips: read only."""

    blue: Path
    red: Path
    silent: Path
    upright: Path
    webm: Path
    noisy: Path
    slow_start: Path


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    folder = tmp_path_factory.mktemp("shelf")
    shelf = Shelf(*(folder / name for name in (
        "blue.mp4", "red.mp4", "silent.mp4", "upright.mp4", "clip.webm", "noisy.mp4", "slow_start.mp4",
    )))  # fmt: skip
    canned_clip(shelf.blue, seconds=2, colour=(20, 40, 200))
    canned_clip(shelf.red, seconds=2, colour=(200, 30, 30))
    canned_clip(shelf.silent, seconds=2, audio=False, colour=(20, 160, 40))
    canned_clip(shelf.upright, width=180, height=320, colour=(20, 40, 200))
    canned_clip(shelf.webm, seconds=2, codec="libvpx-vp9", audio_codec="libopus")
    canned_clip(shelf.noisy, seconds=2, width=640, height=360, noise=160)
    canned_clip(shelf.slow_start, faststart=False, metadata={"title": "secret title", "comment": "secret comment"})
    return shelf


@pytest.fixture
async def tools(tmp_path: Path) -> AsyncIterator[MediaTools]:
    """Without a spare: most tests ask once."""
    async with contextlib.aclosing(_room(tmp_path, spare=False)) as rooms:
        async for room in rooms:
            yield room


@pytest.fixture
async def warm_tools(tmp_path: Path) -> AsyncIterator[MediaTools]:
    """As it runs in the bot."""
    async with contextlib.aclosing(_room(tmp_path, spare=True)) as rooms:
        async for room in rooms:
            yield room


async def _room(tmp_path: Path, *, spare: bool) -> AsyncGenerator[MediaTools, None]:
    room = MediaTools(tmp_path / "scratch", heavy=1, spare=spare)
    await room.start()
    yield room
    await room.close()
    assert list((tmp_path / "scratch").iterdir()) == []
    assert our_children() == []


def our_children() -> list[int]:
    """Media workers whose parent is this process, dead but not reaped ones included."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == os.getpid() and (b"worker" in command or not command):
            found.append(int(entry.name))
    return found


def names(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


def alive(pid: int) -> bool:
    """Whether ``pid`` runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
