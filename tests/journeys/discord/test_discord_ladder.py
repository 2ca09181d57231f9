"""The way of a clip to whoever asked, when the plain way is closed: token, bot, new message, direct message, ``/resend``."""

from __future__ import annotations

import pytest

from tests.journeys.discord.house import House
from tests.lab.clips import clip_bytes
from tests.lab.discord import Channel, File, May, Seen, Use
from tests.lab.discord.faults import Rule
from tests.lab.waiting import until
from tests.media.hostile import photo

pytestmark = pytest.mark.journey

OLD = 16 * 60.0
"""Seconds after which an interaction's token is dead."""


def break_it(rule: Rule, fault: str) -> None:
    """The next request meets this fault."""
    match fault:
        case "cut before":
            rule.cut_before()
        case "cut after":
            rule.cut_after()
        case "500 after":
            rule.error_after(500)
        case _:
            rule.status(int(fault))


def finish(home: House, prompt: str = "whale") -> None:
    """Let the generator be ready."""
    home.vendor.finish(prompt)


def clip_in(home: House, channel: Channel) -> Seen:
    """Wait for a clip there."""
    return home.in_time(lambda: next((each for each in home.bots(channel) if each.clip), None), 1.0, what="the clip")  # type: ignore[return-value]


def settled(home: House, use: Use) -> None:
    """The job is done, charged and paid for once."""
    home.settle()
    job = home.job_of(use)
    assert (job["state"], job["charged"]) == ("done", 40)
    assert home.paid() == [1]


def test_after_fifteen_minutes_the_bot_edits_the_same_message(home: House) -> None:
    use = home.running()
    home.later(OLD)
    finish(home)
    seen = home.clip_of(use, 40)
    assert [each.id for each in home.answers()] == [seen.id]
    settled(home, use)
    assert home.requests("update_message", 200)
    assert home.requests("update_original_webhook_message", 401) == []
    home.end()


def test_a_token_that_ends_early_is_left_for_the_bot(home: House) -> None:
    use = home.running()
    home.discord.on("update_original_webhook_message").times(9).refuse(50027)
    finish(home)
    seen = home.clip_of(use, 40)
    assert [each.id for each in home.answers()] == [seen.id]
    settled(home, use)
    home.end()


@pytest.mark.parametrize("age", [0.0, OLD], ids=["young", "old"])
def test_a_message_that_somebody_deleted_is_replaced_by_a_new_one(home: House, age: float) -> None:
    use = home.running()
    assert use.message is not None
    if age:
        home.later(age)
    home.discord.world.drop_message(use.message.message)
    finish(home)
    clip_in(home, home.room)
    assert len(home.answers()) == 1
    settled(home, use)
    home.end()


@pytest.mark.parametrize("loss", ["channel deleted", "not allowed to write", "not allowed to see"])
def test_where_the_channel_is_closed_the_clip_comes_as_a_direct_message(home: House, loss: str) -> None:
    use = home.running()
    assert use.message is not None
    home.later(OLD)
    if loss == "channel deleted":
        home.discord.delete_channel(home.room)
    else:
        home.discord.world.drop_message(use.message.message)
        home.discord.set_permissions(home.room, deny=May.SEND_MESSAGES if "write" in loss else May.VIEW_CHANNEL)
    finish(home)
    clip_in(home, home.ada.direct())
    settled(home, use)
    home.end()


def test_what_cannot_be_delivered_anywhere_waits_for_resend(home: House) -> None:
    use = home.running()
    other = home.discord.add_channel(home.guild, "other")
    home.later(OLD)
    home.discord.delete_channel(home.room)
    home.ada.user.takes_messages = False
    finish(home)
    until(lambda: home.job_of(use)["state"] == "done", 40, "the end")
    home.reelay.wait_quiet()
    assert home.bots(home.ada.direct()) == []
    settled(home, use)
    again = home.ada.slash("resend", other, clip=home.job_of(use)["id"])
    until(lambda: again.acknowledged)
    clip_in(home, other)
    home.end(reached=False)


def test_the_bot_that_was_thrown_out_ends_its_jobs_truthfully(home: House) -> None:
    use = home.running()
    home.later(OLD)
    home.discord.remove_bot(home.guild)
    finish(home)
    until(lambda: home.job_of(use)["state"] == "done", 40, "the end")
    settled(home, use)
    home.end(reached=False)


def test_a_private_clip_never_touches_the_channel(home: House) -> None:
    use = home.running(private=True)
    assert use.message is not None
    assert use.message.ephemeral
    home.later(OLD)
    finish(home)
    clip_in(home, home.ada.direct())
    assert all(each.ephemeral for each in home.bots())
    bob = home.discord.add_person("bob", home.guild)
    assert bob.messages(home.room) == []
    settled(home, use)
    home.end()


def test_an_acknowledgement_that_comes_too_late_loses_nothing(home: House) -> None:
    home.discord.on("create_interaction_response").refuse(10062)
    use = home.ada.slash("video", home.room, prompt="a fox")
    clip_in(home, home.room)
    assert len(home.answers()) == 1
    settled(home, use)
    home.end()


def test_an_acknowledgement_whose_answer_is_lost_is_still_the_message(home: House) -> None:
    home.discord.on("create_interaction_response").cut_after()
    use = home.ada.slash("video", home.room, prompt="a fox")
    home.in_time(lambda: use.message and use.message.clip, 1.0, what="the clip")
    seen = home.clip_of(use)
    assert [each.id for each in home.answers()] == [seen.id]
    settled(home, use)
    home.end()


def test_an_edit_before_discord_knows_its_own_answer_is_tried_again(home: House) -> None:
    home.discord.desk.registration_seconds = 0.4
    use = home.video("a fox")
    home.clip_of(use, 40)
    assert len(home.answers()) == 1
    settled(home, use)
    home.end()


@pytest.mark.parametrize("fault", ["cut before", "cut after", "500 after", "503"])
def test_a_new_message_whose_answer_is_lost_is_posted_once(home: House, fault: str) -> None:
    use = home.running()
    assert use.message is not None
    home.later(OLD)
    home.discord.world.drop_message(use.message.message)
    rule = home.discord.on("create_message")
    break_it(rule, fault)
    finish(home)
    clip_in(home, home.room)
    home.settle()
    assert len([each for each in home.bots() if each.clip]) == 1
    settled(home, use)
    home.end()


@pytest.mark.parametrize("fault", ["cut before", "cut after", "502"])
def test_a_clip_whose_edit_is_not_answered_is_brought_by_the_next_edit(home: House, fault: str) -> None:
    use = home.running()
    rule = home.discord.on("update_original_webhook_message")
    break_it(rule, fault)
    finish(home)
    home.in_time(lambda: use.message and use.message.clip, 1.0, 60, "the clip")
    seen = home.clip_of(use)
    assert [each.id for each in home.answers()] == [seen.id]
    settled(home, use)
    home.end()


def test_too_fast_is_waited_for_and_nothing_is_lost(home: House) -> None:
    use = home.running()
    home.discord.on("update_original_webhook_message").times(2).rate_limit(1.5)
    finish(home)
    home.clip_of(use, 60)
    settled(home, use)
    home.end()


@pytest.mark.parametrize("told", [True, False], ids=["told before", "found out"])
def test_a_clip_above_what_the_place_takes_is_encoded_smaller(home: House, told: bool) -> None:
    """A place may take less than Discord had said for it (discord-api-docs#7603)."""
    home.script("whale", result="large")
    size = len(clip_bytes(seconds=4, noise=60, width=640))
    if told:
        home.discord.desk.over_report = int(size * 0.7) - (10 << 20)
    else:
        home.discord.refuse_uploads_above(int(size * 0.7))
    use = home.video("whale")
    seen = home.clip_of(use, 90)
    assert seen.clip is not None
    assert len(seen.clip.data) <= size * 0.7
    assert "smaller" in seen.text
    settled(home, use)
    home.end()


def test_steady_work_provokes_no_limit(home: House) -> None:
    home.script("slow", seconds=30.0)  # ready by ``finish``: every edit shows a tenth more
    uses = [home.video(f"slow {number}") for number in range(5)]
    until(lambda: len(home.submitted("slow")) == 5, what="the submits")
    for _ in range(3):
        home.next_edit(*uses)
    home.vendor.finish("slow")
    for use in uses:
        home.clip_of(use, 60)
    assert home.requests(status=429) == []
    assert home.invalid() == []
    home.end()


def test_a_person_whose_app_is_installed_for_them_alone_uses_it_where_the_bot_is_not(home: House) -> None:
    eve = home.guest("eve", installed=True)
    group = home.discord.add_group(eve, home.ada)
    quick = home.video("a fox", group, eve, image=File("fox.jpg", photo()))
    home.clip_of(quick)
    slow = home.running(channel=group, person=eve)
    home.later(OLD)
    home.vendor.finish("whale")
    until(lambda: home.job_of(slow)["state"] == "done", 40, "the end")
    until(lambda: [each for each in eve.messages(eve.direct()) if each.clip], 40, "the direct message")
    home.end()
