"""The command line: quick where it needs nothing, exact exit codes, one sentence per failure, an orderly end."""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bot.__main__ import spare_the_collector
from bot.app import default_generator
from bot.settings import SettingsMistakes, read_settings
from core.errors import AlreadyRunning
from storage.lock import InstanceLock
from tests.bot.operator_world import ROOT, environment, reelay, running, typed

pytestmark = pytest.mark.blocks("a command is a program of its own: nothing else runs on its loop")
HEAVY = (
    "aiohttp",
    "pydantic_settings",
    "structlog",
    "sqlite3",
    "prometheus_client",
    "rich",
    "av",
    "PIL",
    "numpy",
    "asyncio",
)


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["admin", "--help"], ["admin", "quota", "set", "--help"]])
def test_what_needs_nothing_imports_nothing_heavy(tmp_path: Path, words: list[str]) -> None:
    # `make coverage` would measure this process too, and import for itself what is looked for here.
    env = {name: value for name, value in environment(tmp_path / "data").items() if not name.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bot", *words],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    imported = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert imported & set(HEAVY) == set()
    assert "bot" in imported
    assert done.stdout.strip()
    assert list(tmp_path.iterdir()) == []


MISTAKES = (
    "dance",
    "admin dance",
    "run --fast",
    "admin grant web:ann",
    "admin grant web:ann five",
    "admin token web:ann --signin --revoke",
)


@pytest.mark.parametrize("words", MISTAKES)
def test_a_command_that_does_not_exist_is_a_usage_mistake(tmp_path: Path, words: str) -> None:
    said = (reelay if words == "dance" else typed)(tmp_path / "data", *words.split())
    assert (said.code, said.out) == (2, "")
    assert "Traceback" not in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["run"], ["admin", "jobs"], ["admin", "restore", "x"]])
def test_wrong_settings_are_all_told(tmp_path: Path, words: list[str]) -> None:
    said = typed(tmp_path / "data", *words, REELAY_HTTP_PORT="x", REELAY_RETENTION_DAYS="0")
    assert said.code == 78
    assert "REELAY_HTTP_PORT" in said.err
    assert "REELAY_RETENTION_DAYS" in said.err


@pytest.mark.parametrize("words", [["run"], ["admin", "jobs"]])
def test_a_data_folder_that_cannot_be_used(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "reelay.db").write_bytes(b"MZ" * 9000)
    said = typed(tmp_path / "data", *words)
    assert said.code == 74
    assert said.err.startswith("Reelay cannot use its data folder")
    assert said.err.count("\n") == 1


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = reelay(tmp_path / "data", "run", REELAY_HTTP_PORT=str(taken.getsockname()[1]))
    assert said.code == 69
    assert "REELAY_HTTP_PORT sets another port" in said.err


def test_it_says_where_it_is_and_ends_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running(folder) as process:
        assert process.url.startswith("http://127.0.0.1:")
        assert not process.url.endswith(":0")
        assert process.call("/readyz")[0] == 200
        second = reelay(folder, "run")
        assert second.code == 75
        assert f"process {process.process.pid}" in second.err
        assert process.admin("status").out.startswith("Reelay ")
        assert process.stop() == 0
    assert not (folder / "admin.sock").exists()
    assert not (folder / "reelay.db-wal").exists()  # it was copied back
    said = typed(folder, "admin", "status")
    assert (said.code, said.out) == (1, "")
    assert "does not run" in said.err


def test_a_generator_that_is_not_configured_is_no_default(tmp_path: Path) -> None:
    said = reelay(tmp_path / "data", "run", REELAY_PROVIDER="google")
    assert (said.code, said.out) == (78, "")
    assert said.err == (
        "One setting is wrong:\n  REELAY_PROVIDER is google, which is not configured: veo wants GOOGLE_GENAI_USE_VERTEXAI=yes with a key"
        " of Vertex express mode, or GOOGLE_CLOUD_PROJECT with application default credentials; omni wants GEMINI_API_KEY, and"
        " GOOGLE_GENAI_USE_VERTEXAI unset: with it the key is one for Veo. It wants local, for example REELAY_PROVIDER=local\n"
    )
    assert not (tmp_path / "data" / "reelay.db").exists()


def test_a_default_may_be_named_by_its_alias(tmp_path: Path) -> None:
    settings = read_settings({"REELAY_DATA_DIR": str(tmp_path), "REELAY_PROVIDER": "gemini"}, None)
    assert default_generator(settings, ["slow", "omni"]) == "omni"
    with pytest.raises(SettingsMistakes, match="It wants slow or local, for example"):
        default_generator(settings, ["slow"])


def test_a_reader_that_goes_away_harms_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running(folder) as process:
        assert process.process.stdout is not None
        process.process.stdout.close()  # reelay run | head -1
        for _ in range(30):
            assert process.call("/readyz")[0] == 200
        assert process.admin("pause", "intake").code == 0  # which writes a log line
        audit = subprocess.Popen(
            [sys.executable, "-m", "bot", "admin", "audit", "--json"],
            cwd=tmp_path, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert audit.stdout is not None
        assert audit.stderr is not None
        audit.stdout.close()
        assert audit.stderr.read() == ""
        audit.stderr.close()
        assert audit.wait(timeout=60) in (0, 1)
        assert process.stop() == 0


def test_a_second_signal_ends_at_once() -> None:
    program = """
import asyncio
from bot.__main__ import _on_signals
async def hangs():
    stop = asyncio.Event()
    _on_signals(stop)
    print("begun", flush=True)
    await stop.wait()
    print("stopping", flush=True)
    await asyncio.sleep(60)
asyncio.run(hangs())
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.terminate()
        assert process.stdout.readline() == "stopping\n"
        process.terminate()
        assert process.wait(timeout=10) == -15


def test_a_held_folder_without_a_socket_is_told_apart_from_a_free_one(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    with InstanceLock.acquire(folder, now=1):
        said = typed(folder, "admin", "jobs")
        with pytest.raises(AlreadyRunning):
            InstanceLock.acquire(folder, now=2)
    assert said.code == 75
    assert "does not answer on its admin socket" in said.err
    assert said.err.count("\n") == 1
    assert typed(folder, "admin", "jobs").out == "Jobs: none\n"


def test_the_garbage_collector_is_spared_what_lives_for_ever() -> None:
    before = gc.get_threshold()
    try:
        spare_the_collector()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] > before[0]
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
