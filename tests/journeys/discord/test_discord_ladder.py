"""The way of a clip to whoever asked, when the plain way is closed: token, bot, new message, direct message, ``/resend``."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.discord.conftest import House
from tests.lab.clips import clip_bytes
from tests.lab.discord import Channel, File, May, Seen, Use
from tests.lab.discord.faults import Rule
from tests.lab.waiting import until
from tests.media.hostile import photo

pytestmark = pytest.mark.journey

OLD = 16 * 60.0
"""Seconds after which an interaction's token is dead."""


def running(house: House, prompt: str = "whale", **options: Any) -> Use:
    """A clip whose generator waits for ``finish``; its card has been edited once."""
    house.script(prompt, seconds=None)
    house.start()
    use = house.video(prompt, **options)
    until(lambda: house.vendor.of(prompt), what="the submit")
    until(lambda: "Rendering" in use.text, what="the card")
    return use


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


def finish(house: House, prompt: str = "whale") -> None:
    """Let the generator be ready."""
    house.vendor.finish(prompt)


def bots(house: House, channel: Channel | None = None) -> list[Seen]:
    """What Reelay has posted where ada sees it."""
    return [each for each in house.ada.messages(channel or house.room) if each.author == "reelay"]


def clip_in(house: House, channel: Channel) -> Seen:
    """Wait for a clip there."""
    return until(lambda: next((each for each in bots(house, channel) if each.clip), None), 40, "the clip")  # type: ignore[return-value]


def settled(house: House, use: Use) -> None:
    """The job is done, charged and paid for once."""
    house.reelay.wait_quiet()
    job = house.job_of(use)
    assert (job["state"], job["charged"]) == ("done", 40)
    assert list(house.vendor.paid.values()) == [1]


def test_after_fifteen_minutes_the_bot_edits_the_same_message(house: House) -> None:
    use = running(house)
    house.later(OLD)
    finish(house)
    seen = house.clip_of(use, 40)
    assert [each.id for each in bots(house)] == [seen.id]
    settled(house, use)
    assert house.discord.journal.requests("update_message", 200)
    assert house.discord.journal.requests("update_original_webhook_message", 401) == []
    house.end()


def test_a_token_that_ends_early_is_left_for_the_bot(house: House) -> None:
    use = running(house)
    house.discord.on("update_original_webhook_message").times(9).refuse(50027)
    finish(house)
    seen = house.clip_of(use, 40)
    assert [each.id for each in bots(house)] == [seen.id]
    settled(house, use)
    house.end()


@pytest.mark.parametrize("age", [0.0, OLD], ids=["young", "old"])
def test_a_message_that_somebody_deleted_is_replaced_by_a_new_one(house: House, age: float) -> None:
    use = running(house)
    assert use.message is not None
    if age:
        house.later(age)
    house.discord.world.drop_message(use.message.message)
    finish(house)
    clip_in(house, house.room)
    assert len(bots(house)) == 1
    settled(house, use)
    house.end()


@pytest.mark.parametrize("loss", ["channel deleted", "not allowed to write", "not allowed to see"])
def test_where_the_channel_is_closed_the_clip_comes_as_a_direct_message(house: House, loss: str) -> None:
    use = running(house)
    assert use.message is not None
    house.later(OLD)
    if loss == "channel deleted":
        house.discord.delete_channel(house.room)
    else:
        house.discord.world.drop_message(use.message.message)
        house.discord.set_permissions(house.room, deny=May.SEND_MESSAGES if "write" in loss else May.VIEW_CHANNEL)
    finish(house)
    clip_in(house, house.ada.direct())
    settled(house, use)
    house.end()


def test_what_cannot_be_delivered_anywhere_waits_for_resend(house: House) -> None:
    use = running(house)
    other = house.discord.add_channel(house.guild, "other")
    house.later(OLD)
    house.discord.delete_channel(house.room)
    house.ada.user.takes_messages = False
    finish(house)
    until(lambda: house.job_of(use)["state"] == "done", 40, "the end")
    house.reelay.wait_quiet()
    assert bots(house, house.ada.direct()) == []
    settled(house, use)
    again = house.ada.slash("resend", other, clip=house.job_of(use)["id"])
    until(lambda: again.acknowledged)
    clip_in(house, other)
    house.end(reached=False)


def test_the_bot_that_was_thrown_out_ends_its_jobs_truthfully(house: House) -> None:
    use = running(house)
    house.later(OLD)
    house.discord.remove_bot(house.guild)
    finish(house)
    until(lambda: house.job_of(use)["state"] == "done", 40, "the end")
    settled(house, use)
    house.end(reached=False)


def test_a_private_clip_never_touches_the_channel(house: House) -> None:
    use = running(house, private=True)
    assert use.message is not None
    assert use.message.ephemeral
    house.later(OLD)
    finish(house)
    clip_in(house, house.ada.direct())
    assert all(each.ephemeral for each in bots(house))
    bob = house.discord.add_person("bob", house.guild)
    assert bob.messages(house.room) == []
    settled(house, use)
    house.end()


def test_an_acknowledgement_that_comes_too_late_loses_nothing(house: House) -> None:
    house.start()
    house.discord.on("create_interaction_response").refuse(10062)
    use = house.ada.slash("video", house.room, prompt="a fox")
    clip_in(house, house.room)
    assert len(bots(house)) == 1
    settled(house, use)
    house.end()


def test_an_acknowledgement_whose_answer_is_lost_is_still_the_message(house: House) -> None:
    house.start()
    house.discord.on("create_interaction_response").cut_after()
    use = house.ada.slash("video", house.room, prompt="a fox")
    seen = house.clip_of(use, 40)
    assert [each.id for each in bots(house)] == [seen.id]
    settled(house, use)
    house.end()


def test_an_edit_before_discord_knows_its_own_answer_is_tried_again(house: House) -> None:
    house.discord.desk.registration_seconds = 0.4
    house.start()
    use = house.video("a fox")
    house.clip_of(use, 40)
    assert len(bots(house)) == 1
    settled(house, use)
    house.end()


@pytest.mark.parametrize("fault", ["cut before", "cut after", "500 after", "503"])
def test_a_new_message_whose_answer_is_lost_is_posted_once(house: House, fault: str) -> None:
    use = running(house)
    assert use.message is not None
    house.later(OLD)
    house.discord.world.drop_message(use.message.message)
    rule = house.discord.on("create_message")
    break_it(rule, fault)
    finish(house)
    clip_in(house, house.room)
    house.reelay.wait_quiet()
    assert len([each for each in bots(house) if each.clip]) == 1
    settled(house, use)
    house.end()


@pytest.mark.parametrize("fault", ["cut before", "cut after", "502"])
def test_a_clip_whose_edit_is_not_answered_is_brought_by_the_next_edit(house: House, fault: str) -> None:
    use = running(house)
    rule = house.discord.on("update_original_webhook_message")
    break_it(rule, fault)
    finish(house)
    seen = house.clip_of(use, 60)
    assert [each.id for each in bots(house)] == [seen.id]
    settled(house, use)
    house.end()


def test_too_fast_is_waited_for_and_nothing_is_lost(house: House) -> None:
    use = running(house)
    house.discord.on("update_original_webhook_message").times(2).rate_limit(1.5)
    finish(house)
    house.clip_of(use, 60)
    settled(house, use)
    house.end()


@pytest.mark.parametrize("told", [True, False], ids=["told before", "found out"])
def test_a_clip_above_what_the_place_takes_is_encoded_smaller(house: House, told: bool) -> None:
    """A place may take less than Discord had said for it (discord-api-docs#7603)."""
    house.script("whale", result="large")
    house.start()
    size = len(clip_bytes(seconds=4, noise=60, width=640))
    if told:
        house.discord.desk.over_report = int(size * 0.7) - (10 << 20)
    else:
        house.discord.refuse_uploads_above(int(size * 0.7))
    use = house.video("whale")
    seen = house.clip_of(use, 90)
    assert seen.clip is not None
    assert len(seen.clip.data) <= size * 0.7
    assert "smaller" in seen.text
    settled(house, use)
    house.end()


def test_steady_work_provokes_no_limit(house: House) -> None:
    house.script("slow", seconds=12.0)
    house.start(environ={"REELAY_MAX_ACTIVE_JOBS": "5", "REELAY_MAX_WAITING_JOBS": "50"})
    uses = [house.video(f"slow {number}") for number in range(5)]
    for use in uses:
        house.clip_of(use, 60)
    assert house.discord.journal.rate_limited() == []
    assert not house.discord.limits.invalid
    house.end()


def test_a_person_whose_app_is_installed_for_them_alone_uses_it_where_the_bot_is_not(house: House) -> None:
    house.script("whale", seconds=None)
    discord = house.discord
    eve = discord.add_person("eve", installed=True)
    group = discord.add_group(eve, house.ada)
    house.start(environ={"REELAY_ALLOWED": f"discord:user:{eve.id}"})
    quick = house.video("a fox", group, eve, image=File("fox.jpg", photo()))
    house.clip_of(quick)
    slow = house.video("a whale", group, eve)
    until(lambda: "Rendering" in slow.text, what="the card")
    house.later(OLD)
    house.vendor.finish("whale")
    until(lambda: house.job_of(slow)["state"] == "done", 40, "the end")
    until(lambda: [each for each in eve.messages(eve.direct()) if each.clip], 40, "the direct message")
    house.end()
