"""The guards of tests/conftest.py can fail."""

from __future__ import annotations

import socket
import tempfile
import time
from pathlib import Path

import pytest
from blockbuster import BlockingError

from bot import setting_sources


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "169.254.169.254"])
def test_a_test_that_connects_beyond_loopback_is_stopped(address: str, reached: list[str]) -> None:
    with socket.socket() as sock, pytest.raises(RuntimeError, match="beyond loopback"):
        sock.connect((address, 80))
    assert reached
    reached.clear()


def test_a_test_that_looks_a_name_up_is_stopped(reached: list[str]) -> None:
    with pytest.raises(RuntimeError, match="beyond loopback"):
        socket.getaddrinfo("example.org", 80)
    reached.clear()


def test_loopback_is_near() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        assert socket.getaddrinfo("localhost", 80)


async def test_code_of_ours_that_blocks_the_loop_is_stopped(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1")
    with pytest.raises(BlockingError):
        setting_sources.gather({}, tmp_path / ".env")


@pytest.mark.blocks("shows that the mark works")
async def test_a_mark_lets_it_block(tmp_path: Path) -> None:
    assert setting_sources.gather({}, tmp_path / ".env") == ({}, [])


async def test_a_test_itself_may_block() -> None:
    time.sleep(0)  # noqa: ASYNC251  # the point
    with tempfile.TemporaryFile() as file:
        file.write(b"x")
