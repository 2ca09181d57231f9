"""Backups are whole, secret and checked; the way back loses neither what is brought nor what was there."""

# ruff: noqa: ASYNC240 - see pytestmark

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import stat
import tarfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.app import App, open_app
from bot.commands.making import order
from bot.restore import Home, restore
from bot.settings import read_settings
from core.errors import AlreadyRunning, BadOption, Conflict, DatabaseFault, NotFound, StorageError
from core.jobs import Actor, Place
from storage import upkeep
from storage.lock import InstanceLock
from storage.store import MIGRATIONS

pytestmark = pytest.mark.blocks("folders are opened, damaged and brought back while nothing else runs on the loop")
NOW = 1_790_000_000_000
CONTENT = os.urandom(70_000)


async def opened(folder: Path) -> App:
    return await open_app(read_settings({"REELAY_DATA_DIR": str(folder)}, None))


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    found = await opened(tmp_path / "data")
    yield found
    await found.close()


async def keep_clip(app: App, content: bytes = CONTENT) -> str:
    """A kept file and its row; returns its key."""
    async with app.clips.incoming(suffix=".mp4", max_bytes=1 << 20) as incoming:
        await incoming.write(content)
        stored = await incoming.keep()
    row = (stored.key[:32], "clip", "a" * 32, stored.key, "video/mp4", stored.bytes, stored.sha256, 1)
    sql = (
        "INSERT INTO clips (id, kind, account_id, key, mime, bytes, sha256, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    await app.database.write(lambda c: c.execute(sql, row).rowcount)
    return stored.key


async def order_clip(app: App) -> str:
    job, _ = await order(app.engine, Actor("web", "ann"), Place("web", chat="ann"), {"prompt": "a heron"})
    return job.id


async def backup(app: App, target: Path, *, clips: bool = True) -> dict[str, Any]:
    return await app.desk.do("backup", {"target": str(target), "clips": clips}, actor="test")


def home(folder: Path, *unpaid: str) -> Home:
    return Home(folder, folder / "reelay.db", unpaid or ("local",))


def bring_back(source: Path, folder: Path, *, force: bool = False, unpaid: tuple[str, ...] = ()) -> dict[str, Any]:
    return restore(source, home(folder, *unpaid), force=force, now=NOW, actor="test")


async def read_clip(app: App, key: str) -> bytes:
    return b"".join([piece async for piece in app.clips.open_range(key, 0, 1 << 20)])


@pytest.mark.parametrize("name", ["backup.tar", "backup"])
async def test_what_is_brought_back_elsewhere_is_what_was_there(app: App, tmp_path: Path, name: str) -> None:
    key, job = await keep_clip(app), await order_clip(app)
    told = await backup(app, tmp_path / name)
    assert (told["clip_files"], told["clips_missing"], told["schema"]) == (1, 0, len(list(MIGRATIONS.glob("*.sql"))))
    here = json.loads((app.settings.data_dir / "keys.json").read_text())
    done = bring_back(tmp_path / name, tmp_path / "new")
    assert (done["clip_files"], done["clips_missing"], done["aside"], done["paused"]) == (1, 0, None, {})
    new = await opened(tmp_path / "new")
    assert (await new.store.job(job)).applied.prompt == "a heron"
    assert await read_clip(new, key) == CONTENT
    assert json.loads((tmp_path / "new" / "keys.json").read_text()) == here
    trail = (await new.desk.do("audit", {}, actor="test"))["audit"]
    assert [row["verb"] for row in trail] == ["restore", "backup"]
    await new.close()
    assert not list((tmp_path / "new").glob(".restore-*"))


@pytest.mark.parametrize("name", ["backup.tar", "backup"])
async def test_a_backup_is_its_owners_alone_and_complete_or_not_there(app: App, tmp_path: Path, name: str) -> None:
    await keep_clip(app)
    await backup(app, tmp_path / name)
    there = [tmp_path / name, *(tmp_path / name).rglob("*")]
    assert all(stat.S_IMODE(each.stat().st_mode) in ({0o700} if each.is_dir() else {0o600}) for each in there)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([name, "data"])
    if name.endswith(".tar"):
        with tarfile.open(tmp_path / name) as tar:
            assert {member.mode for member in tar} == {0o600}
            assert tar.getnames()[:2] == ["reelay.db", "keys.json"]


async def test_without_clips_the_words_and_keys_are_enough_and_what_is_missing_is_said(
    app: App, tmp_path: Path
) -> None:
    await keep_clip(app)
    assert (await backup(app, tmp_path / "b.tar", clips=False))["clip_files"] == 0
    told = bring_back(tmp_path / "b.tar", tmp_path / "new")
    assert (told["with_clips"], told["clip_files"], told["clips_missing"]) == (False, 0, 1)
    await backup(app, tmp_path / "all.tar")
    assert bring_back(tmp_path / "all.tar", tmp_path / "whole")["with_clips"] is True


@pytest.mark.parametrize("name", ["b.zip", "b.tar.gz", "b.tgz", "B.TAR.XZ", "b.7z", "b.tar.zst", "reelay.db"])
async def test_a_name_that_promises_another_kind_of_file_is_refused(app: App, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadOption, match=r"target must be the name of a new folder or of a file NAME\.tar"):
        await backup(app, tmp_path / name)
    assert [each.name for each in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("name, is_file", [("b.TAR", True), ("reelay.example.com-2026.11", False)])
async def test_the_name_says_whether_it_is_a_file(app: App, tmp_path: Path, name: str, is_file: bool) -> None:
    await backup(app, tmp_path / name)
    assert (tmp_path / name).is_file() is is_file
    assert bring_back(tmp_path / name, tmp_path / "new")["clip_files"] == 0


async def test_a_clip_that_is_deleted_meanwhile_is_counted_not_fatal(app: App, tmp_path: Path) -> None:
    key = await keep_clip(app)
    await keep_clip(app)
    await app.clips.delete(key)
    told = await backup(app, tmp_path / "b.tar")
    assert (told["clip_files"], told["clips_missing"]) == (1, 1)


async def test_a_target_that_would_harm_something_is_refused(app: App, tmp_path: Path) -> None:
    await keep_clip(app)
    (tmp_path / "taken.tar").write_text("mine")
    clips = app.settings.data_dir / "clips"
    for target in (tmp_path / "taken.tar", tmp_path / "nowhere" / "b.tar", clips / "b", tmp_path / "data"):
        with pytest.raises(BadOption) as caught:
            await backup(app, target)
        assert caught.value.field == "target"
    assert (tmp_path / "taken.tar").read_text() == "mine"


async def test_a_failure_on_the_way_leaves_nothing_behind(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(target: Path) -> None:
        target.write_bytes(b"half")
        raise DatabaseFault("the disk is bad")

    monkeypatch.setattr(app.database, "backup", broken)
    with pytest.raises(DatabaseFault):
        await backup(app, tmp_path / "b.tar")
    assert [each.name for each in tmp_path.iterdir()] == ["data"]


async def test_a_copy_that_is_damaged_is_no_backup(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = app.database.backup

    async def damaged(target: Path) -> None:
        await copy(target)
        spoil(target)

    monkeypatch.setattr(app.database, "backup", damaged)
    with pytest.raises(StorageError):
        await backup(app, tmp_path / "b.tar")
    assert [each.name for each in tmp_path.iterdir()] == ["data"]


def spoil(database: Path) -> None:
    """Overwrite the middle of its second page and everything after."""
    with database.open("r+b") as file:
        file.seek(4096 + 100)
        file.write(b"\xa5" * (database.stat().st_size - 4096 - 100))


def with_manifest(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def spoil_manifest(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text())
        change(manifest)
        (folder / "manifest.json").write_text(json.dumps(manifest))

    return spoil_manifest


def of_the_future(folder: Path) -> None:
    connection = sqlite3.connect(folder / "reelay.db")
    connection.execute("PRAGMA user_version=999")
    connection.close()
    sign(folder)


def rotten(folder: Path) -> None:
    spoil(folder / "reelay.db")
    sign(folder)


def sign(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["reelay.db"]["sha256"] = hashlib.sha256((folder / "reelay.db").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def escape(manifest: dict[str, Any]) -> None:
    manifest["files"]["clips/../../escaped"] = manifest["files"].pop(
        next(each for each in manifest["files"] if each.startswith("clips/"))
    )


FAULTS: tuple[tuple[str, Callable[[Path], object], str], ...] = (
    (
        "a flipped byte in a clip",
        lambda b: next(b.glob("clips/*/*")).write_bytes(b"x" * 70_000),
        "its sum is not the one",
    ),
    ("a flipped byte in the database", lambda b: spoil(b / "reelay.db"), "its sum is not the one"),
    ("a clip that is gone", lambda b: next(b.glob("clips/*/*")).unlink(), "is missing"),
    ("no keys", lambda b: (b / "keys.json").unlink(), "keys.json is missing"),
    ("no manifest", lambda b: (b / "manifest.json").unlink(), "no backup that this Reelay understands"),
    ("keys unnamed", with_manifest(lambda m: m["files"].pop("keys.json")), "no backup that this Reelay understands"),
    ("another format", with_manifest(lambda m: m.update(format=2)), "no backup that this Reelay understands"),
    ("a name that leads out", with_manifest(escape), "no backup that this Reelay understands"),
    ("files that are none", with_manifest(lambda m: m.update(files=[1])), "no backup that this Reelay understands"),
    ("a newer release's", of_the_future, "of a newer Reelay"),
    ("rotten but signed", rotten, "malformed|damaged|CORRUPT"),
)


async def test_a_damaged_backup_is_refused_and_what_is_there_stays(app: App, tmp_path: Path) -> None:
    await keep_clip(app)
    job = await order_clip(app)
    await app.close()
    before = (tmp_path / "data" / "keys.json").read_bytes()
    for number, (what, damage, says) in enumerate(FAULTS):
        again = await opened(tmp_path / "data")
        await backup(again, tmp_path / f"b{number}")
        await again.close()
        damage(tmp_path / f"b{number}")
        with pytest.raises(StorageError, match=says):
            bring_back(tmp_path / f"b{number}", tmp_path / "data", force=True)
        assert (tmp_path / "data" / "keys.json").read_bytes() == before, what
        assert not list((tmp_path / "data").glob("*restore*")), what
    (tmp_path / "short.tar").write_bytes(b"\0" * 100)
    for source in (tmp_path / "short.tar", tmp_path / "nothing"):
        with pytest.raises(StorageError):
            bring_back(source, tmp_path / "data", force=True)
    again = await opened(tmp_path / "data")
    assert (await again.store.job(job)).id == job
    await again.close()


async def test_what_was_there_is_put_aside_whole_and_only_when_forced(app: App, tmp_path: Path) -> None:
    early = await keep_clip(app, b"early" * 100)
    await backup(app, tmp_path / "b.tar")
    late, job = await keep_clip(app, b"late" * 100), await order_clip(app)
    data = tmp_path / "data"
    with pytest.raises(AlreadyRunning):
        bring_back(tmp_path / "b.tar", data, force=True)
    await app.close()
    with pytest.raises(Conflict, match="--force"):
        bring_back(tmp_path / "b.tar", data)
    done = bring_back(tmp_path / "b.tar", data, force=True)
    aside = Path(done["aside"])
    assert (done["clips_aside"], stat.S_IMODE(aside.stat().st_mode)) == (1, 0o700)
    now = await opened(data)
    with pytest.raises(NotFound):
        await now.store.job(job)
    assert await read_clip(now, early) == b"early" * 100
    assert await now.clips.size(late) is None
    await now.close()
    old = await opened(aside)  # it is a data folder of its own
    assert (await old.store.job(job)).id == job
    assert await read_clip(old, late) == b"late" * 100
    await old.close()


async def test_the_log_of_the_old_database_never_meets_the_new_one(app: App, tmp_path: Path) -> None:
    await backup(app, tmp_path / "b.tar")
    job = await order_clip(app)
    data, killed = tmp_path / "data", tmp_path / "killed"
    killed.mkdir()
    for name in (
        "reelay.db",
        "reelay.db-wal",
        "keys.json",
    ):  # as kill -9 leaves it: the newest rows are in the log only
        (killed / name).write_bytes((data / name).read_bytes())
    done = bring_back(tmp_path / "b.tar", killed, force=True)
    now = await opened(killed)
    assert (await now.desk.do("jobs", {}, actor="test"))["jobs"] == []
    assert await now.database.read_long(upkeep.faults) == []
    await now.close()
    old = await opened(Path(done["aside"]))
    assert (await old.store.job(job)).id == job
    await old.close()


async def test_the_log_of_a_database_that_cannot_be_opened_goes_aside_with_it(app: App, tmp_path: Path) -> None:
    await backup(app, tmp_path / "b.tar")
    await order_clip(app)
    data, broken = tmp_path / "data", tmp_path / "broken"
    broken.mkdir()
    log = (data / "reelay.db-wal").read_bytes()
    (broken / "reelay.db").write_bytes(b"MZ" * 9000)
    (broken / "reelay.db-wal").write_bytes(log)
    done = bring_back(tmp_path / "b.tar", broken, force=True)
    assert not (broken / "reelay.db-wal").exists()
    assert (Path(done["aside"]) / "reelay.db-wal").read_bytes() == log
    now = await opened(broken)
    assert (await now.desk.do("jobs", {}, actor="test"))["jobs"] == []
    await now.close()


async def test_an_old_log_that_nobody_could_fold_is_not_replayed_into_the_new_database(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await backup(app, tmp_path / "b.tar")
    job = await order_clip(app)
    data, killed = tmp_path / "data", tmp_path / "killed"
    killed.mkdir()
    for name in ("reelay.db", "reelay.db-wal"):
        (killed / name).write_bytes((data / name).read_bytes())

    def cannot(_: Path) -> None:
        raise DatabaseFault("the disk is bad")

    monkeypatch.setattr("bot.restore.copies.fold", cannot)
    done = bring_back(tmp_path / "b.tar", killed, force=True)
    now, old = await opened(killed), await opened(Path(done["aside"]))
    with pytest.raises(NotFound):
        await now.store.job(job)
    assert (await old.store.job(job)).id == job
    await now.close()
    await old.close()


async def test_jobs_that_waited_for_a_paid_generator_wait_for_the_operator(app: App, tmp_path: Path) -> None:
    await order_clip(app)
    await backup(app, tmp_path / "b.tar")
    done = bring_back(tmp_path / "b.tar", tmp_path / "paid", unpaid=("other",))
    assert done["paused"] == {"local": 1}
    now = await opened(tmp_path / "paid")
    assert [(pause.provider, pause.until) for pause in await now.store.pauses()] == [("local", None)]
    await now.close()


async def test_a_disk_that_fills_while_it_is_brought_back_leaves_the_old_in_use(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep_clip(app)
    await backup(app, tmp_path / "b.tar")
    job = await order_clip(app)
    await app.close()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="no room"):
        bring_back(tmp_path / "b.tar", tmp_path / "data", force=True)
    monkeypatch.undo()
    now = await opened(tmp_path / "data")
    assert (await now.store.job(job)).id == job
    await now.close()


def test_a_folder_in_use_is_told_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "data").mkdir()
    with InstanceLock.acquire(tmp_path / "data", now=NOW), pytest.raises(AlreadyRunning):
        bring_back(tmp_path / "b", tmp_path / "data", force=True)
