"""What holds for every test: its own environment, nothing beyond loopback, no blocking call of ours on an event loop."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from blockbuster import BlockBuster
from hypothesis import settings as hypothesis_settings

from bot.setting_list import SETTINGS
from tests.lab.nursery import Nursery

MEMORY = Path("/dev/shm")
ROOM = 4 << 30
if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    # Every commit waits for the disk, and no test pulls the plug: kill -9 loses nothing that was written, on a disk of memory neither.
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

Nursery.of_this_run = Nursery()

gc.disable()  # what collecting the tests makes stays: it is looked through neither now nor with the garbage of each test


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for processes of its own comes first: the rest fills its pauses, and no long file is left for one process at the end."""
    items.sort(key=lambda item: "journeys" not in item.path.parts)


def pytest_collection_finish() -> None:
    """The tests are known."""
    gc.freeze()
    gc.enable()


OURS = ["bot", "core", "media", "providers", "storage"]

for _name in (setting.name for setting in SETTINGS):
    os.environ.pop(_name, None)
    os.environ.pop(f"{_name}_FILE", None)
for _name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
    os.environ.pop(_name, None)
    os.environ.pop(_name.lower(), None)

# A shared machine is slow at times: what takes long is the test's own business (pytest-timeout), not hypothesis'.
hypothesis_settings.register_profile("reelay", deadline=None, print_blob=True)
hypothesis_settings.load_profile("reelay")

_reached: list[str] = []


def _is_near(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str):
        return host is None
    if host in {"", "localhost"} or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host.split("%")[0])
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def _is_literal(host: object) -> bool:
    try:
        ip_address(str(host))
    except ValueError:
        return False
    return True


def _guard(event: str, args: tuple[Any, ...]) -> None:
    """Stop a connection or look-up that would leave this machine, and remember it, in case the code under test swallows the error."""
    if event in {"socket.connect", "socket.sendto"}:
        address = args[1]
        host = address[0] if isinstance(address, tuple) else None  # a Unix socket has a path for an address
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = None if _is_literal(args[0]) else args[0]  # reading a literal asks nobody
    else:
        return
    if not _is_near(host):
        _reached.append(f"{event} {host!r}")
        raise RuntimeError(f"a test reached beyond loopback: {event} {host!r}")


sys.addaudithook(_guard)


@pytest.fixture
def reached() -> list[str]:
    """What the test reached for beyond loopback; a test that expects it clears the list."""
    return _reached


@pytest.fixture(autouse=True)
def _stays_on_loopback() -> Iterator[None]:
    _reached.clear()
    yield
    assert not _reached, f"reached beyond loopback: {_reached}"


@pytest.fixture(scope="session")
def _guarded_calls() -> BlockBuster:
    """Built once: finding all the calls takes ten times as long as guarding them."""
    calls = BlockBuster(OURS)
    for function in calls.functions.values():
        function.can_block_in("bot/log_writer.py", {"put"})  # a lock that is held for an append, never across a write
    return calls


@pytest.fixture(autouse=True)
def _blocks_no_loop(request: pytest.FixtureRequest, _guarded_calls: BlockBuster) -> Iterator[None]:
    """Fail a test in which code of ours blocks the event loop: files, sleeps, locks, sockets, SQLite."""
    if request.node.get_closest_marker("blocks"):
        yield
        return
    _guarded_calls.activate()
    try:
        yield
    finally:
        _guarded_calls.deactivate()


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_encodable(name): _encodable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        each = map(_encodable, value)
        return tuple(each) if isinstance(value, tuple) else list(each)
    return value


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """A report goes from process to process as UTF-8; what a test about hostile text wrote, and pytest kept, may not be."""
    return _encodable((yield))
