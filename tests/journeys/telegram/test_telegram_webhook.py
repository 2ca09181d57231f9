"""Other ways in and out: the webhook, the operator's own Bot API server, a proxy; and the token, which none of them shows."""

from __future__ import annotations

import json
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.journeys.telegram.house import House
from tests.lab.clips import clip_bytes
from tests.lab.server import Simulator
from tests.lab.telegram import Telegram, picture
from tests.lab.vendor import Script, Vendor
from tests.lab.waiting import until

pytestmark = pytest.mark.journey

SECRET = "the-secret-of-the-hook_0123456789"
PUBLIC = "https://clips.example"
HOOK = {"TELEGRAM_WEBHOOK_SECRET": SECRET, "REELAY_PUBLIC_URL": PUBLIC}


class HookHouse(House):
    """Updates come by webhook; the operator's reverse proxy leads to wherever the process is now."""

    def start(self, *, environ: dict[str, str] | None = None, **options: object) -> None:
        self.reelay.environ.update(environ or {})
        self.reelay.launch()
        self.telegram.hooks.proxies[PUBLIC] = self.reelay.url
        self.reelay.wait_ready()
        self.wait_connected()

    def wait_connected(self) -> None:
        """Wait until Telegram knows the address, or polls."""
        hooked = "TELEGRAM_WEBHOOK_SECRET" in self.reelay.environ
        wanted = f"{PUBLIC}/hooks/telegram" if hooked else ""
        queue = self.telegram.queue
        until(lambda: queue.hook.url == wanted and (hooked or queue.polls == 1), 30, "the way in")


Making = Callable[..., House]


@pytest.fixture
def made(make: Callable[..., object], tmp_path: Path) -> Iterator[Making]:
    """Houses of other kinds than the usual."""
    with ExitStack() as stack:

        def build(kind: type[House], environ: dict[str, str], *, local: bool = False) -> House:
            telegram = stack.enter_context(Telegram(local=local))
            vendor = stack.enter_context(Vendor(default=Script(seconds=0.2)))
            folder = {"TELEGRAM_LOCAL_FOLDER": str(telegram.folder)} if local else {}
            house = kind(telegram, vendor, make, tmp_path, environ=folder | environ)  # type: ignore[arg-type]
            stack.callback(house.reelay.end)
            return house

        yield build


def post(url: str, body: bytes, secret: str | None) -> int:
    """The status of a call to the webhook."""
    headers = {"Content-Type": "application/json"}
    if secret is not None:
        headers["X-Telegram-Bot-Api-Secret-Token"] = secret
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)


# ---------------------------------------------------------------------------------------------------------------------------- the webhook


def test_clips_come_by_webhook_and_polling_takes_over_when_it_is_switched_off(made: Making) -> None:
    house = made(HookHouse, HOOK)
    house.start()
    house.clip_of(house.video("a fox"))
    card = house.card_of(house.ada.photo(picture(), "it moves"))
    again = house.ada.press(house.clip_of(card), "Again")
    until(lambda: again.answered, what="the answer")
    until(lambda: len(house.clips_in()) == 3, 30, "the third clip")
    assert house.requests("getUpdates") == []
    house.reelay.wait_quiet()
    house.stop()
    assert house.telegram.queue.hook.url, "a stop leaves it: Telegram keeps what comes meanwhile"
    said = house.ada.say("a lynx")
    del house.reelay.environ["TELEGRAM_WEBHOOK_SECRET"]
    with closing(sqlite3.connect(house.reelay.data / "reelay.db")) as database, database:
        database.execute(
            "INSERT INTO alerts (cause, since, text) VALUES ('telegram webhook', 1, 'it was out of reach')"
        )
    house.start()
    house.clip_of(house.card_of(said))
    until(lambda: house.reelay.alerts() == [], 20, "the end of an alert that is about the webhook")
    assert house.jobs() == 4
    house.end()


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET[:-1], SECRET + "x", "\xfc"])
def test_without_the_secret_nothing_is_taken(made: Making, secret: str | None) -> None:
    house = made(HookHouse, HOOK)
    house.start()
    said = house.ada.say("a fox")
    house.clip_of(house.card_of(said))
    told = next(each for each in house.telegram.queue.told if each.kind == "message" and "text" in each.payload)
    body = json.dumps({"update_id": 4711, "message": told.payload}).encode()
    url = f"{house.reelay.url}/hooks/telegram"
    assert post(url, body, secret) == 401
    assert house.reelay.value("SELECT COUNT(*) FROM inbox WHERE update_id LIKE '%4711'") == 0
    assert house.jobs() == 1
    if secret is None:
        assert post(url, b"{", SECRET) == 400
        assert post(url, b"[]", SECRET) == 400
        assert post(url, b" " * (2 << 20), SECRET) == 413
        assert post(url, b'{"update_id": 5, "message": {"date": 1e999}}', SECRET) == 200, "or it would come for ever"
    house.end()


def test_telegram_is_told_yes_only_when_the_update_is_kept(made: Making) -> None:
    """Somebody holds the database, then the process is killed: Telegram comes again, and there is one job."""
    house = made(HookHouse, HOOK)
    house.start()
    holder = sqlite3.connect(house.reelay.data / "reelay.db", isolation_level=None, timeout=10)
    holder.execute("BEGIN IMMEDIATE")
    said = house.ada.say("a fox")
    until(lambda: any(each.taken for each in house.telegram.queue.waiting), what="the delivery")
    assert house.telegram.journal.of("hook")[-1:] == [] or all(
        line["id"] != int(house.update_of(said)) or line["complaint"] for line in house.telegram.journal.of("hook")
    )
    house.reelay.kill()
    holder.execute("ROLLBACK")
    holder.close()
    house.restart()
    house.clip_of(house.card_of(said), 40)
    until(lambda: not house.telegram.queue.waiting, what="the confirmation")
    assert house.jobs() == 1
    house.end()


def test_an_update_that_was_kept_when_the_answer_was_lost_is_one_job(made: Making) -> None:
    house = made(HookHouse, HOOK)
    house.start()
    house.kill_at("received")
    said = house.ada.say("a fox")
    house.reelay.wait_killed()
    house.restart()
    house.clip_of(house.card_of(said), 40)
    until(lambda: not house.telegram.queue.waiting, what="the confirmation")
    assert house.jobs() == 1
    assert len(house.ada.received()) == 1
    house.end()


# --------------------------------------------------------------------------------------------------------------- a server of one's own


def test_a_local_server_hands_pictures_over_as_files_and_takes_large_clips_whole(
    made: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = made(House, {"TELEGRAM_LOCAL_SERVER": "yes"}, local=True)
    house.start()
    box = 51_000_000
    whole = clip_bytes() + (box + 8).to_bytes(4, "big") + b"free" + bytes(box)
    monkeypatch.setattr("tests.lab.billing.clip_bytes", lambda *_, **__: whole)
    card = house.card_of(house.ada.photo(picture(), "it moves"))
    seen = house.clip_of(card, 60)
    assert seen.clip is not None
    assert seen.clip.size == len(whole)
    assert "smaller" not in seen.text
    (job,) = house.submitted("it moves")
    assert job.picture is not None
    assert house.telegram.journal.of("download") == []
    house.end()


def test_a_file_outside_the_local_folder_is_never_read(made: Making, tmp_path: Path) -> None:
    house = made(House, {"TELEGRAM_LOCAL_SERVER": "yes", "TELEGRAM_LOCAL_FOLDER": str(tmp_path)}, local=True)
    house.start()
    card = house.card_of(house.ada.photo(picture(), "it moves"))
    house.shows(card, "no longer kept", 40)
    house.end()


# ------------------------------------------------------------------------------------------------------------------------------- a proxy


class Proxy(Simulator):
    """An HTTP proxy that wants a login, and hands everything on."""

    def __init__(self) -> None:
        super().__init__()
        self.passed: list[str] = []

    def routes(self, app: web.Application) -> None:
        app.router.add_route("*", "/{rest:.*}", self._pass)

    async def _pass(self, request: web.Request) -> web.Response:
        if not request.headers.get("Proxy-Authorization", "").startswith("Basic "):
            return web.Response(status=407)
        self.passed.append(request.path.rpartition("/")[2])
        kept = {name: text for name, text in request.headers.items() if name in ("Content-Type", "User-Agent")}
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, request.url, data=await request.read(), headers=kept) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)


def test_every_call_goes_through_the_proxy_and_its_login_is_no_news_either(made: Making) -> None:
    with Proxy() as proxy:
        login = proxy.url.replace("//", "//reader:proxy-password-4711@")
        house = made(House, {"TELEGRAM_PROXY": login})
        house.start()
        house.clip_of(house.card_of(house.ada.photo(picture(), "it moves")))
        house.reelay.wait_quiet()
        asked = [line["operation"] for line in house.telegram.journal.requests()]
        assert {"getMe", "getUpdates", "sendMessage", "editMessageMedia", "getFile"} <= set(proxy.passed)
        assert len([each for each in proxy.passed if each in asked]) >= len(asked)
        assert len(proxy.passed) >= len(asked) + 1, "the picture too"
        house.end()
        assert "proxy-password-4711" not in house.reelay.text


# ----------------------------------------------------------------------------------------------------------------------------- the token


def test_the_token_and_the_secret_of_the_hook_are_nowhere(made: Making) -> None:
    house = made(HookHouse, HOOK)
    house.start()
    port = house.telegram.port
    for method in ("sendMessage", "editMessageText", "editMessageMedia", "download", "getFile", "setMessageReaction"):
        house.telegram.on(method).cut_before()
    house.clip_of(house.card_of(house.ada.photo(picture(), "it moves")), 60)
    house.telegram.stop()
    said = [house.reelay.http(path)[1] for path in ("/readyz", "/metrics", "/healthz", "/")]
    house.telegram.start(port)
    house.reelay.wait_quiet()
    assert house.reelay.stop() == 0
    said += [path.read_bytes() for path in house.reelay.folder.rglob("*") if path.is_file()]
    said.append(house.reelay.text.encode())
    for secret in (house.telegram.token, house.telegram.token.partition(":")[2], SECRET):
        assert not any(secret.encode() in each for each in said)
