"""One Reelay per data folder, whatever the last one died of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import AlreadyRunning, DatabaseFault
from storage.lock import LOCK_NAME, Holder, InstanceLock, holder

NOW = 1_795_000_000_000

HOLD = """
import sys, time
from pathlib import Path
from storage.lock import InstanceLock

lock = InstanceLock.acquire(Path(sys.argv[1]), now=1795000000000)
print("mine", flush=True)
time.sleep(60)
"""


def test_the_second_one_is_told_who_and_what_to_do(tmp_path: Path) -> None:
    with InstanceLock.acquire(tmp_path, now=NOW):
        with pytest.raises(AlreadyRunning) as caught:
            InstanceLock.acquire(tmp_path, now=NOW)
        assert holder(tmp_path) == Holder(os.getpid(), NOW)
    assert str(caught.value) == (
        f"Reelay already runs on {tmp_path} (process {os.getpid()}, started 2026-11-18 11:06 UTC). "
        "Stop that one first, or give this one a folder of its own with REELAY_DATA_DIR."
    )
    assert caught.value.facts["pid"] == os.getpid()
    assert holder(tmp_path) is None
    InstanceLock.acquire(tmp_path, now=NOW).release()


def test_two_folders_are_two_locks(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with InstanceLock.acquire(tmp_path / "a", now=NOW), InstanceLock.acquire(tmp_path / "b", now=NOW):
        pass


def test_kill_nine_lets_go(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"mine\n"
        with pytest.raises(AlreadyRunning, match=f"process {process.pid}, started"):
            InstanceLock.acquire(tmp_path, now=NOW)
        assert holder(tmp_path) == Holder(process.pid, NOW)
        process.kill()
        process.wait(10)
    assert (tmp_path / LOCK_NAME).exists()
    assert holder(tmp_path) is None
    InstanceLock.acquire(tmp_path, now=NOW).release()


def test_a_child_process_does_not_inherit_it(tmp_path: Path) -> None:
    lock = InstanceLock.acquire(tmp_path, now=NOW)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False) as child:
        lock.release()
        InstanceLock.acquire(tmp_path, now=NOW).release()
        child.communicate(b"\n", timeout=20)


@pytest.mark.parametrize("content", [b"", b"{", b'{"pid": "x"}', b"[]", b"\xff" * 2000])
def test_a_damaged_lock_file_only_costs_the_message(tmp_path: Path, content: bytes) -> None:
    lock = InstanceLock.acquire(tmp_path, now=NOW)
    (tmp_path / LOCK_NAME).write_bytes(content)
    with pytest.raises(AlreadyRunning, match="another process"):
        InstanceLock.acquire(tmp_path, now=NOW)
    lock.release()
    lock.release()
    with InstanceLock.acquire(tmp_path, now=NOW):
        assert holder(tmp_path) == Holder(os.getpid(), NOW)


def test_it_is_private_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).touch(0o644)
    InstanceLock.acquire(tmp_path, now=NOW).release()
    assert (tmp_path / LOCK_NAME).stat().st_mode & 0o777 == 0o600
    (tmp_path / LOCK_NAME).unlink()
    (tmp_path / "victim").write_text("keep me")
    (tmp_path / LOCK_NAME).symlink_to(tmp_path / "victim")
    with pytest.raises(DatabaseFault):
        InstanceLock.acquire(tmp_path, now=NOW)
    assert (tmp_path / "victim").read_text() == "keep me"


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseFault, match=r"cannot use the data folder .*nowhere: No such file"):
        InstanceLock.acquire(tmp_path / "nowhere", now=NOW)
    assert holder(tmp_path / "nowhere") is None
