"""Chats and topics that close, move and vanish while a clip is made: it reaches its person once, or waits for them, and is paid once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.telegram.house import House
from tests.lab.telegram import Chat, Place, Seen
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """What waits for room in a chat waits less long."""
    return {"LAB_HASTE": "4"}


def forum_of(home: House) -> tuple[Chat, Place]:
    """A forum of Bob's in which Ada is, and a topic of it."""
    forum = home.telegram.add_supergroup("Clips", home.bob, home.ada, forum=True)
    return forum, home.telegram.add_topic(forum, "Films")


def clips(home: House, chat: Chat) -> list[Seen]:
    """The films of a whole chat, whatever topic they stand in."""
    return [seen for seen in (home.ada.look(each) for each in home.telegram.clips(chat)) if seen is not None]


def one_clip(home: House, chat: Chat, seconds: float = 40) -> Seen:
    """Wait for the clip in a chat, and for the end: it is the only one."""
    home.in_time(lambda: clips(home, chat), 1.0, seconds, "the clip")
    home.settle()
    (seen,) = clips(home, chat)
    return seen


def private(home: House) -> Chat:
    """Ada's own chat with the bot."""
    return home.ada.direct().chat


def job(home: House) -> dict[str, Any]:
    """The newest job's row."""
    return home.reelay.rows("SELECT * FROM jobs ORDER BY created_at DESC LIMIT 1")[0]


def settled(home: House) -> None:
    """The job is done, charged and paid for once."""
    home.settle()
    assert (job(home)["state"], job(home)["charged"]) == ("done", 40)
    assert home.paid() == [1]


def noticed(home: House, method: str = "editMessageText") -> None:
    """Wait until an edit of the card has been refused."""
    home.later(6)
    until(lambda: home.requests(method, 400) + home.requests(method, 403), what="the refusal")


def migrated_unheard(home: House, group: Chat) -> Chat:
    """The group becomes a supergroup, and no update tells of it: the next call finds out."""
    queue = home.telegram.queue
    allowed, queue.allowed = queue.allowed, frozenset({"callback_query"})
    room = home.telegram.migrate(group)
    queue.allowed = allowed
    return room


@pytest.mark.parametrize("when", ["the edit finds out", "the delivery finds out"])
def test_a_topic_that_is_deleted_leaves_the_clip_to_the_chat(home: House, when: str) -> None:
    forum, topic = forum_of(home)
    home.running(place=topic)
    home.telegram.delete_topic(topic)
    if "edit" in when:
        noticed(home)
    home.vendor.finish("whale")
    seen = one_clip(home, forum)
    assert seen.thread is None
    settled(home)
    home.end()


@pytest.mark.parametrize("has_card", [True, False], ids=["with its card", "card deleted"])
def test_a_topic_that_is_closed_loses_nothing(home: House, has_card: bool) -> None:
    forum, topic = forum_of(home)
    card = home.running(place=topic)
    home.telegram.close_topic(topic)
    if not has_card:
        home.telegram.delete_message(card)
    home.vendor.finish("whale")
    if has_card:
        assert one_clip(home, forum).id == card.id
    else:  # nothing new may be posted there, and nobody wants it in another topic
        one_clip(home, private(home))
        assert clips(home, forum) == []
    settled(home)
    home.end()


@pytest.mark.parametrize("where", ["topic", "general"])
def test_a_new_message_goes_where_the_card_was_even_without_the_prompt(home: House, where: str) -> None:
    forum, topic = forum_of(home)
    place = topic if where == "topic" else home.telegram.general(forum)
    card = home.running(place=place)
    said = card.message.reply_to
    assert said is not None
    home.telegram.delete_message(said)
    home.telegram.delete_message(card)
    home.vendor.finish("whale")
    seen = one_clip(home, forum)
    assert seen.thread == card.thread
    assert seen.reply_to is None
    settled(home)
    assert not any(str(line["body"].get("message_thread_id")) == "1" for line in home.requests())
    home.end()


def test_a_prompt_that_is_gone_before_the_first_word_keeps_nobody_waiting(home: House) -> None:
    home.telegram.delay(0.4, "sendMessage")
    said = home.ada.say("a whale")
    home.ada.delete(said)
    seen = one_clip(home, private(home))
    assert seen.reply_to is None
    assert len(home.ada.received()) == 1
    settled(home)
    home.end()


@pytest.mark.parametrize("when", ["before the first word", "before an edit", "before the clip", "unheard"])
def test_a_group_that_becomes_a_supergroup_gets_its_clip_there_once(home: House, when: str) -> None:
    group = home.telegram.add_group("Friends", home.bob, home.ada)
    said = f"/video@{home.telegram.bot.username} a whale"
    home.script("whale", seconds=None)
    if when == "before the first word":
        home.telegram.delay(0.5, "sendMessage")
        home.ada.say(said, group)
        until(lambda: home.telegram.door.inflight["sendMessage"], what="the first word")
        room = home.telegram.migrate(group)
    else:
        home.running(place=group)
        room = migrated_unheard(home, group) if when == "unheard" else home.telegram.migrate(group)
        if when == "before an edit":
            home.later(6)
    until(lambda: home.submitted("whale"), what="the submit")
    if when == "before an edit":
        until(lambda: home.ada.received(room), what="the card in the supergroup")
    home.vendor.finish("whale")
    seen = one_clip(home, room)
    assert clips(home, group) == []
    assert len(home.ada.received(room)) == 1
    settled(home)
    assert job(home)["shown_in"] == f"telegram:chat:{room.id}"
    assert home.reelay.value("SELECT COUNT(*) FROM jobs WHERE hold LIKE ?", f"%{group.id}%") == 0
    again = home.ada.press(seen, "Again")
    until(lambda: again.answered, what="the answer")
    until(lambda: len(home.submitted("whale")) == 2, what="the second job")
    home.vendor.finish("whale")
    until(lambda: len(clips(home, room)) == 2, 40, "the second clip")
    home.end()


def test_a_group_that_moves_unheard_while_its_job_fails_is_told_there(home: House) -> None:
    group = home.telegram.add_group("Friends", home.bob, home.ada)
    home.running(place=group, fails="content")
    room = migrated_unheard(home, group)
    home.vendor.finish("whale")
    until(lambda: any("declined" in each.text for each in home.ada.received(room)), 30, "the word")
    home.reelay.wait_quiet()
    assert len(home.ada.received(room)) == 1
    home.end()


@pytest.mark.parametrize("loss", ["kicked", "left", "no videos", "no messages"])
def test_where_a_group_is_closed_the_clip_comes_to_the_person_alone(home: House, loss: str) -> None:
    home.script("whale", seconds=None)
    card = home.running(place=home.room)
    match loss:
        case "kicked" | "left":
            home.telegram.remove_bot(home.room, kicked=loss == "kicked")
        case "no videos":
            home.telegram.delete_message(card)
            home.telegram.restrict_bot(home.room, "can_send_messages")
        case _:
            home.telegram.delete_message(card)
            home.telegram.restrict_bot(home.room)
    home.vendor.finish("whale")
    seen = one_clip(home, private(home))
    assert seen.reply_to is None
    assert clips(home, home.room) == []
    settled(home)
    home.end()


def test_a_message_that_may_not_become_a_film_there_does_not_go_on_telling_that_it_renders(home: House) -> None:
    card = home.running(place=home.room)
    home.telegram.refuse("editMessageMedia", "Bad Request: not enough rights to send videos to the chat")
    home.telegram.restrict_bot(home.room, "can_send_messages")
    home.vendor.finish("whale")
    one_clip(home, private(home))
    seen = home.now(card)
    assert "Rendering" not in seen.text
    assert seen.clip is None
    settled(home)
    home.end()


def test_who_never_started_the_bot_finds_the_clip_when_they_come_back(home: House) -> None:
    eve = home.telegram.add_person("eve")
    room = home.telegram.add_supergroup("Films", home.bob, eve)
    home.script("whale", seconds=None)
    home.video("whale", room, eve)
    until(lambda: home.submitted("whale"), what="the submit")
    home.telegram.remove_bot(room)
    home.vendor.finish("whale")
    home.reelay.wait_quiet()
    settled(home)
    assert "delivery telegram" in home.reelay.alerts()
    until(lambda: [each for each in home.olga.received() if job(home)["id"] in each.text], what="the operator's alert")
    assert home.telegram.clips(private(home)) == []
    eve.start()
    eve.say("/resend")
    until(lambda: home.clips_in(None, eve), 40, "the clip")
    home.end(reached=False)


@pytest.mark.parametrize("loss", ["blocked", "deactivated"])
def test_who_is_not_to_be_reached_has_paid_once_and_may_ask_again(home: House, loss: str) -> None:
    home.running()
    if loss == "blocked":
        home.ada.block()
    else:
        home.telegram.deactivate(home.ada)
    home.vendor.finish("whale")
    until(lambda: job(home)["state"] == "done", 40, "the end")
    settled(home)
    assert home.clips_in() == []
    if loss == "blocked":
        home.ada.block(blocked=False)
        home.ada.say("/resend")
        one_clip(home, private(home))
    home.end(reached=False)
