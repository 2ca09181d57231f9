"""Backups: one folder or one ``.tar`` with the database, the keys and, when asked for, the clips; and the way back.

::

    manifest.json    what it is, when it was made, of which release, and the SHA-256 of every other file
    reelay.db        a copy made while Reelay runs, on one snapshot, checked page by page
    keys.json        without it links, sign-ins and the memory of forgotten people end
    clips/ab/abcdef….mp4

Whoever holds a backup can sign in as anybody and read every prompt: it is written for its owner only (0600, 0700).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import tarfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from bot.version import VERSION
from core.errors import BadOption, DiskFull, NotFound, StorageError
from storage import copies
from storage.keys import KEYS_NAME
from storage.store import MIGRATIONS
from storage.upkeep import sync_folder

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
DATABASE: Final = "reelay.db"
PIECE: Final = 1 << 20
MOST_MANIFEST: Final = 256 << 20
_OTHER_KIND: Final = re.compile(
    r"(\.tar)?\.(zip|gz|bz2|xz|zst|lz4?|lzma|7z|rar)$|\.t(gz|bz2?|xz|zst|lz)$|\.(cpio|iso|cab|sqlite3?|db)$",
    re.IGNORECASE,
)
"""Endings of what a backup is not: a folder of such a name would be taken for one."""
_MEMBER: Final = re.compile(r"reelay\.db|keys\.json|clips/[0-9a-f]{2}/[0-9a-f]{32}\.[a-z0-9]{1,8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Source:
    """What a backup is made of, by its owners' ports."""

    data_dir: Path
    copy_database: Callable[[Path], Awaitable[None]]
    checkout: Callable[[str], AbstractAsyncContextManager[Path]]
    now: Callable[[], int]


async def write_backup(
    source: Source, target: Path, *, with_clips: bool, note: Callable[[], Awaitable[None]]
) -> dict[str, Any]:
    """Write a whole backup to ``target``, which must not exist: a ``.tar`` by its name, else a folder; return what is in it.

    Names of other archives are refused. A failure leaves nothing behind. ``note`` is awaited before anything is written, unless the
    target was refused. Raises BadOption, DiskFull, StorageError.
    """
    await asyncio.to_thread(_check_target, target, source.data_dir)
    await note()
    stage = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    parcel: Parcel | None = None
    try:
        await asyncio.to_thread(stage.mkdir, mode=0o700)
        await source.copy_database(stage / DATABASE)
        seen = await asyncio.to_thread(copies.look, stage / DATABASE, MIGRATIONS, alone=True)
        if seen.faults:
            raise StorageError(f"the copy of the database is damaged: {seen.faults[0]}; see reelay doctor")
        parcel = await asyncio.to_thread(Parcel, stage, packed=target.suffix.lower() == ".tar")
        await asyncio.to_thread(parcel.add, DATABASE, stage / DATABASE)
        await asyncio.to_thread(parcel.add, KEYS_NAME, source.data_dir / KEYS_NAME)
        missing = 0
        for key in sorted(seen.keys or ()) if with_clips else ():
            try:
                async with source.checkout(key) as path:
                    await asyncio.to_thread(parcel.add, f"clips/{key[:2]}/{key}", path)
            except (NotFound, FileNotFoundError):
                missing += 1  # deleted since the copy was made
        facts = {
            "format": FORMAT,
            "made_at": datetime.fromtimestamp(source.now() / 1000, UTC).isoformat(timespec="seconds"),
            "release": VERSION,
            "schema": seen.schema,
            "clips": with_clips,
        }
        await asyncio.to_thread(parcel.finish, facts, target)
    except OSError as error:
        raise _told(error, target) from error
    finally:
        await asyncio.shield(asyncio.to_thread(_discard, parcel, stage))
    files = {name: entry["bytes"] for name, entry in parcel.entries.items()}
    clips = [name for name in files if name.startswith("clips/")]
    return {
        "target": str(target),
        **facts,
        "bytes": sum(files.values()),
        "clip_files": len(clips),
        "clips_missing": missing,
    }


class Parcel:
    """A backup that is being written in ``stage``: plain files, or one tar. Every method blocks."""

    def __init__(self, stage: Path, *, packed: bool) -> None:
        """Nothing is visible under the target's name before ``finish``."""
        self._stage = stage
        self.entries: dict[str, dict[str, Any]] = {}
        self._file: IO[bytes] | None = None
        self._tar: tarfile.TarFile | None = None
        if packed:
            self._file = os.fdopen(_create(stage / "parcel.tar"), "wb")
            self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - closed by close()

    def add(self, name: str, path: Path) -> None:
        """Copy ``path`` in as ``name``, durably when ``finish`` has returned."""
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            reader = _Summing(file)
            if self._tar is not None:
                self._tar.addfile(_member(name, size), reader)  # raises OSError when the file became shorter
            elif path != self._stage / name:
                make_folders(self._stage, name)
                _write(self._stage / name, reader)
            else:
                while reader.read(PIECE):  # it lies there already: only its sum is wanted
                    pass
            self.entries[name] = {"bytes": size, "sha256": reader.hash.hexdigest()}

    def finish(self, facts: dict[str, Any], target: Path) -> None:
        """Write the manifest, make everything durable, and give it its name."""
        text = json.dumps({**facts, "files": self.entries}, indent=1).encode()
        manifest = self._stage / MANIFEST
        with os.fdopen(_create(manifest), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if self._tar is None or self._file is None:
            for folder, _, _ in os.walk(self._stage, topdown=False):
                sync_folder(Path(folder))
            done = self._stage
        else:
            with manifest.open("rb") as file:
                self._tar.addfile(_member(MANIFEST, len(text)), file)
            self._tar.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            done = self._stage / "parcel.tar"
        if os.path.lexists(target):
            raise BadOption("target", target, "a name that is not taken")
        done.rename(target)
        sync_folder(target.parent)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()


class _Summing:
    """A file of which the sum is taken while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.hash = file, hashlib.sha256()

    def read(self, size: int = PIECE) -> bytes:
        piece = self._file.read(size)
        self.hash.update(piece)
        return piece


def _check_target(target: Path, data_dir: Path) -> None:
    kind = _OTHER_KIND.search(target.name)
    if kind is not None:
        raise BadOption("target", target, f"the name of a new folder or of a file NAME.tar; {kind[0]} is not made here")
    if os.path.lexists(target):
        raise BadOption("target", target, f"a name that is not taken, and {target} is")
    if not target.parent.is_dir():
        raise BadOption("target", target, f"in a folder that exists, and {target.parent} is none")
    if target.parent.resolve().is_relative_to((data_dir / "clips").resolve()):
        raise BadOption("target", target, "outside the folder of the clips")


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


def make_folders(root: Path, name: str) -> None:
    """Make the folders of the file ``name`` in ``root``, each for its owner only."""
    for folder in reversed(Path(name).parents[:-1]):
        (root / folder).mkdir(mode=0o700, exist_ok=True)


def _create(path: Path) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


def _write(path: Path, reader: _Summing) -> None:
    with os.fdopen(_create(path), "wb") as file:
        while piece := reader.read(PIECE):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _discard(parcel: Parcel | None, stage: Path) -> None:
    if parcel is not None:
        with contextlib.suppress(OSError):  # a full disk: what was to be flushed goes away with the folder
            parcel.close()
    shutil.rmtree(stage, ignore_errors=True)


def _told(error: OSError, place: Path) -> StorageError:
    if error.errno in {28, 122}:  # ENOSPC, EDQUOT
        return DiskFull(f"no room is left for {place}")
    return StorageError(f"{error.filename or place}: {error.strerror or error}")


# ----------------------------------------------------------------------------------------------------------------------- the way back


@contextlib.contextmanager
def unpacked(source: Path, stage: Path) -> Iterator[dict[str, Any]]:
    """Copy a backup into the new folder ``stage``, verify every sum and the database; gives the manifest. Blocks.

    ``stage`` is removed at the end with whatever is still in it. Raises StorageError naming what is wrong, DiskFull.
    """
    try:
        stage.mkdir(mode=0o700)
        manifest = _fill_from_tar(source, stage) if source.is_file() else _fill_from_folder(source, stage)
        seen = copies.look(stage / DATABASE, MIGRATIONS, alone=True)
        if seen.schema > seen.newest_schema:
            raise StorageError(
                f"{source} is of a newer Reelay (schema {seen.schema}, this one knows {seen.newest_schema}); restore it with that one"
            )
        if seen.faults:
            raise StorageError(f"the database of {source} is damaged: {seen.faults[0]}")
        yield manifest
    except tarfile.TarError as error:
        raise StorageError(f"{source} cannot be read as a backup: {error}") from error
    except OSError as error:
        raise _told(error, stage.parent) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _fill_from_folder(source: Path, stage: Path) -> dict[str, Any]:
    manifest = _manifest((source / MANIFEST).read_bytes() if (source / MANIFEST).is_file() else b"", source)
    for name, entry in manifest["files"].items():
        try:
            with (source / name).open("rb") as file:
                _take(file, stage, name, entry, source)
        except FileNotFoundError:
            raise StorageError(f"{name} is missing in {source}") from None
    return manifest


def _fill_from_tar(source: Path, stage: Path) -> dict[str, Any]:
    with tarfile.open(source, "r:") as tar:
        members = {member.name: member for member in tar if member.isfile()}
        last = tar.extractfile(members[MANIFEST]) if MANIFEST in members else None
        manifest = _manifest(last.read(MOST_MANIFEST) if last is not None else b"", source)
        for name, entry in manifest["files"].items():
            file = tar.extractfile(members[name]) if name in members else None
            if file is None:
                raise StorageError(f"{name} is missing in {source}")
            _take(file, stage, name, entry, source)
    return manifest


def _manifest(text: bytes, source: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(text)
        files = manifest["files"]
        sound = manifest["format"] == FORMAT and {DATABASE, KEYS_NAME} <= files.keys()
        if not sound or not all(_MEMBER.fullmatch(name) and len(each["sha256"]) == 64 for name, each in files.items()):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StorageError(f"{source} is no backup that this Reelay understands") from None
    return manifest


def _take(file: IO[bytes], stage: Path, name: str, entry: dict[str, Any], source: Path) -> None:
    reader = _Summing(file)
    make_folders(stage, name)
    _write(stage / name, reader)
    if reader.hash.hexdigest() != entry["sha256"]:
        raise StorageError(f"{name} in {source} is damaged: its sum is not the one in the manifest")
