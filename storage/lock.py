"""One Reelay per data folder.

The lock is ``flock`` on a file that is never removed: the kernel lets go of it when the process ends, however it ends,
so a ``kill -9`` leaves nothing to clean up. What is written in the file (process id, start) only serves the message.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple, Self

from core.errors import AlreadyRunning, DatabaseFault

LOCK_NAME: Final = "reelay.lock"


class Holder(NamedTuple):
    """Who holds a folder, as far as the lock file tells."""

    pid: int | None
    started_at: int | None
    """UTC milliseconds."""


class InstanceLock:
    """The folder is ours until :meth:`release` or the end of this process."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        """Use :meth:`acquire`."""
        self.folder = folder
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, folder: Path, *, now: int) -> InstanceLock:
        """Take the folder; ``now`` in UTC milliseconds. Does not wait.

        Raises AlreadyRunning when another process (or another lock of this one) holds it, DatabaseFault when the folder
        is not there, not writable, or on a file system without locks.
        """
        descriptor = _open(folder)
        try:
            if not _try(descriptor, folder):
                raise _already_running(folder, _read(descriptor))
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "started_at": now}).encode(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(folder, descriptor)

    def release(self) -> None:
        """Let go. Twice is fine."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):  # a full disk must not keep the lock
                os.ftruncate(descriptor, 0)
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child that is just being started may still hold a copy of it
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def holder(folder: Path) -> Holder | None:
    """Who runs on ``folder`` now; None when nobody does. Changes nothing."""
    if not (folder / LOCK_NAME).exists():
        return None
    descriptor = _open(folder)
    try:
        return None if _try(descriptor, folder) else _read(descriptor)
    finally:
        os.close(descriptor)


def _open(folder: Path) -> int:
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise DatabaseFault(f"cannot use the data folder {folder}: {error.strerror}") from error
    return descriptor


def _try(descriptor: int, folder: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        raise DatabaseFault(
            f"the file system of {folder} cannot lock files ({error.strerror}); use a local disk, not a network share"
        ) from error
    return True


def _read(descriptor: int) -> Holder:
    try:
        told = json.loads(os.pread(descriptor, 1024, 0))
        return Holder(int(told["pid"]), int(told["started_at"]))
    except (ValueError, KeyError, TypeError):
        return Holder(None, None)  # it has the lock, but has not written yet


def _already_running(folder: Path, who: Holder) -> AlreadyRunning:
    process = "another process"
    if who.pid is not None and who.started_at is not None:
        started = datetime.fromtimestamp(who.started_at / 1000, UTC)
        process = f"process {who.pid}, started {started:%Y-%m-%d %H:%M} UTC"
    return AlreadyRunning(
        f"Reelay already runs on {folder} ({process}). "
        "Stop that one first, or give this one a folder of its own with REELAY_DATA_DIR.",
        folder=str(folder),
        pid=who.pid,
    )
