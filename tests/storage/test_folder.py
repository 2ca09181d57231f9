"""Clips in a folder: durable or not there at all, private, bounded, and found nowhere but by their key."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import DiskFull, NotFound, OversizedMedia, StorageError
from core.ports import ClipStore, Stored, Usage
from storage import upkeep
from storage.folder import FolderClipStore

DATA = bytes(range(256)) * 3000


@pytest.fixture
def store(tmp_path: Path) -> FolderClipStore:
    return FolderClipStore(tmp_path / "clips", budget_bytes=None)


async def put(store: FolderClipStore, data: bytes = DATA, suffix: str = ".mp4") -> Stored:
    async with store.incoming(suffix=suffix, max_bytes=10_000_000) as incoming:
        for start in range(0, len(data), 100_000):
            await incoming.write(data[start : start + 100_000])
        return await incoming.keep()


async def read(store: FolderClipStore, key: str, start: int = 0, length: int = 1 << 40) -> bytes:
    return b"".join([piece async for piece in store.open_range(key, start, length)])


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


async def test_what_was_kept_is_read_back(store: FolderClipStore) -> None:
    port: ClipStore = store  # mypy holds it to the port
    stored = await put(store)
    assert stored.bytes == len(DATA)
    assert stored.sha256 == hashlib.sha256(DATA).hexdigest()
    assert await port.size(stored.key) == len(DATA)
    assert await read(store, stored.key) == DATA
    async with port.checkout(stored.key) as path:
        assert path.read_bytes() == DATA
        assert path.suffix == ".mp4"
    assert files(store.root) == [f"{stored.key[:2]}/{stored.key}"]
    assert await port.free_bytes() > 0


async def test_an_operation_may_write_the_file_itself(store: FolderClipStore) -> None:
    async with store.incoming(suffix="mp4", max_bytes=100) as incoming:
        await asyncio.to_thread(incoming.path.with_name("other").write_bytes, b"written by a child process")
        await asyncio.to_thread(incoming.path.with_name("other").replace, incoming.path)
        stored = await incoming.keep()
    assert stored == Stored(stored.key, 26, hashlib.sha256(b"written by a child process").hexdigest())
    assert (store.root / stored.key[:2] / stored.key).stat().st_mode & 0o777 == 0o600


async def test_leaving_without_keep_deletes(store: FolderClipStore) -> None:
    async with store.incoming(suffix=".mp4", max_bytes=100) as incoming:
        await incoming.write(b"half")
        assert incoming.bytes == 4
        assert incoming.path.read_bytes() == b"half"
    with pytest.raises(ZeroDivisionError):
        async with store.incoming(suffix=".mp4", max_bytes=100) as incoming:
            await incoming.write(b"half")
            raise ZeroDivisionError
    assert files(store.root) == []
    with pytest.raises(StorageError, match="already kept or given up"):
        await incoming.write(b"late")
    with pytest.raises(StorageError, match="already kept or given up"):
        await incoming.keep()


async def test_nothing_is_written_beyond_the_cap(store: FolderClipStore) -> None:
    async with store.incoming(suffix=".mp4", max_bytes=10) as incoming:
        await incoming.write(b"0123456789")
        with pytest.raises(OversizedMedia) as caught:
            await incoming.write(b"x")
        assert incoming.path.stat().st_size == 10
    assert caught.value.values == {"what": "bytes", "found": 11, "most": 10}
    async with store.incoming(suffix=".mp4", max_bytes=10) as incoming:
        await asyncio.to_thread(incoming.path.write_bytes, b"01234567890")
        with pytest.raises(OversizedMedia):
            await incoming.keep()
    assert files(store.root) == []


@pytest.mark.parametrize(
    "code, expected", [(errno.ENOSPC, DiskFull), (errno.EDQUOT, DiskFull), (errno.EIO, StorageError)]
)
@pytest.mark.parametrize("call", ["write", "fsync", "open", "fchmod"])
async def test_a_disk_that_refuses_leaves_nothing(
    store: FolderClipStore, monkeypatch: pytest.MonkeyPatch, call: str, code: int, expected: type[StorageError]
) -> None:
    await put(store, b"warm")

    def refuse(*_: object, **__: object) -> int:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        with pytest.raises(expected) as caught:
            await put(store)
    assert type(caught.value) is expected
    assert len(files(store.root)) == 1
    assert await store.usage() == Usage(4, 1)
    await put(store)  # and it works again


@pytest.mark.parametrize("which", [1, 2])
async def test_a_folder_that_cannot_be_synced_keeps_nothing(
    store: FolderClipStore, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    await put(store, b"warm")
    calls = 0

    def refuse(folder: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == which:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("storage.folder.sync_folder", refuse)
        with pytest.raises(DiskFull):
            await put(store)
    assert len(files(store.root)) == 1
    assert await store.usage() == Usage(4, 1)


async def test_a_cancelled_writer_leaves_nothing(store: FolderClipStore, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    plain = os.write

    def slow(descriptor: int, data: bytes) -> int:
        begun.set()
        assert go_on.wait(10)
        return plain(descriptor, data)

    monkeypatch.setattr(os, "write", slow)
    task = asyncio.create_task(put(store))
    assert await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    asyncio.get_running_loop().call_later(0.05, go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files(store.root) == []


async def test_a_keeper_cancelled_after_the_rename_leaves_nothing(
    store: FolderClipStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody learnt the key, so the file would only wait for the sweeper."""
    begun, go_on = threading.Event(), threading.Event()
    plain = upkeep.sync_folder

    def slow(path: Path) -> None:
        if len(path.name) == 2:
            begun.set()
            assert go_on.wait(10)
        plain(path)

    monkeypatch.setattr("storage.folder.sync_folder", slow)
    task = asyncio.create_task(put(store))
    assert await asyncio.to_thread(begun.wait, 10)
    assert len(files(store.root)) == 1
    task.cancel()
    asyncio.get_running_loop().call_later(0.05, go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files(store.root) == []
    assert await store.usage() == Usage(0, 0)


async def test_a_name_is_given_only_to_bytes_that_are_on_the_disk(
    store: FolderClipStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power loss cannot be played here, so this holds the order of the calls: file, rename, both folders."""
    await put(store, b"warm")
    order: list[str] = []
    sync, rename = os.fsync, os.rename

    def noted_sync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        order.append("file" if path.suffix else "incoming" if path.name == "incoming" else "shard or root")
        sync(descriptor)

    def noted_rename(*paths: Path) -> None:
        order.append("rename")
        rename(*paths)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "rename", noted_rename)
    await put(store)
    assert order.index("file") < order.index("rename") < order.index("incoming")
    assert order[order.index("rename") + 1 :] == ["shard or root", "incoming"]


KILLED = """
import asyncio, os, signal, sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast
from storage.folder import FolderClipStore

fatal, seen = int(sys.argv[2]), 0

def counted(plain):
    def call(*rest, **more):
        global seen
        seen += 1
        if seen == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(*rest, **more)
    return call

for name in ("open", "write", "fsync", "rename", "unlink", "fchmod", "mkdir"):
    setattr(os, name, counted(getattr(os, name)))

async def main():
    store = FolderClipStore(Path(sys.argv[1]), budget_bytes=None)
    async with store.incoming(suffix=".mp4", max_bytes=1000) as incoming:
        await incoming.write(b"x" * 500)
        stored = await incoming.keep()
    print(stored.key, flush=True)
    await store.delete(stored.key)
    print("deleted", flush=True)

asyncio.run(main())
"""


async def test_killed_at_any_call_a_file_is_whole_or_an_orphan_for_the_sweeper(tmp_path: Path) -> None:
    fatal, status = 0, -9
    while status and fatal < 60:
        fatal += 1
        root = tmp_path / str(fatal)
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", KILLED, str(root), str(fatal)],
            check=False,
            capture_output=True,
            text=True,
            timeout=30,
        )
        told = done.stdout.split()
        kept = [Path(name) for name in files(root) if not name.startswith("incoming")] if root.exists() else []
        for path in kept:
            assert (root / path).read_bytes() == b"x" * 500  # a final name is never on half a file
        if len(told) == 2:
            assert kept == []
        store = FolderClipStore(root, budget_bytes=None)
        swept = await store.sweep(set(), older_than_seconds=-5)
        assert swept.removed == swept.bytes == 0 or swept.removed >= 1
        assert not root.exists() or files(root) == []
        status = done.returncode
        assert status in {0, -signal.SIGKILL}, done.stderr
    assert status == 0
    assert fatal > 12


TRAVERSAL = [
    "",
    ".",
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "ab/" + "ab" * 16 + ".mp4",
    "../" + "a" * 32 + ".mp4",
    "a" * 32,
    "a" * 32 + ".",
    "a" * 32 + ".mp4/",
    "a" * 32 + ".mp4\n",
    "a" * 32 + ".mp4\0",
    "A" * 32 + ".mp4",
    "a" * 31 + ".mp4",
    "a" * 33 + ".mp4",
    "a" * 32 + ".toolongsuffix",
    "a" * 32 + "..mp4",
    "a" * 32 + ".m/4",
    "a" * 32 + "\\.mp4",
    "%2e%2e%2f" + "a" * 23 + ".mp4",
    "a" * 30 + "..",
    "à" * 32 + ".mp4",
    "１" * 32 + ".mp4",
    "incoming/" + "a" * 32 + ".mp4",
]


async def nothing_at(store: FolderClipStore, key: str) -> None:
    assert await store.size(key) is None
    with pytest.raises(NotFound):
        await read(store, key)
    with pytest.raises(NotFound):
        async with store.checkout(key):
            pass
    await store.delete(key)


@pytest.mark.parametrize("key", TRAVERSAL)
async def test_a_key_that_is_none_finds_nothing(store: FolderClipStore, tmp_path: Path, key: str) -> None:
    await put(store)
    (tmp_path / ("a" * 32 + ".mp4")).write_bytes(b"outside")
    before = files(tmp_path)
    await nothing_at(store, key)
    assert files(tmp_path) == before


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"[./a-f0-9]{30,40}\.[a-z/.]{1,6}"))
def test_no_text_leads_out_of_the_folder(tmp_path_factory: pytest.TempPathFactory, key: str) -> None:
    asyncio.run(nothing_at(FolderClipStore(tmp_path_factory.mktemp("s"), budget_bytes=None), key))


@pytest.mark.parametrize("what", ["link", "folder link", "folder", "pipe"])
async def test_what_is_no_plain_file_is_not_a_clip(store: FolderClipStore, tmp_path: Path, what: str) -> None:
    stored = await put(store)
    path = store.root / stored.key[:2] / stored.key
    path.unlink()
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / stored.key).write_text("secret")
    if what == "link":
        path.symlink_to(tmp_path / "victim" / stored.key)
    elif what == "folder link":
        path.parent.rmdir()
        path.parent.symlink_to(tmp_path / "victim")
    elif what == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    async with asyncio.timeout(10):
        assert await store.size(stored.key) is None
        with pytest.raises(NotFound):
            await read(store, stored.key)


@pytest.mark.parametrize("suffix", ["", ".", "..", "/x", ".MP4", ".a/b", ".mp4.", ".123456789", ".m\n"])
async def test_a_suffix_that_is_none_is_a_mistake_of_ours(store: FolderClipStore, suffix: str) -> None:
    with pytest.raises(ValueError, match="suffix"):
        async with store.incoming(suffix=suffix, max_bytes=1):
            pass


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 700_000), st.integers(0, 700_000), st.integers(0, 700_000))
def test_every_range_is_the_slice_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, length: int, start: int, count: int
) -> None:
    async def check() -> None:
        store = FolderClipStore(tmp_path_factory.mktemp("r"), budget_bytes=None)
        data = DATA[:length]
        stored = await put(store, data)
        pieces = [piece async for piece in store.open_range(stored.key, start, count)]
        assert b"".join(pieces) == data[start : start + count]
        assert all(0 < len(piece) <= 256 << 10 for piece in pieces)

    asyncio.run(check())


async def test_a_range_needs_sense_and_survives_a_delete(store: FolderClipStore) -> None:
    stored = await put(store)
    with pytest.raises(ValueError, match="negative"):
        await read(store, stored.key, -1, 5)
    with pytest.raises(ValueError, match="negative"):
        await read(store, stored.key, 0, -5)
    pieces = store.open_range(stored.key, 0, len(DATA))
    got = await anext(pieces)
    await store.delete(stored.key)
    assert got + b"".join([piece async for piece in pieces]) == DATA
    with pytest.raises(NotFound):
        await read(store, stored.key)


async def test_a_file_that_shrinks_is_not_served_as_whole(store: FolderClipStore) -> None:
    stored = await put(store)
    pieces = store.open_range(stored.key, 0, len(DATA))
    await anext(pieces)
    os.truncate(store.root / stored.key[:2] / stored.key, 1000)
    with pytest.raises(StorageError, match="shorter"):
        async for _ in pieces:
            pass


async def test_a_reader_that_goes_away_leaves_no_descriptor(store: FolderClipStore) -> None:
    stored = await put(store)
    before = descriptors()
    for _ in range(5):
        pieces = store.open_range(stored.key, 0, len(DATA))
        await anext(pieces)
        await cast("AsyncGenerator[bytes]", pieces).aclose()
        opening = asyncio.create_task(read(store, stored.key, 0, 5))
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
    await put(store, b"let the threads finish")
    async with asyncio.timeout(10):
        while descriptors() > before:  # noqa: ASYNC110 - a thread closes it, without telling anybody
            await asyncio.sleep(0.01)


async def test_usage_is_counted_once_and_kept_current(store: FolderClipStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await store.usage() == Usage(0, 0)
    stored = [await put(store, b"x" * size) for size in (10, 20, 30)]
    assert await store.usage() == Usage(60, 3)
    await store.delete(stored[1].key)
    await store.delete(stored[1].key)
    assert await store.usage() == Usage(40, 2)
    assert await FolderClipStore(store.root, budget_bytes=None).usage() == Usage(40, 2)
    monkeypatch.setattr(FolderClipStore, "_count", lambda self: pytest.fail("it was counted again"))
    await put(store, b"x")
    assert await store.usage() == Usage(41, 3)


async def test_many_at_once_are_counted_right(store: FolderClipStore) -> None:
    stored = await asyncio.gather(*(put(store, b"x" * 10) for _ in range(40)))
    await asyncio.gather(*(store.delete(one.key) for one in stored[:15] for _ in range(2)))
    assert await store.usage() == Usage(250, 25)
    assert len({one.key for one in stored}) == 40


async def test_the_budget_warns_once_and_refuses_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store, over = FolderClipStore(tmp_path / "clips", budget_bytes=100), []
    with caplog.at_level(logging.WARNING):
        first = await put(store, b"x" * 90)
        over.append(store.over_budget)
        second, _ = await put(store, b"x" * 90), await put(store, b"x" * 90)
        over.append(store.over_budget)
        assert caplog.messages == ["the clip store is above its budget"]
        await store.delete(first.key)
        await store.delete(second.key)
        over.append(store.over_budget)
        await put(store, b"x" * 90)
        assert len(caplog.messages) == 2
    assert over == [False, True, False]


async def test_sweeping_removes_only_what_is_old_and_nobody_knows(store: FolderClipStore, tmp_path: Path) -> None:
    known, orphan, young = [await put(store, b"x" * 100) for _ in range(3)]
    gone = "f" * 32 + ".mp4"
    old = time.time() - 7200
    for stored in (known, orphan):
        os.utime(store.root / stored.key[:2] / stored.key, (old, old))
    foreign = store.root / orphan.key[:2] / "README"
    foreign.write_text("somebody's")
    os.utime(foreign, (old, old))
    (store.root / "notes").mkdir()
    (store.root / "notes" / orphan.key).write_text("somebody's")
    stale = store.root / "incoming" / ("a" * 32 + ".mp4")
    stale.write_bytes(b"x" * 7)
    os.utime(stale, (old, old))
    async with store.incoming(suffix=".mp4", max_bytes=100) as incoming:
        await incoming.write(b"slow")
        os.utime(incoming.path, (old, old))
        swept = await store.sweep({known.key, gone}, older_than_seconds=3600)
        assert incoming.path.exists()  # in use, however old
    assert swept == (2, 107, frozenset({gone}))
    assert await store.size(known.key) == await store.size(young.key) == 100
    assert await store.size(orphan.key) is None
    assert foreign.exists()
    assert (store.root / "notes" / orphan.key).exists()
    assert not stale.exists()
    assert await store.usage() == Usage(200, 2)


async def test_sweeping_counts_what_somebody_removed_by_hand(store: FolderClipStore) -> None:
    stored = await put(store)
    (store.root / stored.key[:2] / stored.key).unlink()
    swept = await store.sweep({stored.key}, older_than_seconds=60)
    assert swept == (0, 0, frozenset({stored.key}))
    assert await store.usage() == Usage(0, 0)


async def test_an_empty_store_can_be_asked_everything(store: FolderClipStore) -> None:
    assert await store.usage() == Usage(0, 0)
    assert await store.free_bytes() > 0
    assert await store.sweep(set(), 0) == (0, 0, frozenset())
    assert not store.root.exists()


async def test_all_is_private_whatever_the_umask(store: FolderClipStore) -> None:
    before = os.umask(0)
    try:
        await put(store)
    finally:
        os.umask(before)
    modes = {oct(path.stat().st_mode & 0o777) for path in [store.root, *store.root.rglob("*")] if path.is_dir()}
    assert modes == {"0o700"}
    assert {oct(path.stat().st_mode & 0o777) for path in store.root.rglob("*.mp4")} == {"0o600"}


async def test_nothing_blocks_the_event_loop(store: FolderClipStore) -> None:
    with blockbuster_ctx():
        stored = await put(store)
        assert await read(store, stored.key) == DATA
        async with store.checkout(stored.key):
            pass
        await store.size(stored.key)
        await store.usage()
        await store.free_bytes()
        await store.sweep({stored.key}, 60)
        await store.delete(stored.key)
