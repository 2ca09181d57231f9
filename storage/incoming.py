"""A file of the clip store while it is being written."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from core.errors import DiskFull, OversizedMedia, StorageError
from core.ports import Stored

_PIECE: Final = 1 << 20
_Chunk = bytes  # in the class the name is taken by a property


class FolderIncoming:
    """Either :meth:`write` pieces, or let a media operation write :attr:`path`; then :meth:`keep`.

    Each step runs in a thread under one lock, so that a cancelled step and the clean-up after it come one after the
    other, and no descriptor is closed while a thread still writes to it.
    """

    def __init__(self, path: Path, max_bytes: int, admit: Callable[[Path, int], None], undo: Callable[[], int]) -> None:
        """``admit(path, size)`` gives the synced file its final name; ``undo()`` removes that again."""
        self._path, self._max_bytes = path, max_bytes
        self._admit, self._undo = admit, undo
        self._step = threading.Lock()
        self._descriptor: int | None = None
        self._bytes = 0
        self._ended = self._admitted = self._told = False

    @property
    def path(self) -> Path:
        """The temporary path; gone after :meth:`keep`."""
        return self._path

    @property
    def bytes(self) -> int:
        """Bytes taken by :meth:`write`."""
        return self._bytes

    async def write(self, chunk: _Chunk) -> None:
        """Append. Raises OversizedMedia above the cap, before anything of ``chunk`` is written, and DiskFull."""
        self._check(self._bytes + len(chunk))
        self._bytes += len(chunk)
        await asyncio.to_thread(self._write, chunk)

    async def keep(self) -> Stored:
        """fsync, rename to the final name, fsync the folders: after this a power loss does not take it away.

        Raises OversizedMedia when somebody else wrote more than the cap, StorageError when the file vanished, DiskFull.
        """
        stored = await asyncio.to_thread(self._keep)
        self._told = True
        return stored

    def create(self) -> None:
        """In a thread: make the empty file (0600)."""
        with self._step, storage_errors(self._path):
            if self._ended:
                return
            make_folder(self._path.parent)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(self._path, flags, 0o600)
            os.fchmod(self._descriptor, 0o600)

    def discard(self) -> None:
        """In a thread: end; remove whatever was not kept, or was kept but whose keeper was cancelled. Idempotent."""
        with self._step, storage_errors(self._path):
            self._ended = True
            self._close()
            self._path.unlink(missing_ok=True)
            if self._admitted and not self._told:
                self._undo()
                self._admitted = False

    def _write(self, chunk: _Chunk) -> None:
        with self._step, storage_errors(self._path):
            if self._descriptor is None:
                raise StorageError("this file is already kept or given up")
            view = memoryview(chunk)
            while view:
                view = view[os.write(self._descriptor, view) :]

    def _keep(self) -> Stored:
        with self._step, storage_errors(self._path):
            if self._ended:
                raise StorageError("this file is already kept or given up")
            self._close()
            size, digest = self._settle()
            self._ended = True
            self._admit(self._path, size)
            self._admitted = True
        return Stored(self._path.name, size, digest)

    def _settle(self) -> tuple[int, str]:
        """Sync what is really there, whoever wrote it; its length and SHA-256."""
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise StorageError("what was written is not a plain file")
            self._check(status.st_size)
            os.fchmod(descriptor, 0o600)
            digest = hashlib.sha256()
            while piece := file.read(_PIECE):
                digest.update(piece)
            os.fsync(descriptor)
            return status.st_size, digest.hexdigest()

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise OversizedMedia(
                f"a file is longer than its cap of {self._max_bytes} bytes",
                values={"what": "bytes", "found": size, "most": self._max_bytes},
            )

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """OSError as DiskFull or StorageError. The text names the folder, not the file: keys are no business of a log."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(f"no room is left in {path.parent}") from error
        raise StorageError(f"a file in {path.parent}: {error.strerror or type(error).__name__}") from error


def make_folder(folder: Path) -> None:
    """``folder`` and what is missing above it, 0700 whatever the umask."""
    for missing in [at for at in (folder, *folder.parents) if not at.exists()][::-1]:
        with contextlib.suppress(FileExistsError):  # another thread was faster
            missing.mkdir(mode=0o700)
            missing.chmod(0o700)
