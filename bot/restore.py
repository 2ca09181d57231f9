"""From a backup to a data folder. Nothing runs meanwhile; what was there before is put aside, never overwritten."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bot.backup import DATABASE, make_folders, unpacked
from core.errors import Conflict, StorageError
from storage import copies
from storage.house import RESTORED
from storage.keys import KEYS_NAME
from storage.lock import InstanceLock
from storage.store import MIGRATIONS
from storage.upkeep import sync_folder

_KEY: Final = re.compile(r"[0-9a-f]{32}\.[a-z0-9]{1,8}", re.ASCII)
_SHARD: Final = re.compile(r"[0-9a-f]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Home:
    """Where the parts of a data folder lie."""

    data_dir: Path
    database: Path
    unpaid: tuple[str, ...]
    """Generators whose waiting jobs may simply run."""


def restore(source: Path, home: Home, *, force: bool, now: int, actor: str) -> dict[str, Any]:
    """Put the backup ``source`` into ``home`` and return what was done; blocks. ``now`` in UTC milliseconds.

    Raises AlreadyRunning, Conflict when something is there and ``force`` is not given, StorageError kinds. Whatever fails before the new
    database is in place leaves the old one in use; both are in place by one rename each.
    """
    if not source.exists():
        raise StorageError(f"there is no backup {source}")
    home.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with InstanceLock.acquire(home.data_dir, now=now):
        there = home.database.exists() or (home.data_dir / KEYS_NAME).exists()
        if there and not force:
            raise Conflict(f"{home.data_dir} is in use already; --force puts what is there aside and restores")
        for old in home.data_dir.glob(".restore-*"):  # of a restore that was killed
            shutil.rmtree(old, ignore_errors=True)
        stage = home.data_dir / f".restore-{secrets.token_hex(4)}"
        with unpacked(source, stage) as manifest:
            details = {"source": str(source), "made_at": manifest.get("made_at"), "release": manifest.get("release")}
            paused = copies.adopt(
                stage / DATABASE, unpaid=list(home.unpaid), reason=RESTORED, actor=actor, details=details, now=now
            )
            known = copies.look(stage / DATABASE, MIGRATIONS, alone=True).keys
            aside = home.data_dir / f"before-restore-{datetime.fromtimestamp(now / 1000, UTC):%Y%m%dT%H%M%SZ}"
            aside.mkdir(mode=0o700)
            kept = _swap(stage, home, aside)
            clips, left = _place_clips(stage / "clips", home.data_dir / "clips", known, aside)
            if not kept and not left:
                aside.rmdir()
        sync_folder(home.data_dir)
    return {
        "data_dir": str(home.data_dir),
        **details,
        "with_clips": manifest.get("clips") is True,
        "clip_files": clips,
        "clips_missing": _missing(home.data_dir / "clips", known),
        "aside": str(aside) if kept or left else None,
        "clips_aside": left,
        "paused": paused,
    }


def _swap(stage: Path, home: Home, aside: Path) -> bool:
    """Exchange keys and database; returns whether there were old ones."""
    keys, kept = home.data_dir / KEYS_NAME, False
    log, shared = (home.database.with_name(home.database.name + suffix) for suffix in ("-wal", "-shm"))
    for old in (keys, home.database):
        if old.exists():
            _link(old, aside / old.name)
            kept = True
    if log.exists():  # a copy, made before SQLite opens it: of a damaged database it empties the log and removes it
        _copy(log, aside / log.name)
    if home.database.exists():
        with suppress(StorageError):  # a damaged one stays as it is
            copies.fold(home.database)
    for old in (log, shared):  # another database's log must never lie beside the new one: SQLite would replay it
        old.unlink(missing_ok=True)
    sync_folder(aside)
    home.database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _bring(stage / KEYS_NAME, keys)
    _bring(stage / DATABASE, home.database)
    sync_folder(home.database.parent)
    return kept


def _link(old: Path, new: Path) -> None:
    """Keep ``old`` under a second name, so that it can be replaced in one step."""
    try:
        os.link(old, new)
    except OSError:  # another file system, or one without links
        _copy(old, new)


def _copy(old: Path, new: Path) -> None:
    shutil.copy2(old, new)
    new.chmod(0o600)
    _sync_file(new)


def _bring(file: Path, to: Path) -> None:
    """Put ``file`` in the place of ``to`` by one rename, also from another file system."""
    try:
        file.replace(to)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = to.with_name(f".{to.name}.restoring")
        _copy(file, beside)
        beside.replace(to)


def _sync_file(path: Path) -> None:
    """Make what was written durable."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _place_clips(stage: Path, folder: Path, known: frozenset[str] | None, aside: Path) -> tuple[int, int]:
    """Move restored files in and files that the restored database does not know aside; returns how many of each.

    Those would otherwise be swept away as orphans after an hour.
    """
    left = 0
    for file in _kept(folder) if known is not None else []:
        if known is not None and file.name not in known:
            make_folders(aside, f"clips/{file.parent.name}/{file.name}")
            file.rename(aside / "clips" / file.parent.name / file.name)
            left += 1
    restored = _kept(stage)
    for file in restored:
        shard = folder / file.parent.name
        make_folders(folder.parent, f"clips/{file.parent.name}/{file.name}")
        file.replace(shard / file.name)
    for shard in {folder / file.parent.name for file in restored}:
        sync_folder(shard)
    if folder.is_dir():
        sync_folder(folder)
    return len(restored), left


def _kept(folder: Path) -> list[Path]:
    shards = [each for each in folder.iterdir() if _SHARD.fullmatch(each.name)] if folder.is_dir() else []
    return sorted(file for shard in shards for file in shard.iterdir() if _KEY.fullmatch(file.name))


def _missing(folder: Path, known: frozenset[str] | None) -> int:
    return len((known or frozenset()) - {file.name for file in _kept(folder)})
