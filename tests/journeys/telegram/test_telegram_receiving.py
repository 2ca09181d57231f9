"""Updates that come oddly, late, twice or not at all: none ends the loop, none is carried out twice, and ``/readyz`` tells the truth."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from typing import Any, Self

import pytest

from tests.journeys.telegram.house import House
from tests.lab.telegram.updates import Pending
from tests.lab.waiting import until

pytestmark = pytest.mark.journey

HASTE = 20


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Pauses between two polls pass quickly."""
    return {"LAB_HASTE": str(HASTE)}


def broken(home: House) -> dict[str, str]:
    """What ``/readyz`` says is not ready, and why."""
    said = json.loads(home.reelay.http("/readyz")[1])
    return {each["part"]: each["why"] for each in said["broken"]}


def polls(home: House) -> int:
    """How often updates were asked for, with any result."""
    return len(home.telegram.journal.requests("getUpdates"))


def push(home: House, *updates: dict[str, Any]) -> list[Pending]:
    """Updates of any shape, which nobody holds against the document."""
    queue, made = home.telegram.queue, []
    for said in updates:
        (kind,) = said
        pending = Pending(queue.next_id, kind, said[kind], queue.clock())
        queue.next_id += 1
        queue.waiting.append(pending)
        made.append(pending)
    queue.wake()
    return made


def swallowed(home: House) -> None:
    """Everything was confirmed, and that the lab told what Telegram never would is forgiven."""
    until(lambda: not home.telegram.queue.waiting, what="the confirmation")
    home.telegram.door.own_faults.clear()
    assert broken(home) == {}


def message(home: House, text: str, **more: Any) -> dict[str, Any]:
    """A message of Ada's as Telegram tells it."""
    home.telegram.world.direct(home.telegram.bot, home.ada.user).started = True
    who = {"id": home.ada.id, "is_bot": False, "first_name": "Ada", "language_code": "en"}
    number = home.telegram.world.number(home.ada.direct().chat)
    said = {"message_id": number, "date": int(home.telegram.clock()), "text": text, "from": who}
    return {"message": said | {"chat": {"id": home.ada.id, "type": "private", "first_name": "Ada"}} | more}


class Rival(threading.Thread):
    """Another program that polls with the same token, as long as it is let."""

    def __init__(self, home: House) -> None:
        super().__init__(daemon=True)
        self._url = f"{home.telegram.api_url}/bot{home.telegram.token}/getUpdates"
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.is_set():
            request = urllib.request.Request(self._url, data=b"timeout=1")
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    answer.read()
            except urllib.error.HTTPError:
                self._ended.wait(0.02)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join(20)


@pytest.fixture
def odd() -> list[dict[str, Any]]:
    """Updates that no Telegram would tell."""
    who: dict[str, Any] = {"id": 1, "is_bot": False, "first_name": "x"}
    chat: dict[str, Any] = {"id": 1, "type": "private"}
    whole: dict[str, Any] = {"message_id": 5, "date": 1, "chat": chat, "from": who}
    return [
        {"message": None},
        {"message": {}},
        {"message": "text"},
        {"message": [1]},
        {"message": whole | {"chat": None}},
        {"message": whole | {"chat": {"id": "x", "type": "private"}, "text": "x"}},
        {"message": whole | {"from": {"id": float("inf")}, "text": "x"}},
        {"message": whole | {"date": float("inf"), "text": "x"}},
        {"message": whole | {"date": [1], "text": "x"}},
        {"message": whole | {"text": "x", "entities": [{"type": "bot_command"}]}},
        {"message": whole | {"text": "x", "entities": 7}},
        {"message": whole | {"text": {"x": 1}, "photo": [{}]}},
        {"message": whole | {"photo": "xyz", "caption": 4}},
        {"message": whole | {"text": "x", "reply_to_message": {"from": 4}}},
        {"callback_query": {"id": "1", "from": who, "data": "v1:again:x:y", "message": {"chat": chat}}},
        {"callback_query": {"id": 1}},
        {"inline_query": {"id": "1", "from": {}}},
        {"my_chat_member": {"chat": chat}},
        {"something_new": {"x": 1}},
        {"edited_message": None},
    ]


# ------------------------------------------------------------------------------------------------------------------------- odd updates


def test_updates_of_any_shape_are_passed_over_and_confirmed(home: House, odd: list[dict[str, Any]]) -> None:
    home.telegram.bot.inline = True
    push(home, *odd)
    home.clip_of(home.video("a fox"), 40)
    assert home.jobs() == 1
    swallowed(home)
    for each in odd:  # and each by itself, where no good one comes with it
        push(home, each)
        swallowed(home)
    home.end()


def test_half_of_a_character_stops_nobody(home: House) -> None:
    push(home, message(home, "a \ud800 fox"), message(home, "a \x00 fox"))
    home.clip_of(home.video("a lynx"), 40)
    home.reelay.wait_quiet()
    swallowed(home)
    home.end()


class Nameless(Pending):
    """An update whose number is none."""

    def update(self) -> dict[str, Any]:
        return {"update_id": "x", "message": {}}


def test_updates_without_a_number_are_no_hot_loop(house: House) -> None:
    house.start(environ={"LAB_HASTE": "2"})
    before, began = polls(house), time.monotonic()
    nameless = Nameless(house.telegram.queue.next_id, "message", {}, house.telegram.clock())
    house.telegram.queue.waiting.append(nameless)
    house.telegram.queue.wake()
    until(lambda: polls(house) >= before + 3, what="some polls")
    assert time.monotonic() - began > 1.4, "a pause of half a second, then of one"
    house.telegram.queue.waiting.remove(nameless)
    house.clip_of(house.video("a fox"), 40)
    swallowed(house)
    house.end()


def test_an_edited_message_never_makes_a_second_job(home: House) -> None:
    home.script("fox", seconds=None)
    said = home.ada.say("a fox")
    card = home.card_of(said)
    home.ada.edit(said, "a red fox")
    push(home, {"edited_message": message(home, "another fox")["message"]})
    home.vendor.finish("fox")
    home.clip_of(card)
    until(lambda: not home.telegram.queue.waiting, what="the confirmation")
    assert home.jobs() == 1
    home.end()


def test_an_update_that_is_told_again_makes_no_second_job(home: House) -> None:
    said = home.ada.say("a fox")
    card = home.card_of(said)
    number = int(home.update_of(said))
    home.telegram.queue.again(number)
    until(lambda: not home.telegram.queue.waiting, what="the confirmation")
    home.clip_of(card)
    home.telegram.queue.again(number)
    until(lambda: not home.telegram.queue.waiting, what="the confirmation")
    home.stop()
    home.telegram.queue.again(number)
    home.restart()
    until(lambda: not home.telegram.queue.waiting, what="the confirmation")
    home.clip_of(home.video("a lynx"))
    assert home.jobs() == 2
    assert len(home.ada.received()) == 2
    home.end()


@pytest.mark.parametrize("start", [17, 990_000_000])
def test_numbers_that_begin_anew_lose_nothing(home: House, start: int) -> None:
    home.clip_of(home.video("a fox"))
    home.telegram.queue.next_id = start
    home.clip_of(home.video("a lynx"))
    home.clip_of(home.video("an owl"))
    until(lambda: not home.telegram.queue.waiting, what="the confirmation")
    assert home.jobs() == 3
    home.end()


def test_a_message_that_waited_too_long_is_answered_and_costs_nothing(home: House) -> None:
    home.stop()
    said = home.ada.say("a fox")
    home.later(16 * 60)
    home.restart()
    answer = home.card_of(said)
    assert "away too long" in answer.text
    assert home.jobs() == 0
    fresh = home.ada.say("a lynx")
    home.clip_of(home.card_of(fresh))
    home.end()


def test_hundreds_of_updates_at_once_are_all_answered(home: House) -> None:
    home.stop()
    crowd = [home.telegram.add_person(f"p{number}", started=True) for number in range(220)]
    for person in crowd:
        person.say("/help")
    home.start(environ={"LAB_HASTE": "1"})
    until(lambda: all(person.received() for person in crowd), 60, "every answer")
    until(lambda: not home.telegram.queue.waiting, what="the confirmation")
    assert Counter(len(person.received()) for person in crowd) == {1: len(crowd)}
    home.stop()
    home.start(environ={"LAB_HASTE": str(HASTE)})
    home.end()


# --------------------------------------------------------------------------------------------------------------------- the way to Telegram


@pytest.mark.parametrize("fault", ["502", "504", "cut before", "cut after", "garbled", "not ok", "odd result", "429"])
def test_polls_that_fail_are_made_again(home: House, fault: str) -> None:
    rule = home.telegram.on("getUpdates").times(3)
    match fault:
        case "502" | "504":
            rule.page(int(fault))
        case "cut before":
            rule.cut_before()
        case "cut after":
            rule.cut_after()
        case "garbled":
            rule.garble()
        case "not ok":
            rule.refuse(200, "nothing")
        case "odd result":
            rule.refuse(400, "Bad Request: something new")
        case _:
            rule.rate_limit(1)
    for number in range(1, 6):  # each ends the poll that is held open
        home.clip_of(home.video("a fox"), 40)
        assert home.jobs() == number
        if not rule.count:
            break
    assert home.telegram.door.faults.used["getUpdates"] >= 3
    assert home.jobs() == len(home.clips_in())
    assert broken(home) == {}
    assert "platform=telegram" not in home.reelay.text, "the loop itself goes on, and is not begun anew"
    home.end()


def test_a_webhook_that_somebody_set_is_taken_away(home: House) -> None:
    home.telegram.hooks.proxies["https://elsewhere.example"] = "http://127.0.0.1:9"
    url = f"{home.telegram.api_url}/bot{home.telegram.token}/setWebhook"
    data = b"url=https://elsewhere.example/hook"
    with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=10) as answer:
        assert answer.status == 200
    until(lambda: home.telegram.queue.hook.url == "" and home.telegram.queue.polls == 1, 30, "the poll")
    assert "another program" not in home.reelay.text, "nobody is told what was mended"
    home.clip_of(home.video("a fox"), 40)
    home.end()


def test_another_program_with_the_same_token_is_told_of_and_not_fought(house: House) -> None:
    house.start()
    with Rival(house):
        until(lambda: "telegram" in broken(house), 30, "not ready")
        assert broken(house) == {"telegram": "another program polls"}
        assert house.reelay.http("/readyz")[0] == 503
        assert house.reelay.alerts() == ["telegram poll"]
        assert "stop it, or give one of the two a bot of its own" in house.reelay.text
        until(
            lambda: any("another program" in each.text for each in house.olga.received()), what="the operator's alert"
        )
        before = len(house.telegram.journal.requests("getUpdates", 409))
        tries = len(house.telegram.journal.requests("deleteWebhook"))
        until(lambda: len(house.telegram.journal.requests("deleteWebhook")) > tries, 30, "the next try")
        assert broken(house) == {"telegram": "another program polls"}, "a try is no connection"
        assert house.reelay.http("/")[0] == 200
    assert before < 40
    until(lambda: broken(house) == {}, 30, "ready again")
    house.clip_of(house.video("a fox"), 40)
    until(lambda: house.reelay.alerts() == [], 20, "the end of the alert")
    house.end()


def test_a_token_that_telegram_does_not_know_is_told_once_and_the_page_goes_on(house: House) -> None:
    token = "7000000001:AAnotTheTokenAtAll0123456789abcdefghi"
    house.reelay.environ |= {"TELEGRAM_TOKEN": token, "LAB_HASTE": "1"}
    house.reelay.launch()
    until(lambda: house.reelay.http("/")[0] == 200, 30, "the page")
    until(lambda: house.reelay.alerts() == ["telegram token"], 20, "the alert")
    until(lambda: broken(house), what="not ready")
    assert broken(house) == {"telegram": "the token is refused"}
    until(lambda: "check TELEGRAM_TOKEN" in house.reelay.text, what="the line in the log")
    assert token.partition(":")[2] not in house.reelay.text
    assert house.reelay.http("/")[0] == 200
    assert house.reelay.stop() == 0
    assert len(house.telegram.journal.requests(status=401)) == 1


def test_a_token_that_is_taken_back_while_it_runs_is_told(house: House) -> None:
    house.start(environ={"LAB_HASTE": "1"})
    house.running()
    asked = len(house.telegram.journal.requests(status=401))
    house.telegram.revoke_token()
    until(lambda: broken(house) == {"telegram": "the token is refused"}, 30, "not ready")
    assert house.reelay.alerts() == ["telegram token"]
    assert house.reelay.http("/")[0] == 200
    assert len(list(house.telegram.journal.requests("getUpdates", 401))[asked:]) <= 1
    assert house.reelay.stop() == 0
    house.start(environ={"TELEGRAM_TOKEN": house.telegram.token})
    house.vendor.finish("whale")
    until(house.clips_in, 60, "the clip under the new token")
    house.end()


def test_telegram_being_away_at_the_start_keeps_nobody_else_waiting(house: House) -> None:
    house.telegram.on("*").times(3).page(503)
    house.reelay.launch()
    until(lambda: house.reelay.http("/")[0] == 200, 30, "the page")
    house.wait_connected()
    house.clip_of(house.video("a fox"))
    house.end()


def test_an_offset_moves_only_when_what_was_read_is_kept(house: House) -> None:
    """Somebody holds the database: Telegram must be let keep the update, and a kill then loses nothing."""
    house.start()
    path = house.reelay.data / "reelay.db"
    holder = sqlite3.connect(path, isolation_level=None, timeout=10)
    holder.execute("BEGIN IMMEDIATE")
    said = house.ada.say("a fox")
    number = int(house.update_of(said))
    until(lambda: number in _told(house), what="that it was told")
    assert [each.id for each in house.telegram.queue.waiting] == [number]
    house.reelay.kill()
    holder.execute("ROLLBACK")
    holder.close()
    house.restart()
    house.clip_of(house.card_of(said), 40)
    assert house.jobs() == 1
    house.end()


def _told(home: House) -> set[int]:
    answers = [line["answer"] for line in home.telegram.journal.requests("getUpdates", 200)]
    return {number for answer in answers for number in answer}
