"""What a hostile look at the adapter found: each of these was wrong once."""

from __future__ import annotations

import asyncio
import json
import socket
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.clock import SystemClock
from bot.engine.words import Bookshelf
from bot.platforms.discord.api import Refusal
from bot.platforms.discord.budget import Budget
from bot.platforms.discord.identity import Marks
from bot.platforms.discord.platform import DiscordPlatform
from core.cards import Card, Message
from core.errors import TooLarge
from core.jobs import AssetKind, Clip, Place
from core.ports import ClipFile
from tests.journeys.discord.house import House
from tests.lab.discord import EVERYONE, May, Person
from tests.lab.waiting import until

pytestmark = pytest.mark.journey

OLD = 16 * 60.0
"""Seconds after which an interaction's token is dead."""


def manager(home: House) -> Person:
    """Somebody who manages the server, and nothing else."""
    bob = home.discord.add_person("bob", home.guild)
    home.discord.grant(bob, home.guild, home.discord.add_role(home.guild, "managers", May.MANAGE_GUILD))
    return bob


# -------------------------------------------------------------------------------------------------------------------- endpoint


def test_a_call_that_arrives_in_pieces_is_read_whole(home: House) -> None:
    body = json.dumps({"type": 1, "padding": "x" * 2000}).encode()
    headers = home.discord.signer.headers(str(int(home.discord.clock())), body)
    at = urlsplit(home.reelay.url)
    assert at.hostname is not None
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection((at.hostname, at.port or 80), timeout=10) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        start = f"POST /hooks/discord HTTP/1.1\r\nHost: {at.netloc}\r\nContent-Length: {len(body)}\r\n{head}\r\n"
        wire.sendall(start.encode() + body[:1000])
        wire.settimeout(0.5)
        with pytest.raises(TimeoutError):
            wire.recv(1)
        wire.settimeout(10)
        wire.sendall(body[1000:])
        assert wire.recv(100).startswith(b"HTTP/1.1 200")
    home.end()


# ------------------------------------------------------------------------------------------------------------------ permissions


def test_buttons_make_nothing_where_the_managers_want_nothing(home: House) -> None:
    bob = manager(home)
    seen = home.clip_of(home.video("a fox"))
    examples = home.answered(home.ada.slash("examples", home.room))
    mine = home.answered(home.ada.slash("gallery", home.room))
    form = home.answered(home.ada.press(seen, "Remix"))
    home.answered(bob.slash("admin channel", home.room, allow=False))
    assert examples.message is not None
    assert mine.message is not None
    for use in (
        home.ada.press(seen, "Again"),
        home.ada.press(examples.message, examples.message.labels[0]),
        home.ada.press(mine.message, mine.message.labels[0]),
        home.ada.submit(form, {"prompt": "a fox in the rain"}),
        home.ada.press(seen, "Remix"),
    ):
        home.answered(use)
        assert use.modal is None
        until(partial(getattr, use, "text"), what="the refusal")
        assert use.message is not None
        assert use.message.ephemeral
    assert home.jobs() == 1
    assert len([each for each in home.bots() if not each.ephemeral]) == 1
    home.end()


def test_a_grant_that_is_dispatched_twice_is_made_once(home: House) -> None:
    olga = home.olga
    home.discord.join(olga, home.guild, home.discord.add_role(home.guild, "managers", May.MANAGE_GUILD))
    home.discord.gateway.copies = 2
    home.answered(olga.slash("admin grant", home.room, who=home.ada, amount=25))
    home.reelay.wait_quiet()
    assert home.reelay.rows("SELECT amount FROM ledger WHERE kind = 'grant'") == [{"amount": 25}]
    home.end()


def test_the_gallery_of_a_server_shows_nothing_of_a_channel_that_the_person_cannot_see(home: House) -> None:
    bob = home.discord.add_person("bob", home.guild)
    staff = home.discord.add_channel(home.guild, "staff")
    home.discord.set_permissions(staff, home.guild.roles[home.guild.id], deny=May.VIEW_CHANNEL)
    boss = home.discord.add_role(home.guild, "boss")
    home.discord.set_permissions(staff, boss, allow=May.VIEW_CHANNEL)
    home.discord.set_permissions(staff, allow=May.VIEW_CHANNEL)
    home.discord.grant(home.ada, home.guild, boss)
    home.clip_of(home.video("a plan of the coming year", staff))
    home.clip_of(home.video("a plot", home.discord.add_thread(staff)))
    home.clip_of(home.video("a fox"))
    home.clip_of(home.video("a whale", home.discord.add_thread(home.room)))
    shown = home.answered(bob.slash("gallery", home.room, which="server"))
    assert "a fox" in shown.text
    assert "a whale" in shown.text
    assert "plan" not in shown.text
    assert "plot" not in shown.text
    theirs = home.answered(home.ada.slash("gallery", home.room, which="server")).text
    assert "plan" in theirs
    assert "plot" in theirs
    home.end()


def test_a_thread_of_an_age_restricted_channel_is_age_restricted_too(home: House) -> None:
    adults = home.discord.add_channel(home.guild, "adults", adults_only=True)
    use = home.video("a fox after dark", home.discord.add_thread(adults))
    home.clip_of(use)
    assert "after dark" not in home.answered(home.ada.slash("gallery", home.room, which="server")).text
    assert "after dark" in home.answered(home.ada.slash("gallery", adults, which="server")).text
    home.end()


def test_what_was_made_for_adults_is_resent_to_whoever_made_it_alone(home: House) -> None:
    adults = home.discord.add_channel(home.guild, "adults", adults_only=True)
    use = home.video("a fox after dark", adults)
    home.clip_of(use)
    again = home.answered(home.ada.slash("resend", home.room, clip=home.job_of(use)["id"]))
    assert home.clip_of(again).ephemeral
    openly = home.answered(home.ada.slash("resend", adults, clip=home.job_of(use)["id"]))
    assert not home.clip_of(openly).ephemeral
    home.end(resent=True)


def test_where_an_app_of_ones_own_may_not_speak_to_all_the_private_answer_becomes_the_clip(home: House) -> None:
    eve = home.guest("eve", installed=True)
    other = home.discord.add_guild("Other", bot=False, permissions=EVERYONE & ~May.USE_EXTERNAL_APPS)
    home.discord.join(eve, other)
    room = home.discord.add_channel(other, "there")
    use = home.video("a fox", room, eve)
    assert home.clip_of(use).ephemeral
    assert eve.messages(eve.direct()) == []
    home.end()


def test_a_job_that_failed_is_deleted_with_its_message(home: House) -> None:
    home.script("refused", fails="content")
    use = home.video("refused by its rules")
    job, seen = home.job_of(use)["id"], home.shows(use, "You were not charged")
    home.reelay.wait_quiet()
    sure = home.answered(home.ada.press(seen, "Delete"))
    assert sure.message is not None
    home.answered(home.ada.press(sure.message, sure.message.labels[0]))
    until(lambda: home.reelay.value("SELECT hidden FROM jobs WHERE id = ?", job) == 1, 20, "the row to go")
    until(lambda: not [each for each in home.bots() if not each.ephemeral], 20, "the message to go")
    home.end(reached=False)


def test_a_picture_from_elsewhere_ends_its_job_at_once(home: House) -> None:
    posted = home.ada.say(home.room, "look", embed_image="https://example.org/cat.png")
    use = home.answered(home.ada.menu("Animate this", posted))
    until(lambda: home.job_of(use)["state"] == "failed", 15, "the end")
    assert home.job_of(use)["charged"] in (0, None)
    home.end()


# ------------------------------------------------------------------------------------------------------------------- the ladder


def test_a_private_clip_that_fails_late_is_told_by_direct_message(home: House) -> None:
    use = home.running(private=True, fails="content")
    job = home.job_of(use)["id"]
    home.later(OLD)
    card = "SELECT next_edit_at, closed FROM cards WHERE job_id = ?"
    before = home.reelay.rows(card, job)
    until(lambda: home.reelay.rows(card, job) != before, 30, "an edit that reaches nothing any more")
    home.vendor.finish("whale")
    until(lambda: home.job_of(use)["state"] == "failed", 30, "the end")
    until(lambda: [each for each in home.bots(home.ada.direct()) if "not charged" in each.text], 30, "the reason")
    home.end()


def test_an_order_that_fails_after_its_acknowledgement_was_too_late_is_told_all_the_same(home: House) -> None:
    home.script("refused", seconds=None, fails="content")
    home.discord.on("create_interaction_response").refuse(10062)
    use = home.ada.slash("video", home.room, prompt="refused by its rules")
    for _ in range(3):
        home.next_try(use)
    home.vendor.finish("refused")
    until(lambda: home.job_of(use)["state"] == "failed", 60, "the end")
    until(lambda: [each for each in home.bots() if "not charged" in each.text], 30, "the reason")
    home.end()


def test_a_message_whose_acknowledgement_was_lost_is_edited_after_the_token_too(home: House) -> None:
    home.script("whale", seconds=None)
    home.discord.on("create_interaction_response").cut_after()
    use = home.ada.slash("video", home.room, prompt="whale")
    until(lambda: home.submitted("whale"), what="the submit")
    home.later(3.0)
    until(lambda: "Rendering" in use.text, 40, what="the card")
    home.later(OLD)
    home.vendor.finish("whale")
    seen = home.clip_of(use, 60)
    assert [each.id for each in home.answers()] == [seen.id]
    home.end()


def test_many_old_messages_of_one_channel_are_edited_within_its_limit(home: House) -> None:
    home.script("slow", seconds=None)
    uses = [home.video(f"slow {number}") for number in range(7)]
    home.later(3.0)
    until(lambda: all("Rendering" in use.text for use in uses), 60, what="the cards")
    home.later(OLD)
    home.vendor.finish("slow")
    for use in uses:
        home.clip_of(use, 90)
    assert home.requests(status=429) == []
    home.end()


def test_a_clip_waits_for_a_token_that_was_reset(home: House) -> None:
    use = home.running()
    home.later(OLD)
    token = home.discord.world.token
    home.discord.world.token = "another"
    home.vendor.finish("whale")
    until(lambda: home.job_of(use)["state"] == "done", 40, "the end")
    until(lambda: home.requests("update_message", 401), 30, "the refusal")
    home.discord.world.token = token
    home.clip_of(use, 60)
    home.end()


def test_where_no_file_may_be_put_any_more_the_old_message_does_not_go_on_rendering(home: House) -> None:
    use = home.running()
    home.later(OLD)
    home.discord.set_permissions(home.room, deny=May.ATTACH_FILES)
    home.vendor.finish("whale")
    until(lambda: [each for each in home.bots(home.ada.direct()) if each.clip], 40, "the direct message")
    home.shows(use, "Made with")
    home.end()


def test_a_clip_that_only_the_token_would_take_is_told_what_the_bot_can_post(tmp_path: Path) -> None:
    class Refusing:
        budget = Budget(SystemClock())

        async def call(self, *_: object, **__: object) -> None:
            raise Refusal(413, 40005)

    clock, shelf = SystemClock(), Bookshelf()
    shelf.words("en")
    platform = DiscordPlatform(Refusing(), Marks(b"b" * 32, b"t" * 32), shelf, clock, None)  # type: ignore[arg-type]
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x")
    place = Place("discord", "1", details={"member": True})
    clip = Clip("c", AssetKind.CLIP, "a", "j", "k", "video/mp4", 60 << 20, "0" * 64, 0)
    card = Card("j", "a", "whale", Message("state.storing"), (), None, (), None, None, None, False, (), False)
    for size, limit in ((60 << 20, 10 << 20), (9 << 20, None)):
        with pytest.raises(TooLarge) as caught:
            asyncio.run(platform.deliver(place, None, ClipFile(clip, path, size, is_original=True, nonce="n"), card))
        assert caught.value.limit == limit


def test_models_are_offered_in_the_language_of_whoever_types(home: House) -> None:
    eve = home.discord.add_person("eve", home.guild, locale="de")
    german = eve.autocomplete("video", "model", "", home.room)
    until(lambda: german.choices)
    english = home.ada.autocomplete("video", "model", "", home.room)
    until(lambda: english.choices)
    assert english.choices is not None
    assert "credits" in english.choices[0][0]
    assert english.choices != german.choices
    home.end()


def test_details_of_a_prompt_that_needs_more_than_one_message_are_all_told(home: House) -> None:
    use = home.video(("a *very* long (story) " * 200)[:3990], negative="fog", seed=7)
    told = home.answered(home.ada.press(home.clip_of(use), "Details"))
    until(lambda: told.followups and home.job_of(use)["id"] in told.followups[-1].text, what="the last line")
    everything = "".join([told.text, *(each.text for each in told.followups)]).replace("\\", "")
    assert everything.count("a *very* long (story)") == 181
    assert all(each.ephemeral for each in told.followups)
    home.end()


def test_a_clip_that_goes_on_from_a_private_one_is_private_unless_said_otherwise(home: House) -> None:
    use = home.video("a secret", private=True)
    home.clip_of(use)
    clip = home.job_of(use)["id"]
    on = home.answered(home.ada.slash("extend", home.room, clip=clip, prompt="it goes on"))
    assert home.clip_of(on).ephemeral
    openly = home.answered(home.ada.slash("extend", home.room, clip=clip, prompt="it goes on", private=False))
    assert not home.clip_of(openly).ephemeral
    home.end()
