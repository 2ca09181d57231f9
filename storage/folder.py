"""Clips as files in a folder: ``incoming/`` for what is being written, ``ab/abcdef….mp4`` for what is kept.

A key is 128 random bits and a suffix; the row that names it is written after the file is durable, so a crash leaves at
worst a file without a row, which :meth:`FolderClipStore.sweep` removes. All file work happens in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import re
import secrets
import stat
import threading
import time
from collections.abc import AsyncIterator, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final, NamedTuple

from core.errors import NotFound, StorageError
from core.ports import Usage
from storage.incoming import FolderIncoming, make_folder, storage_errors
from storage.upkeep import sync_folder

PIECE_BYTES: Final = 256 << 10
"""Length of a piece of :meth:`FolderClipStore.open_range`."""
_KEY: Final = re.compile(r"[0-9a-f]{32}\.[a-z0-9]{1,8}", re.ASCII)
_SHARD: Final = re.compile(r"[0-9a-f]{2}", re.ASCII)
_SUFFIX: Final = re.compile(r"\.?([a-z0-9]{1,8})", re.ASCII)
_FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

log = logging.getLogger("reelay.storage")


class Swept(NamedTuple):
    """What a sweep did: files and bytes removed, and keys that have a row but no file."""

    removed: int
    bytes: int
    missing: frozenset[str]


class FolderClipStore:
    """The clip store for one machine; implements ``core.ports.ClipStore``.

    ``budget_bytes`` is where the warning begins. It refuses nothing: a clip that was paid for is always kept.
    """

    def __init__(self, root: Path, *, budget_bytes: int | None) -> None:
        """Touches nothing yet; ``root`` is made (0700) by the first file."""
        self.root: Final = root
        self.budget_bytes: Final = budget_bytes
        self._writing: set[str] = set()
        self._counting = threading.Lock()
        """Held while names in the shards appear or vanish, so that the count and the folder agree."""
        self._held: Usage | None = None
        self._warned = False

    # ---- writing

    @contextlib.asynccontextmanager
    async def incoming(self, *, suffix: str, max_bytes: int) -> AsyncIterator[FolderIncoming]:
        """Begin a file of at most ``max_bytes``; leaving without ``keep`` deletes it. ``suffix`` such as ``.mp4``.

        Raises DiskFull or StorageError.
        """
        match = _SUFFIX.fullmatch(suffix)
        if match is None:
            raise ValueError(f"suffix must be 1 to 8 lower-case letters or digits, not {suffix!r}")
        key = f"{secrets.token_hex(16)}.{match[1]}"
        path = self.root / "incoming" / key
        incoming = FolderIncoming(path, max_bytes, admit=self._admit, undo=lambda: self._remove(key))
        self._writing.add(key)
        try:
            await asyncio.to_thread(incoming.create)
            yield incoming
        finally:
            # Shielded, because a clean-up that is cancelled before its thread begins would never run.
            await asyncio.shield(asyncio.to_thread(incoming.discard))
            self._writing.discard(key)

    def _admit(self, path: Path, size: int) -> None:
        """In a thread: give the synced file its final name, durably."""
        shard = self._shard(path.name)
        with storage_errors(shard):
            if not shard.is_dir():
                make_folder(shard)
                sync_folder(self.root)
            with self._counting:
                held = self._held or self._count()
                path.rename(shard / path.name)
                self._held = Usage(held.bytes + size, held.files + 1)
            try:
                sync_folder(shard)
                sync_folder(path.parent)
            except OSError:
                self._remove(path.name)
                raise
        self._watch_budget()

    def _watch_budget(self) -> None:
        over = self.over_budget
        if over and not self._warned:
            log.warning("the clip store is above its budget", extra={"budget_bytes": self.budget_bytes})
        self._warned = over

    @property
    def over_budget(self) -> bool:
        """Whether more is held than ``budget_bytes``; false until something was counted."""
        return self.budget_bytes is not None and self._held is not None and self._held.bytes > self.budget_bytes

    # ---- reading

    @contextlib.asynccontextmanager
    async def checkout(self, key: str) -> AsyncIterator[Path]:
        """A local path to read from while the context lasts; never write to it. Raises NotFound."""
        if await self.size(key) is None:
            raise NotFound("the clip's file is not there")
        yield self._shard(key) / key

    async def open_range(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        """``length`` bytes from ``start`` (fewer at the file's end) in pieces of at most 256 KiB.

        The file is open from the first piece on, so a delete meanwhile does not cut it. Raises NotFound, and
        StorageError when the file ends before its length.
        """
        if start < 0 or length < 0:
            raise ValueError("start and length must not be negative")
        descriptor, size = await self._opened(key)
        try:
            end = min(start + length, size)
            while start < end:
                piece = await asyncio.to_thread(os.pread, descriptor, min(PIECE_BYTES, end - start), start)
                if not piece:
                    raise StorageError("a clip's file became shorter while it was read")
                start += len(piece)
                yield piece
        finally:
            os.close(descriptor)

    async def size(self, key: str) -> int | None:
        """Bytes, or None when it is not there."""

        def look() -> int | None:
            try:
                descriptor, size = self._open(key)
            except NotFound:
                return None
            os.close(descriptor)
            return size

        return await asyncio.to_thread(look)

    async def _opened(self, key: str) -> tuple[int, int]:
        """:meth:`_open` in a thread; when the caller is cancelled the descriptor is closed as soon as there is one."""
        opening = asyncio.ensure_future(asyncio.to_thread(self._open, key))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_opened)
            raise

    def _shard(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise NotFound("this is not the key of a clip")
        return self.root / key[:2]

    def _open(self, key: str) -> tuple[int, int]:
        """Descriptor and size of a kept file; follows no symbolic link."""
        shard = self._shard(key)
        try:
            folder = os.open(shard, _FOLDER_FLAGS)
            try:
                descriptor = os.open(key, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            finally:
                os.close(folder)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ELOOP, errno.ENOTDIR}:
                raise NotFound("the clip's file is not there") from error
            raise StorageError(f"a clip cannot be opened: {error.strerror}") from error
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise NotFound("the clip's file is not there")
        return descriptor, status.st_size

    # ---- removing and counting

    async def delete(self, key: str) -> None:
        """Remove, durably; idempotent. Whoever reads it at this moment may finish."""
        await asyncio.shield(asyncio.to_thread(self._remove, key))

    def _remove(self, key: str) -> int:
        """In a thread; returns the bytes that became free."""
        try:
            shard = self._shard(key)
        except NotFound:
            return 0
        with storage_errors(shard):
            try:
                with self._counting:
                    size = (shard / key).lstat().st_size
                    (shard / key).unlink()
                    if self._held is not None:
                        self._held = Usage(self._held.bytes - size, self._held.files - 1)
                sync_folder(shard)
            except FileNotFoundError:
                return 0
        self._watch_budget()
        return size

    async def usage(self) -> Usage:
        """Bytes and files kept. Counted once, then kept current."""

        def count() -> Usage:
            with self._counting:
                held = self._held or self._count()
                self._held = held
                return held

        if self._held is not None:
            return self._held
        return await asyncio.to_thread(count)

    async def free_bytes(self) -> int:
        """Room left on the disk for us."""

        def look() -> int:
            at = next(folder for folder in (self.root, *self.root.parents) if folder.exists())
            room = os.statvfs(at)
            return room.f_bavail * room.f_frsize

        return await asyncio.to_thread(look)

    async def sweep(self, known: AbstractSet[str], older_than_seconds: float) -> Swept:
        """Remove kept files whose key is not in ``known`` and abandoned files of ``incoming/``, if older than the age.

        The age must exceed the longest time between ``keep`` and its row, because ``known`` was read before. Files with
        names that are not ours are left alone.
        """
        writing = frozenset(self._writing)
        return await asyncio.to_thread(self._sweep, known, writing, time.time() - older_than_seconds)

    def _sweep(self, known: AbstractSet[str], writing: AbstractSet[str], before: float) -> Swept:
        removed, freed, seen = 0, 0, set()
        with storage_errors(self.root):
            for file in self._kept():
                seen.add(file.path.name)
                if file.path.name not in known and file.changed_at < before:
                    freed += self._remove(file.path.name)
                    removed += 1
            for file in _files(self.root / "incoming"):
                if file.path.name not in writing and file.changed_at < before:
                    file.path.unlink(missing_ok=True)
                    removed, freed = removed + 1, freed + file.size
            with self._counting:
                self._held = self._count()  # what was removed by hand is noticed here
        return Swept(removed, freed, frozenset(known - seen))

    def _count(self) -> Usage:
        sizes = [file.size for file in self._kept()]
        return Usage(sum(sizes), len(sizes))

    def _kept(self) -> Iterator[_File]:
        for shard in _entries(self.root):
            if _SHARD.fullmatch(shard.name) and shard.is_dir(follow_symlinks=False):
                yield from (file for file in _files(Path(shard.path)) if _KEY.fullmatch(file.path.name))


class _File(NamedTuple):
    path: Path
    size: int
    changed_at: float


def _files(folder: Path) -> Iterator[_File]:
    """The plain files of ``folder``; one that vanishes while we look is left out."""
    for entry in _entries(folder):
        with contextlib.suppress(FileNotFoundError):
            status = entry.stat(follow_symlinks=False)
            if not stat.S_ISDIR(status.st_mode):
                yield _File(Path(entry.path), status.st_size, status.st_mtime)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _close_opened(opening: asyncio.Future[tuple[int, int]]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        os.close(opening.result()[0])
