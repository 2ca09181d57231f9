"""The admin socket: one question, one answer, nobody else, and a sentence for everything that can go wrong on the way."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot import admin_socket
from bot.admin_socket import SOCKET_NAME, AdminSocket, FellSilent, NobodyAnswers, Refused, ask
from core.errors import DiskFull, NotFound


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


async def echo(verb: str, args: Mapping[str, Any]) -> dict[str, Any]:
    return {"verb": verb, "args": dict(args)}


async def asked(folder: Path, verb: str = "look", **args: Any) -> dict[str, Any]:
    return await asyncio.to_thread(ask, folder, verb, args)


async def raw(folder: Path, *pieces: bytes) -> dict[str, Any]:
    reader, writer = await asyncio.open_unix_connection(str(folder / SOCKET_NAME), limit=1 << 20)
    for piece in pieces:
        writer.write(piece)
    line = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    answer: dict[str, Any] = json.loads(line or b"{}")
    return answer


async def test_it_answers_and_only_its_owner_may_ask(tmp_path: Path) -> None:
    door = await AdminSocket.open(tmp_path, echo)
    assert await asked(tmp_path, "grüße", who="名") == {"verb": "grüße", "args": {"who": "名"}}
    mode = (tmp_path / SOCKET_NAME).stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    assert names(tmp_path) == [SOCKET_NAME]
    await door.close()
    await door.close()
    assert names(tmp_path) == []
    with pytest.raises(NobodyAnswers):
        await asked(tmp_path)


async def test_a_dead_ones_socket_is_known_as_such_and_replaced(tmp_path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(str(tmp_path / SOCKET_NAME))
    dead.close()
    with pytest.raises(NobodyAnswers):
        await asked(tmp_path)
    door = await AdminSocket.open(tmp_path, echo)
    assert (await asked(tmp_path))["verb"] == "look"
    await door.close()


async def test_a_path_longer_than_a_sockets_may_be(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 90) / ("e" * 90)
    folder.mkdir(parents=True)
    assert len(os.fsencode(folder)) > 200
    door = await AdminSocket.open(folder, echo)
    assert (await asked(folder))["verb"] == "look"
    assert names(folder) == [SOCKET_NAME]
    await door.close()
    assert names(folder) == []


@pytest.mark.parametrize(
    "line", [b"hello\n", b"[]\n", b"{}\n", b'{"verb": 1, "args": {}}\n', b'{"verb": "x", "args": []}\n', b"\xff\n"]
)
async def test_what_is_no_command_is_told_so(tmp_path: Path, line: bytes) -> None:
    door = await AdminSocket.open(tmp_path, echo)
    answer = await raw(tmp_path, line)
    assert (answer["ok"], answer["code"]) == (False, "INVALID_REQUEST")
    assert (await asked(tmp_path))["verb"] == "look"
    await door.close()


async def test_an_endless_line_is_refused_without_being_kept(tmp_path: Path) -> None:
    door = await AdminSocket.open(tmp_path, echo)
    answer = await raw(tmp_path, b'{"verb": "' + b"x" * (2 * admin_socket.MOST_ASKED) + b'"}\n')
    assert str(admin_socket.MOST_ASKED) in answer["text"]
    await door.close()


async def test_errors_come_as_sentences_with_their_code(tmp_path: Path) -> None:
    async def answer(verb: str, args: Mapping[str, Any]) -> dict[str, Any]:
        raise {"gone": NotFound("there is no job 7"), "full": DiskFull("no room"), "bug": ZeroDivisionError("secret")}[
            verb
        ]

    door = await AdminSocket.open(tmp_path, answer)
    for verb, code, text in (
        ("gone", "NOT_FOUND", "there is no job 7"),
        ("full", "DISK_FULL", "no room"),
        ("bug", "INTERNAL", "log"),
    ):
        with pytest.raises(Refused, match=text) as caught:
            await asked(tmp_path, verb)
        assert caught.value.code == code
        assert "secret" not in str(caught.value)
    await door.close()


async def test_a_verb_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = asyncio.Event()

    async def answer(verb: str, args: Mapping[str, Any]) -> dict[str, Any]:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return {}

    monkeypatch.setattr(admin_socket, "DEADLINES", {"slow": 0.1})
    door = await AdminSocket.open(tmp_path, answer)
    with pytest.raises(Refused) as caught:
        await asked(tmp_path, "slow")
    assert caught.value.code == "TIMEOUT"
    assert ended.is_set()
    await door.close()


async def test_a_caller_that_says_nothing_is_hung_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_socket, "READ_SECONDS", 0.1)
    door = await AdminSocket.open(tmp_path, echo)
    assert await raw(tmp_path, b'{"verb"') == {}
    await door.close()


async def test_too_many_at_once_are_told_to_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_socket, "MOST_AT_ONCE", 2)
    free, full, inside = asyncio.Event(), asyncio.Event(), 0

    async def answer(verb: str, args: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal inside
        inside += 1
        if inside == 2:
            full.set()
        await free.wait()
        return {}

    door = await AdminSocket.open(tmp_path, answer)
    first = [asyncio.create_task(asked(tmp_path)) for _ in range(2)]
    await asyncio.wait_for(full.wait(), 10)
    with pytest.raises(Refused) as caught:
        await asked(tmp_path)
    assert caught.value.code == "BUSY"
    free.set()
    assert await asyncio.gather(*first) == [{}, {}]
    await door.close()


async def test_a_process_that_ends_meanwhile_leaves_no_doubt_about_the_doubt(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def answer(verb: str, args: Mapping[str, Any]) -> dict[str, Any]:
        begun.set()
        await asyncio.Event().wait()
        return {}

    door = await AdminSocket.open(tmp_path, answer)
    asking = asyncio.create_task(asked(tmp_path))
    await begun.wait()
    await door.close()
    with pytest.raises(FellSilent, match="effect"):
        await asking


async def test_a_stranger_on_the_socket_is_not_believed(tmp_path: Path) -> None:
    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"220 welcome\n")
        writer.close()

    server = await asyncio.start_unix_server(stranger, str(tmp_path / SOCKET_NAME))
    with pytest.raises(FellSilent, match="no Reelay"):
        await asked(tmp_path)
    server.close()
