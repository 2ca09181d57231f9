"""The doctor finds each fault, says what to do about it, shows no secret and changes nothing."""

# ruff: noqa: ASYNC240 - see pytestmark

from __future__ import annotations

import importlib.util
import os
import resource
import socket
import sqlite3
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bot import checkups, doctor
from bot.app import App, open_app
from bot.disks import kind_of_disk
from bot.engine.parts import Parts
from bot.probe import Finding, as_json, from_json, probe
from bot.settings import Settings, SettingsMistakes, read_settings
from core.errors import CredentialsRejected, OutOfFunds, ProviderError
from storage.store import MIGRATIONS
from tests.bot.operator_world import reelay, running
from tests.lab.openai import OpenAI

pytestmark = pytest.mark.blocks("the doctor is a program of its own: nothing else runs on its loop")


def settings_of(folder: Path, **more: str) -> Settings:
    return read_settings({"REELAY_DATA_DIR": str(folder), "REELAY_HTTP_PORT": "0", **more}, None)


async def opened(folder: Path) -> App:
    return await open_app(settings_of(folder))


def faults(found: list[Finding]) -> list[tuple[str, str]]:
    assert all(each.advice for each in found if each.mark != "ok"), found
    return [(each.part, each.text) for each in found if each.mark == "fault"]


def notes(found: list[Finding]) -> list[str]:
    return [each.text for each in found if each.mark == "note"]


def test_before_the_first_start_all_is_well_and_nothing_is_made(tmp_path: Path) -> None:
    said = reelay(tmp_path / "data", "doctor")
    assert said.code == 0, said
    assert "Reelay is well." in said.out
    assert "✓ media: drew 2 s of 1280x720 h264" in said.out
    assert "✗" not in said.out
    assert list(tmp_path.iterdir()) == []


async def test_while_it_runs_the_doctor_asks_it_and_finds_what_is_wrong_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def drawn() -> list[Finding]:
        return []  # it takes seconds, and the first test of this file has it

    monkeypatch.setattr(doctor, "_media", drawn)
    monkeypatch.chdir(tmp_path)
    folder, key = tmp_path / "data", "sk-secret-of-mine"
    server = OpenAI(key).start()
    environ = {"REELAY_DATA_DIR": str(folder), "REELAY_HTTP_PORT": "0", **server.environment()}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    found: list[Finding] = []
    with running(folder) as process:
        assert process.admin("pause", "intake").code == 0
        with sqlite3.connect(folder / "reelay.db") as other:  # a row whose file is gone
            other.execute(
                "INSERT INTO clips (id, kind, account_id, key, mime, bytes, sha256, created_at)"
                " VALUES ('c', 'clip', 'a', ?, 'video/mp4', 1, '', 1)",
                ("0" * 32 + ".mp4",),
            )
        other.close()
        assert not await doctor.examine(found.append)
        assert process.stop() == 0
    server.stop()
    assert not server.paid
    assert any(each.part == "scene writer openai" and each.mark == "ok" for each in found)
    assert faults(found) == [("clips", f"1 of 1 files are missing, the first is {'0' * 32}.mp4")]
    texts = [each.text for each in found]
    assert any(text.startswith(f"process {process.process.pid} is ready at {process.url}") for text in texts)
    assert "new jobs: paused until it is resumed (paused by the operator)" in notes(found)
    assert "OPENAI_API_KEY = **********" in texts
    assert key not in str(found)


def test_every_mistake_in_the_settings_is_told_at_once(tmp_path: Path) -> None:
    said = reelay(tmp_path / "data", "doctor", REELAY_RETENTION_DAYS="never", REELAY_PORT="1", FAL_KEY="a b c secret")
    assert said.code == 1
    for name in ("REELAY_RETENTION_DAYS", "REELAY_PORT", "FAL_KEY"):
        assert f"✗ settings: {name}" in said.out
    assert said.out.endswith("3 things have to be mended.\n")
    assert "secret" not in said.out + said.err


def test_who_may_use_it_and_what_costs_is_said(tmp_path: Path) -> None:
    found = checkups.of_settings(settings_of(tmp_path, REELAY_PROVIDER="veo", REELAY_WEB_ACCESS="open"))
    [(part, text)] = faults(found)
    assert (part, text[:46]) == ("settings", "REELAY_PROVIDER is veo, which is not configured"[:46])
    assert notes(found) == ["anybody who reaches the page may use it; all who have not signed in share one allowance"]
    found = checkups.of_settings(settings_of(tmp_path, REELAY_HTTP_HOST="0.0.0.0"))
    assert any("sign-in link" in each.text for each in found)


def test_few_open_files_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    assert notes([checkups.files()]) == ["256 open files are allowed at once"]


# ------------------------------------------------------------------------------------------------------------------------ data folder


def test_a_folder_that_is_open_to_others_is_noticed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert f"chmod 700 {tmp_path}" in [each.advice for each in checkups.of_folder(settings_of(tmp_path))]
    tmp_path.chmod(0o700)
    assert notes(checkups.of_folder(settings_of(tmp_path))[:1]) == []


@pytest.mark.parametrize("answer, says", [(False, "may not be written by this user"), (True, "")])
def test_a_folder_that_may_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bool, says: str
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(os, "access", lambda *_: answer)
    assert says in "".join(text for _, text in faults(checkups.of_folder(settings_of(tmp_path))))
    missing = faults(checkups.of_folder(settings_of(tmp_path / "data")))
    assert bool(missing) is not answer


class Room(NamedTuple):
    f_bavail: int
    f_frsize: int = 1
    f_favail: int = 1
    f_files: int = 1


@pytest.mark.parametrize(
    "room, mark",
    [(Room(500 << 20), "fault"), (Room(1 << 30), "note"), (Room(1 << 40), "ok"), (Room(1 << 40, 1, 0, 9), "fault")],
)
def test_little_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: Room, mark: str) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(os, "statvfs", lambda _: room)
    assert checkups.of_folder(settings_of(tmp_path))[1].mark == mark


@pytest.mark.parametrize(
    "line, kind",
    [
        ("ext4 /dev/sda1 rw", ("ext4", "local")),
        ("nfs4 server:/x rw", ("nfs4", "network")),
        ("fuse.sshfs me@there:/x rw", ("fuse.sshfs", "network")),
        ("9p host rw", ("9p", "network")),
        ("tmpfs tmpfs rw", ("tmpfs", "passing")),
        ("overlay overlay rw,lowerdir=a", ("overlay", "passing")),
    ],
)
def test_kinds_of_disk_by_the_nearest_mount(tmp_path: Path, line: str, kind: tuple[str, str]) -> None:
    mounts, folder = tmp_path / "mounts", tmp_path / "a b" / "data"
    folder.mkdir(parents=True)
    at = str(tmp_path / "a b").replace(" ", "\\040")
    mounts.write_text(
        f"1 0 8:1 / / rw - xfs /dev/root rw\n2 1 8:2 / {at} rw shared:1 - {line}\n3 1 8:3 / {at}x rw - zfs z rw\nshort\n"
    )
    assert kind_of_disk(folder, mounts) == kind
    assert kind_of_disk(tmp_path, mounts) == ("xfs", "local")
    assert kind_of_disk(tmp_path, tmp_path / "none") == ("", "local")


# --------------------------------------------------------------------------------------------------------------------- database, keys


def rot(folder: Path) -> None:
    with (folder / "reelay.db").open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xa5" * 4096 * 20)


def no_database(folder: Path) -> None:
    (folder / "reelay.db").write_bytes(b"MZ" * 9000)


def version(number: int) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        connection = sqlite3.connect(folder / "reelay.db")
        connection.execute(f"PRAGMA user_version={number}")
        connection.close()

    return change


UNUSABLE = ((rot, "it is damaged|malformed"), (no_database, "not a database"), (version(999), "of a newer Reelay"))


@pytest.mark.parametrize("spoil, says", UNUSABLE)
async def test_a_database_that_cannot_be_used(tmp_path: Path, spoil: Callable[[Path], None], says: str) -> None:
    app = await opened(tmp_path / "data")
    await app.close()
    spoil(tmp_path / "data")
    before = (tmp_path / "data" / "reelay.db").read_bytes()
    found = checkups.of_database(settings_of(tmp_path / "data"))
    with pytest.raises(AssertionError, match=says):
        assert faults(found) == []
    assert (tmp_path / "data" / "reelay.db").read_bytes() == before


async def test_an_older_database_is_looked_at_and_not_migrated(tmp_path: Path) -> None:
    app = await opened(tmp_path / "data")
    await app.close()
    version(0)(tmp_path / "data")
    found = checkups.of_database(settings_of(tmp_path / "data"))
    assert faults(found) == []
    assert notes(found) == [f"schema 0; the next start brings it to {len(list(MIGRATIONS.glob('*.sql')))}"]


async def test_keys(tmp_path: Path) -> None:
    assert checkups.of_keys(tmp_path).mark == "ok"
    assert list(tmp_path.iterdir()) == []
    app = await opened(tmp_path / "data")
    await app.close()
    keys = tmp_path / "data" / "keys.json"
    secret = keys.read_text().split('"secret": "')[1][:64]
    assert checkups.of_keys(keys.parent).mark == "ok"
    keys.chmod(0o644)
    assert checkups.of_keys(keys.parent).mark == "note"
    assert keys.stat().st_mode & 0o777 == 0o600
    keys.write_text(keys.read_text().replace("}", ""))
    damaged = checkups.of_keys(keys.parent)
    assert damaged.mark == "fault"
    assert secret not in damaged.text


# ------------------------------------------------------------------------------------------------------------------- address, inside


def test_an_address_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = doctor._port(read_settings({"REELAY_HTTP_PORT": str(port)}, None), running=False)
    assert found.mark == "fault"
    assert "REELAY_HTTP_PORT" in found.advice
    assert doctor._port(read_settings({"REELAY_HTTP_PORT": str(port)}, None), running=False).mark == "ok"


def test_a_process_that_does_not_answer(tmp_path: Path) -> None:
    assert doctor._port(settings_of(tmp_path), running=True).mark == "fault"


class Vendor:
    """A generator whose check ends as it is told."""

    def __init__(self, name: str, error: ProviderError | None) -> None:
        self.name, self._error = name, error

    async def check(self) -> str:
        if self._error is not None:
            raise self._error
        return "the key is accepted"


async def test_what_only_the_parts_know(tmp_path: Path) -> None:
    app = await opened(tmp_path / "data")
    vendors: dict[str, Any] = {
        "veo": Vendor("veo", None),
        "omni": Vendor("omni", CredentialsRejected("the key is not accepted")),
        "ovi": Vendor("ovi", OutOfFunds("nothing is left")),
    }
    app.parts.providers = vendors
    await app.store.pause("ovi", None, "INSUFFICIENT_FUNDS")
    await app.store.raise_alert("INSUFFICIENT_FUNDS ovi", "ovi is paused")
    account = await app.store.open_account("web", "ann")
    await app.database.write(lambda c: c.execute("UPDATE accounts SET granted = 7 WHERE id = ?", (account,)).rowcount)
    found = await probe(app.parts)
    assert faults(found) == [
        ("ledger", f"1 sums are wrong: account {account} has 7 granted credits, the ledger says 0"),
        ("generator omni", "AUTHENTICATION_ERROR: the key is not accepted"),
        ("generator ovi", "INSUFFICIENT_FUNDS: nothing is left"),
    ]
    assert Finding("ok", "generator veo", "the key is accepted") in found
    assert len(notes(found)) == 2
    assert from_json(as_json(found)) == found
    assert (await app.clips.usage()).files == 0
    await app.close()


async def test_clips_that_cannot_be_kept(tmp_path: Path) -> None:
    app = await opened(tmp_path / "data")
    (tmp_path / "data" / "clips").write_text("in the way")
    parts: Parts = app.parts
    assert [part for part, _ in faults(await probe(parts))] == ["clips"]
    await app.close()


async def test_a_media_worker_that_cannot_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media.children.WORKER", Path("/nowhere/worker.py"))
    assert [part for part, _ in faults(await doctor._media())] == ["media"]


def lacking(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in modules else find(name))


def test_what_reads_photos_of_telephones_is_added_by_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reelay is on no package index: a command with its name would install a stranger's package."""
    python = tmp_path / ".venv" / "bin" / "python"
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.chdir(tmp_path)
    lacking(monkeypatch, "pillow_heif")
    found = doctor._heic()
    assert found.text == "HEIC pictures are refused"
    assert found.advice.startswith("to read them: .venv/bin/python -m pip install 'pillow-heif>=1.1',")
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["optional-dependencies"]["heic"] == [doctor.HEIC]
    (tmp_path / "a b").mkdir()
    monkeypatch.chdir(tmp_path / "a b")
    assert f": {python} -m pip" in doctor._heic().advice


def test_without_pip_as_in_the_image_no_command_is_advised(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking(monkeypatch, "pillow_heif", "pip")
    assert "pip install" not in doctor._heic().advice
    assert "JPEG" in doctor._heic().advice


def test_what_reads_photos_of_telephones_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name == "pillow_heif" else None)
    assert doctor._heic() == Finding("ok", "media", "HEIC pictures are read")


async def test_a_sheet_that_is_wrong_is_named_also_before_the_first_start(tmp_path: Path) -> None:
    """The sheets lie in the data folder; before there is a database in it, the doctor works in another one."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models/ovi.toml").write_text('[[models]]\nid = "fal-ai/ovi"\nseconds = []\n', encoding="utf-8")
    (tmp_path / "flow.json").write_text("{}", encoding="utf-8")
    told = {"FAL_KEY": "k", "COMFYUI_URL": "http://127.0.0.1:9", "COMFYUI_WORKFLOW": str(tmp_path / "flow.json")}
    settings = settings_of(tmp_path, **told)
    for ours in (False, True):
        found = faults([each async for each in doctor._parts(settings, running=False, ours=ours)])
        assert [part for part, _ in found] == ["settings", "settings"]
        assert "models/ovi.toml, model fal-ai/ovi: seconds" in found[0][1]
        assert found[1][1].startswith("COMFYUI_WORKFLOW is no workflow")


async def test_what_is_wrong_with_a_workflow_or_a_sheet_stands_under_its_own_name(tmp_path: Path) -> None:
    for name in ("comfyui", "gemini"):
        (tmp_path / "models").mkdir(exist_ok=True)
        (tmp_path / f"models/{name}.toml").write_text("x = 1", encoding="utf-8")
    (tmp_path / "flow.json").write_text("{}", encoding="utf-8")
    told = {"COMFYUI_URL": "http://127.0.0.1:9", "GEMINI_API_KEY": "AIza-lab"}
    with pytest.raises(SettingsMistakes) as found:
        await open_app(settings_of(tmp_path, **told))
    assert [each.variable for each in found.value.mistakes] == ["comfyui", "SCENES_MODEL", "CHARACTER_MODEL"]
    for file in (tmp_path / "models").iterdir():
        file.unlink()
    with pytest.raises(SettingsMistakes) as found:
        await open_app(settings_of(tmp_path, **told, COMFYUI_WORKFLOW=str(tmp_path / "flow.json")))
    (mistake,) = found.value.mistakes
    assert (mistake.variable, mistake.example) == ("COMFYUI_WORKFLOW", "COMFYUI_WORKFLOW=./workflow.json")
