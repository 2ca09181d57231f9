"""Pictures from Telegram: streamed and capped, from its server or from a local one's folder, and from nowhere else."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from bot.platforms.telegram import files
from bot.platforms.telegram.files import Files
from bot.platforms.telegram.transport import AiohttpRequest
from core.errors import Forbidden, Gone, PlatformError, TooLarge, Unreachable
from tests.platforms.telegram_loopback import TOKEN, Answer, answer, cut, loopback, silence, tells

PICTURE = bytes(range(256)) * 1000


async def whole(source: Files, path: str, most: int = 1_000_000) -> bytes:
    return b"".join([chunk async for chunk in source.open(path, most)])


async def refused(source: Files, path: str, most: int = 1_000_000) -> PlatformError:
    with pytest.raises(PlatformError) as found:
        await whole(source, path, most)
    assert tells(found.value) is None
    return found.value


async def test_a_picture_comes_from_the_bots_own_files() -> None:
    async with loopback(**{"1%20%D0%B6.jpg": answer("200 OK", PICTURE)}) as server, AiohttpRequest() as request:
        assert await whole(Files(request, server.root, TOKEN), "photos/1 ж.jpg") == PICTURE
        assert server.requests[0].line == f"GET /file/bot{TOKEN}/photos/1%20%D0%B6.jpg HTTP/1.1"


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../b",
        "a/./b",
        "a//b",
        "..",
        "",
        "a\\..\\b",
        "photos/",
        "…/.../x",
        "/etc/passwd",
        "//host/x",
        "file:///etc/passwd",
    ],
)
async def test_no_path_leads_out_of_them(path: str) -> None:
    async with loopback() as server, AiohttpRequest() as request:
        assert isinstance(await refused(Files(request, server.root, TOKEN), path), Forbidden)
        assert server.requests == []


async def test_what_looks_like_an_address_or_a_query_is_a_name_like_any_other() -> None:
    async with loopback() as server, AiohttpRequest() as request:
        await whole(Files(request, server.root, TOKEN), "a?b#c%2e%2e:d@e")
        assert server.requests[0].line == f"GET /file/bot{TOKEN}/a%3Fb%23c%252e%252e%3Ad%40e HTTP/1.1"


async def test_more_than_a_picture_may_have_is_left_in_the_middle() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while not writer.is_closing():
            writer.write(bytes(50_000))
            await writer.drain()

    said: dict[str, Answer] = {"told.jpg": answer("200 OK", PICTURE), "untold.jpg": endless}
    async with loopback(**said) as server, AiohttpRequest() as request:
        source = Files(request, server.root, TOKEN)
        assert isinstance(await refused(source, "told.jpg", len(PICTURE) - 1), TooLarge)
        assert isinstance(await refused(source, "untold.jpg"), TooLarge)
        assert await whole(source, "told.jpg", len(PICTURE)) == PICTURE


async def test_each_failure_has_its_name_and_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FETCH_SECONDS", 0.3)
    said: dict[str, Answer] = {
        "expired": answer("404 Not Found", f"no bot{TOKEN}".encode()),
        "broken": answer("502 Bad Gateway", b""),
        "elsewhere": answer("302 Found", b"", "Location: http://127.0.0.1:1/x"),
        "cut": cut,
        "half": answer("200 OK", PICTURE)[:-9],
        "silent": silence,
    }
    async with loopback(**said) as server, AiohttpRequest() as request:
        source = Files(request, server.root, TOKEN)
        for name in said:
            assert isinstance(await refused(source, name), Gone if name == "expired" else Unreachable), name
    async with AiohttpRequest() as request:
        assert isinstance(await refused(Files(request, "http://127.0.0.1:1", TOKEN), "a"), Unreachable)
    assert isinstance(await refused(Files(request, "http://127.0.0.1:1", TOKEN), "a"), Unreachable), "closed"


async def test_downloads_take_connections_of_the_pool_and_give_them_back() -> None:
    async with loopback(a=answer("200 OK", PICTURE)) as server, AiohttpRequest(2) as request:
        source = Files(request, server.root, TOKEN)
        assert await asyncio.gather(*(whole(source, "a") for _ in range(6))) == [PICTURE] * 6
        assert server.connections == 2
        for _ in range(3):
            await refused(source, "a", 100)
        async for _ in source.open("a"):
            break
        assert await asyncio.gather(*(whole(source, "a") for _ in range(2))) == [PICTURE] * 2


async def test_a_local_servers_file_is_read_below_its_folder_and_nowhere_else(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    own = folder / TOKEN / "photos"
    own.mkdir(parents=True)
    (own / "1.jpg").write_bytes(PICTURE)
    (tmp_path / "secret").write_text("secret")
    (own / "link.jpg").symlink_to(tmp_path / "secret")
    (own / "near.jpg").symlink_to(own / "1.jpg")
    (tmp_path / "server-too").mkdir()
    (tmp_path / "server-too" / "x").write_text("secret")
    os.mkfifo(own / "pipe")
    async with AiohttpRequest() as request:
        source = Files(request, "http://127.0.0.1:1", TOKEN, folder)
        assert await whole(source, str(own / "1.jpg")) == PICTURE
        assert await whole(source, str(own / "near.jpg")) == PICTURE
        assert isinstance(await refused(source, str(own / "1.jpg"), 1000), TooLarge)
        assert isinstance(await refused(source, str(own / "gone.jpg")), Gone)
        for path in (
            own / "link.jpg",
            own / "pipe",
            own,
            folder,
            tmp_path / "secret",
            tmp_path / "server-too" / "x",
            f"{folder}/../secret",
            "/etc/passwd",
            "/dev/zero",
        ):
            assert isinstance(await refused(source, str(path)), Forbidden), path
