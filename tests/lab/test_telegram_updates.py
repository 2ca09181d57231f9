"""How updates come: by poll with offsets, by webhook, once more when nobody confirmed them, and not for ever."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.lab.telegram import Person, Telegram
from tests.lab.telegram_raw import RawBot
from tests.lab.waiting import until

Json = dict[str, Any]


@pytest.fixture
def telegram() -> Iterator[Telegram]:
    with Telegram() as found:
        found.queue.slowing = False
        yield found


@pytest.fixture
def bot(telegram: Telegram) -> RawBot:
    return RawBot(telegram)


@pytest.fixture
def ada(telegram: Telegram) -> Person:
    return telegram.add_person("ada")


def texts(updates: list[Json]) -> list[str]:
    return [each["message"]["text"] for each in updates]


class Poll:
    """A poll in a thread."""

    def __init__(self, bot: RawBot, **params: Any) -> None:
        self.answer: Json = {}
        self.seconds = 0.0
        self._bot, self._params = bot, params
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        begun = time.monotonic()
        self.answer = self._bot.call("getUpdates", **self._params)
        self.seconds = time.monotonic() - begun

    def end(self) -> Json:
        self._thread.join(20)
        return self.answer


def test_what_is_not_confirmed_is_told_again(bot: RawBot, ada: Person) -> None:
    ada.say("one")
    ada.say("two")
    first = bot.updates()
    assert texts(first) == ["one", "two"] == texts(bot.updates())
    assert first[1]["update_id"] == first[0]["update_id"] + 1
    assert texts(bot.updates(offset=first[0]["update_id"] + 1)) == ["two"] == texts(bot.updates())
    assert bot.updates(offset=first[1]["update_id"] + 1) == [] == bot.updates()
    for word in "abc":
        ada.say(word)
    assert texts(bot.updates(offset=-1)) == ["c"], "all before it are forgotten"
    assert len(bot.updates(limit=1)) == 1
    confirmed = [each for line in bot.telegram.journal.of("confirmed") for each in line["ids"]]
    assert len(confirmed) == 4


def test_a_poll_waits_for_news(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    poll = Poll(bot, timeout=10)
    until(lambda: telegram.queue.polls == 1)
    ada.say("now")
    assert texts(poll.end()["result"]) == ["now"]
    assert poll.seconds < 5
    begun = time.monotonic()
    assert bot.updates(offset=poll.answer["result"][0]["update_id"] + 1, timeout=1) == []
    assert time.monotonic() - begun >= 1


def test_the_older_of_two_pollers_is_cut_off(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    older = Poll(bot, timeout=10)
    until(lambda: telegram.queue.polls == 1)
    newer = Poll(bot, timeout=10)
    said = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    assert (older.end()["error_code"], older.answer["description"]) == (409, said)
    ada.say("now")
    assert texts(newer.end()["result"]) == ["now"]


def test_a_poll_ends_with_its_caller(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    with socket.create_connection(("127.0.0.1", telegram.port)) as caller:
        caller.sendall(f"GET /bot{telegram.token}/getUpdates?timeout=50 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        until(lambda: telegram.queue.polls == 1)
    until(lambda: telegram.queue.polls == 0)
    ada.say("nobody took it")
    assert texts(bot.updates()) == ["nobody took it"]


def test_a_poll_ends_with_its_token(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    poll = Poll(bot, timeout=10)
    until(lambda: telegram.queue.polls == 1)
    telegram.revoke_token()
    assert poll.end() == {"ok": False, "error_code": 401, "description": "Unauthorized"}
    ada.say("still kept")
    assert texts(bot.updates()) == ["still kept"], "the new token is that of the same bot"


def test_the_server_goes_away_and_comes_back(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    assert bot.updates() == []
    port = telegram.port
    telegram.stop()
    with pytest.raises(OSError):
        bot.updates()
    ada.say("meanwhile")
    telegram.start(port)
    poll = Poll(bot, timeout=10, offset=bot.updates()[0]["update_id"] + 1)
    until(lambda: telegram.queue.polls == 1)
    ada.say("since")
    assert texts(poll.end()["result"]) == ["since"]


def test_a_poll_that_does_not_wait_cuts_nobody_off(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    older = Poll(bot, timeout=10)
    until(lambda: telegram.queue.polls == 1)
    assert bot.updates() == []
    ada.say("now")
    assert texts(older.end()["result"]) == ["now"]


def test_a_quarrel_is_slowed(telegram: Telegram, bot: RawBot) -> None:
    telegram.queue.slowing = True
    assert bot.result("setWebhook", url="https://clips.example/hook")
    begun = time.monotonic()
    assert "webhook is active" in bot.refusal("getUpdates")
    assert time.monotonic() - begun < 2
    assert "webhook is active" in bot.refusal("getUpdates")
    assert time.monotonic() - begun >= 3


def test_a_webhook_shuts_polling_out(telegram: Telegram, bot: RawBot) -> None:
    poll = Poll(bot, timeout=10)
    until(lambda: telegram.queue.polls == 1)
    assert bot.result("setWebhook", url="https://clips.example/hook")
    assert poll.end()["description"] == "Conflict: terminated by setWebhook request"
    said = (
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
    )
    assert bot.refusal("getUpdates") == said
    assert bot.result("deleteWebhook")
    assert bot.updates() == []


def test_repeated_polls_are_slowed(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    telegram.queue.slowing = True
    ada.say("one")
    ada.say("two")
    assert texts(bot.updates(offset=1)) == ["one", "two"]
    assert texts(bot.updates(offset=1)) == ["one"], "a poll of the same offset at once gets one"


def test_kinds_are_chosen_and_stay_chosen(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    mine = ada.say("one")
    ada.edit(mine, "two")
    ada.react(mine, "👍")
    assert [set(each) - {"update_id"} for each in bot.updates()] == [{"message"}, {"edited_message"}]
    bot.updates(offset=-1, allowed_updates=["message_reaction"])
    ada.react(mine, "👎")
    ada.say("three")
    found = bot.updates()
    assert found[-1]["message_reaction"]["new_reaction"] == [{"type": "emoji", "emoji": "👎"}]
    bot.updates(offset=found[-1]["update_id"] + 1, allowed_updates=[])
    ada.say("four")
    assert texts(bot.updates()) == ["four"]


def test_numbers_begin_anew_after_a_week_and_nothing_is_kept_for_two_days(
    telegram: Telegram, bot: RawBot, ada: Person
) -> None:
    ada.say("one")
    old = bot.updates()[0]["update_id"]
    telegram.clock.advance(23 * 3600)
    assert texts(bot.updates()) == ["one"]
    telegram.clock.advance(2 * 3600)
    assert bot.updates() == []
    telegram.clock.advance(8 * 86400)
    ada.say("two")
    new = bot.updates()[0]["update_id"]
    assert new != old + 1
    stale = new + 100_000
    assert texts(bot.updates(offset=stale)) == ["two"], "an offset from before the numbers began anew says nothing"
    bot.updates(offset=new + 1)
    telegram.queue.again(new)
    assert [each["update_id"] for each in bot.updates()] == [new], "told twice"


# ------------------------------------------------------------------------------------------------------------------------- webhooks


class Hook:
    """Somebody's server: answers with the statuses that it is given, then 200."""

    def __init__(self, *statuses: int) -> None:
        self.statuses, self.got = list(statuses), list[tuple[str | None, Json]]()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.got.append((self.headers["X-Telegram-Bot-Api-Secret-Token"], body))
                self.send_response(hook.statuses.pop(0) if hook.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the library
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(5)


def test_a_webhook_is_tried_until_it_answers_2xx(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    hook = Hook(500, 403)
    try:
        telegram.hooks.proxies["https://clips.example"] = hook.url
        telegram.hooks.first_retry = 0.1
        ada.say("before")
        assert bot.result("setWebhook", url="https://clips.example/hook", secret_token="s-1", max_connections=1)
        until(lambda: len(hook.got) == 3)
        until(lambda: not telegram.queue.waiting)
        ada.say("after")
        until(lambda: len(hook.got) == 4)
        assert {secret for secret, _ in hook.got} == {"s-1"}
        assert texts([body for _, body in hook.got]) == ["before"] * 3 + ["after"]
        times = [line["at"] for line in telegram.journal.of("hook")]
        assert times[1] - times[0] >= 0.1, "not at once again"
        assert times[2] - times[1] >= 0.2
        info = bot.result("getWebhookInfo")
        assert info["last_error_message"] == "Wrong response from the webhook: 403 Forbidden"
        assert (info["url"], info["max_connections"]) == ("https://clips.example/hook", 1)
    finally:
        hook.close()


@pytest.mark.parametrize(
    "url, words",
    [
        ("http://clips.example/hook", "An HTTPS URL must be provided for webhook"),
        ("https://clips.example:8080/hook", "Webhook can be set up only on ports 80, 88, 443 or 8443"),
        ("https://127.0.0.1/hook", "IP address 127.0.0.1 is reserved"),
        ("nowhere", "URL host is empty"),
    ],
)
def test_where_a_webhook_may_be(url: str, words: str, telegram: Telegram, bot: RawBot) -> None:
    assert f"Bad Request: bad webhook: {words}"[:40] in bot.refusal("setWebhook", url=url)
    assert "unallowed characters" in bot.refusal("setWebhook", url="https://clips.example", secret_token="ä")
    telegram.shelf.local = True
    if "127" in url:
        assert bot.result("setWebhook", url="http://127.0.0.1:9/hook")
        until(lambda: not telegram.queue.waiting)
