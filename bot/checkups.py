"""What ``reelay doctor`` looks at from outside: the machine, the settings, the data folder, the database, the keys."""

from __future__ import annotations

import os
import platform
import resource
import stat
import sys
import time
from pathlib import Path
from typing import Final

from bot.app import configured
from bot.credentials import notes, wanted_for
from bot.disks import kind_of_disk
from bot.probe import Finding
from bot.settings import Settings
from bot.version import VERSION
from core.errors import StorageError
from providers.registry import real_name
from storage import copies
from storage.keys import KEYS_NAME, KeyRing
from storage.lock import holder
from storage.store import MIGRATIONS

LOW_ROOM: Final = 512 << 20
"""Below this intake pauses, see ``bot/engine/parts.py``."""
SOME_ROOM: Final = 4 << 30
FILES_WANTED: Final = 1024

# ------------------------------------------------------------------------------------------------------------- machine and settings


def system() -> Finding:
    """Release, Python and machine."""
    python = platform.python_version()
    text = f"Reelay {VERSION} on Python {python}, {platform.system()} {platform.machine()}"
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        return Finding("note", "system", f"{text}: made for Python 3.11 to 3.13", "use one of these")
    return Finding("ok", "system", text)


def files() -> Finding:
    """How many files may be open at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < FILES_WANTED:
        most = "unlimited" if hard == resource.RLIM_INFINITY else hard
        return Finding(
            "note",
            "system",
            f"{soft} open files are allowed at once",
            f"each open page takes one: ulimit -n {FILES_WANTED} (up to {most})",
        )
    return Finding(
        "ok", "system", f"{'any number of' if soft == resource.RLIM_INFINITY else soft} open files are allowed at once"
    )


def of_settings(settings: Settings) -> list[Finding]:
    """What is set, and who may use Reelay."""
    told = settings.told()
    found = [Finding("ok", "settings", f"{name} = {value}") for name, value in told.items()]
    found = found or [Finding("ok", "settings", "nothing is set: the page on this machine and the built-in generator")]
    found += [Finding("note", "settings", text, "nothing to do if that is meant") for text in notes(settings)]
    entries = configured(settings)
    paid = [entry.name for entry in entries if entry.paid]
    found.append(Finding("ok", "settings", f"generators: {', '.join(entry.name for entry in entries)}"))
    if settings.provider is not None and real_name(settings.provider, [entry.name for entry in entries]) is None:
        found.append(
            Finding(
                "fault",
                "settings",
                f"REELAY_PROVIDER is {settings.provider}, which is not configured: {wanted_for(settings.provider, settings)}",
                "set that, or unset REELAY_PROVIDER",
            )
        )
    who = settings.who_may(paid=bool(paid))
    if who == "admins":
        admins = ", ".join(str(admin) for admin in settings.admins)
        told_who = (
            f"only administrators may use it, because {', '.join(paid)} costs money: {admins or 'there are none'}"
        )
        found.append(
            Finding(
                "ok" if admins else "note", "access", told_who, "" if admins else "set REELAY_ADMINS or REELAY_ALLOWED"
            )
        )
    if settings.web_access == "open":
        found.append(
            Finding(
                "note",
                "access",
                "anybody who reaches the page may use it; all who have not signed in share one allowance",
                "nothing to do if that is meant",
            )
        )
    elif settings.on_loopback and settings.public_url is None:
        found.append(Finding("ok", "access", "the page answers this machine only, without signing in"))
    else:
        found.append(Finding("ok", "access", "the page wants a sign-in link: reelay admin token web:NAME --signin"))
    return found


# ---------------------------------------------------------------------------------------------------------- data folder, database, keys


def running(folder: Path) -> bool:
    """Whether a process holds the folder."""
    try:
        return folder.is_dir() and holder(folder) is not None
    except (StorageError, OSError):
        return False


def of_folder(settings: Settings) -> list[Finding]:
    """Rights, free room and file system of the data folder; blocks."""
    folder = settings.data_dir
    shown = folder.absolute()
    if not folder.exists():
        above = next(each for each in shown.parents if each.exists())
        if not os.access(above, os.W_OK | os.X_OK):
            return [
                Finding(
                    "fault",
                    "data folder",
                    f"{shown} is not there and cannot be made in {above}",
                    "make it, and give it to this user",
                )
            ]
        return [Finding("ok", "data folder", f"{shown} is not there yet; the first start makes it")]
    if not folder.is_dir():
        return [Finding("fault", "data folder", f"{shown} is no folder", "set REELAY_DATA_DIR to one")]
    found = [_rights(folder)]
    if found[0].mark == "fault":
        return found
    for place in dict.fromkeys((folder, settings.database_path.parent)):
        if place.is_dir():
            found += [_room(place), *_disk(place)]
    return found


def _rights(folder: Path) -> Finding:
    status = folder.stat()
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Finding(
            "fault",
            "data folder",
            f"{folder.absolute()} may not be written by this user",
            f"chown it to user {os.geteuid()}",
        )
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding(
            "note",
            "data folder",
            f"{folder.absolute()} is open to others ({stat.filemode(status.st_mode)}); prompts and keys lie in it",
            f"chmod 700 {folder.absolute()}",
        )
    return Finding("ok", "data folder", f"{folder.absolute()} is ours alone")


def _room(place: Path) -> Finding:
    room = os.statvfs(place)
    free = room.f_bavail * room.f_frsize
    text = f"{free / 1e9:,.1f} GB are free"
    if room.f_favail == 0 and room.f_files:
        return Finding(
            "fault", "data folder", "no file more can be made: the disk's inodes are used up", "remove small files"
        )
    if free < LOW_ROOM:
        return Finding(
            "fault", "data folder", f"{text}: no new job is taken", "make room, or lower REELAY_RETENTION_DAYS"
        )
    if free < SOME_ROOM:
        return Finding("note", "data folder", text, "a clip takes 1 to 30 MB; below 0.5 GB no new job is taken")
    return Finding("ok", "data folder", text)


def _disk(place: Path) -> list[Finding]:
    kind, nature = kind_of_disk(place)
    if nature == "network":
        return [
            Finding(
                "note",
                "data folder",
                f"it lies on a network file system ({kind}), where SQLite's locks cannot be trusted",
                "put it on a local disk",
            )
        ]
    if nature == "passing":
        return [
            Finding(
                "note",
                "data folder",
                f"it lies on {kind}, which goes away with the machine or container",
                "give it a volume",
            )
        ]
    return [Finding("ok", "data folder", f"it lies on a local file system ({kind})")] if kind else []


def of_database(settings: Settings) -> list[Finding]:
    """Schema, pages and log of the database; reads all of it and changes nothing."""
    path = settings.database_path
    if not path.exists():
        return [Finding("ok", "database", "it is not there yet; the first start makes it")]
    try:
        seen = copies.look(path, MIGRATIONS)
    except StorageError as error:
        return [Finding("fault", "database", str(error), "restore a backup: reelay admin restore")]
    found = []
    if seen.schema > seen.newest_schema:
        found.append(
            Finding(
                "fault",
                "database",
                f"schema {seen.schema} is of a newer Reelay (this one knows {seen.newest_schema})",
                "start that one again, or restore a backup of this one",
            )
        )
    elif seen.schema < seen.newest_schema:
        found.append(
            Finding(
                "note",
                "database",
                f"schema {seen.schema}; the next start brings it to {seen.newest_schema}",
                "it keeps a copy of the old one; a backup is better",
            )
        )
    else:
        found.append(
            Finding("ok", "database", f"schema {seen.schema}, {seen.bytes / 1e6:,.1f} MB, SQLite {seen.sqlite}")
        )
    if seen.faults:
        found.append(
            Finding(
                "fault",
                "database",
                f"it is damaged: {seen.faults[0]}",
                "stop Reelay, keep a copy of the folder, restore a backup",
            )
        )
    else:
        found.append(Finding("ok", "database", "every page, index and reference is sound"))
    if seen.wal_bytes > 64 << 20:
        found.append(
            Finding(
                "note",
                "database",
                f"its write-ahead log has {seen.wal_bytes / 1e6:,.0f} MB",
                "start Reelay again; it copies the log back when it ends",
            )
        )
    return found


def of_keys(folder: Path) -> Finding:
    """The key file; blocks."""
    path = folder / KEYS_NAME
    try:
        mode = path.lstat().st_mode
        ring = KeyRing.open(folder, now=time.time_ns() // 1_000_000)
    except FileNotFoundError:
        return Finding("ok", "keys", "there are none yet; the first start makes them")
    except (StorageError, OSError) as error:
        return Finding("fault", "keys", str(error), "restore keys.json from a backup")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding(
            "note",
            "keys",
            f"{path} was open to others ({stat.filemode(mode)}); that is mended now",
            "who may have read it?",
        )
    return Finding("ok", "keys", f"{path.name} is ours alone and whole; key {ring.kid} signs")
