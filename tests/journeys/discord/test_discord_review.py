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
from tests.journeys.discord.conftest import House
from tests.lab.discord import EVERYONE, Channel, May, Person, Seen, Use
from tests.lab.discord.world import Member
from tests.lab.waiting import until

pytestmark = pytest.mark.journey

OLD = 16 * 60.0
"""Seconds after which an interaction's token is dead."""


def bots(house: House, channel: Channel | None = None, person: Person | None = None) -> list[Seen]:
    """What Reelay has posted where somebody sees it."""
    return [each for each in (person or house.ada).messages(channel or house.room) if each.author == "reelay"]


def answered(use: Use) -> Use:
    """Wait for the first answer."""
    until(lambda: use.acknowledged or use.failed, what="the answer")
    assert use.failed is None
    return use


def manager(house: House) -> Person:
    """Somebody who manages the server, and nothing else."""
    bob = house.discord.add_person("bob", house.guild)
    house.discord.grant(bob, house.guild, house.discord.add_role(house.guild, "managers", May.MANAGE_GUILD))
    return bob


# -------------------------------------------------------------------------------------------------------------------- endpoint


def test_a_call_that_arrives_in_pieces_is_read_whole(house: House) -> None:
    house.start(environ={"DISCORD_PUBLIC_KEY": house.discord.public_key})
    body = json.dumps({"type": 1, "padding": "x" * 2000}).encode()
    headers = house.discord.signer.headers(str(int(house.discord.clock())), body)
    at = urlsplit(house.reelay.url)
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
    house.end()


# ------------------------------------------------------------------------------------------------------------------ permissions


def test_another_generator_for_a_private_clip_makes_a_private_clip(house: House) -> None:
    house.reelay.generators.append(
        {"name": "second", "url": house.vendor.url, "price": 40, "poll_seconds": [0.05, 0.2]}
    )
    house.script("secret", fails="unavailable")
    house.start()
    bob = house.discord.add_person("bob", house.guild)
    use = house.video("a secret garden", private=True, model="lab")
    until(lambda: house.job_of(use)["state"] == "failed", 60, "the end")
    until(lambda: use.message and "Another generator" in use.message.labels, 30, "the button")
    assert use.message is not None
    offers = answered(house.ada.press(use.message, "Another generator"))
    assert offers.message is not None
    house.script("secret", seconds=0.1)
    again = answered(house.ada.press(offers.message, offers.message.labels[0]))
    house.clip_of(again)
    assert again.message is not None
    assert again.message.ephemeral
    assert bots(house, person=bob) == []
    house.end()


def test_buttons_make_nothing_where_the_managers_want_nothing(house: House) -> None:
    house.start()
    bob = manager(house)
    seen = house.clip_of(house.video("a fox"))
    examples = answered(house.ada.slash("examples", house.room))
    mine = answered(house.ada.slash("gallery", house.room))
    form = answered(house.ada.press(seen, "Remix"))
    answered(bob.slash("admin channel", house.room, allow=False))
    assert examples.message is not None
    assert mine.message is not None
    for use in (
        house.ada.press(seen, "Again"),
        house.ada.press(examples.message, examples.message.labels[0]),
        house.ada.press(mine.message, mine.message.labels[0]),
        house.ada.submit(form, {"prompt": "a fox in the rain"}),
        house.ada.press(seen, "Remix"),
    ):
        answered(use)
        assert use.modal is None
        until(partial(getattr, use, "text"), what="the refusal")
        assert use.message is not None
        assert use.message.ephemeral
    assert house.jobs() == 1
    assert len([each for each in bots(house) if not each.ephemeral]) == 1
    house.end()


def test_a_manager_sees_the_quota_of_the_server_and_of_nobody_else(house: House) -> None:
    bob = manager(house)
    house.start(environ={"REELAY_DAILY_CREDITS": "500"})
    house.clip_of(house.video("a fox"))
    use = answered(bob.slash("admin quota", house.room, who=house.ada))
    assert use.text == "You may not do that here."
    house.end()


def test_a_grant_that_is_dispatched_twice_is_made_once(house: House) -> None:
    olga = manager(house)
    house.discord.gateway.copies = 2
    house.start(environ={"REELAY_ADMINS": f"discord:{olga.id}"})
    answered(olga.slash("admin grant", house.room, who=house.ada, amount=25))
    house.reelay.wait_quiet()
    assert house.reelay.rows("SELECT amount FROM ledger WHERE kind = 'grant'") == [{"amount": 25}]
    house.end()


def test_the_gallery_of_a_server_shows_nothing_of_a_channel_that_the_person_cannot_see(house: House) -> None:
    house.start()
    bob = house.discord.add_person("bob", house.guild)
    staff = house.discord.add_channel(house.guild, "staff")
    house.discord.set_permissions(staff, house.guild.roles[house.guild.id], deny=May.VIEW_CHANNEL)
    boss = house.discord.add_role(house.guild, "boss")
    house.discord.set_permissions(staff, boss, allow=May.VIEW_CHANNEL)
    house.discord.set_permissions(staff, allow=May.VIEW_CHANNEL)
    house.discord.grant(house.ada, house.guild, boss)
    house.clip_of(house.video("a plan of the coming year", staff))
    house.clip_of(house.video("a plot", house.discord.add_thread(staff)))
    house.clip_of(house.video("a fox"))
    house.clip_of(house.video("a whale", house.discord.add_thread(house.room)))
    shown = answered(bob.slash("gallery", house.room, which="server"))
    assert "a fox" in shown.text
    assert "a whale" in shown.text
    assert "plan" not in shown.text
    assert "plot" not in shown.text
    theirs = answered(house.ada.slash("gallery", house.room, which="server")).text
    assert "plan" in theirs
    assert "plot" in theirs
    house.end()


def test_a_thread_of_an_age_restricted_channel_is_age_restricted_too(house: House) -> None:
    house.start()
    adults = house.discord.add_channel(house.guild, "adults", adults_only=True)
    use = house.video("a fox after dark", house.discord.add_thread(adults))
    house.clip_of(use)
    assert "after dark" not in answered(house.ada.slash("gallery", house.room, which="server")).text
    assert "after dark" in answered(house.ada.slash("gallery", adults, which="server")).text
    house.end()


def test_what_was_made_for_adults_is_resent_to_whoever_made_it_alone(house: House) -> None:
    house.start()
    adults = house.discord.add_channel(house.guild, "adults", adults_only=True)
    use = house.video("a fox after dark", adults)
    house.clip_of(use)
    again = answered(house.ada.slash("resend", house.room, clip=house.job_of(use)["id"]))
    assert house.clip_of(again).ephemeral
    openly = answered(house.ada.slash("resend", adults, clip=house.job_of(use)["id"]))
    assert not house.clip_of(openly).ephemeral
    house.end(resent=True)


def test_where_an_app_of_ones_own_may_not_speak_to_all_the_private_answer_becomes_the_clip(house: House) -> None:
    eve = house.discord.add_person("eve", installed=True)
    other = house.discord.add_guild("Other", bot=False, permissions=EVERYONE & ~May.USE_EXTERNAL_APPS)
    other.members[eve.id] = Member(eve.user, [], 0.0)
    room = house.discord.add_channel(other, "there")
    house.start(environ={"REELAY_ALLOWED": f"discord:user:{eve.id}"})
    use = house.video("a fox", room, eve)
    assert house.clip_of(use).ephemeral
    assert eve.messages(eve.direct()) == []
    house.end()


def test_a_job_that_failed_is_deleted_with_its_message(house: House) -> None:
    house.script("refused", fails="content")
    house.start()
    seen = house.shows(house.video("refused by its rules"), "You were not charged")
    house.reelay.wait_quiet()
    sure = answered(house.ada.press(seen, "Delete"))
    assert sure.message is not None
    answered(house.ada.press(sure.message, sure.message.labels[0]))
    until(lambda: house.reelay.value("SELECT hidden FROM jobs") == 1, 20, "the row to go")
    until(lambda: not [each for each in bots(house) if not each.ephemeral], 20, "the message to go")
    house.end(reached=False)


def test_a_picture_from_elsewhere_ends_its_job_at_once(house: House) -> None:
    house.start()
    posted = house.ada.say(house.room, "look", embed_image="https://example.org/cat.png")
    use = answered(house.ada.menu("Animate this", posted))
    until(lambda: house.job_of(use)["state"] == "failed", 15, "the end")
    assert house.job_of(use)["charged"] in (0, None)
    house.end()


# ------------------------------------------------------------------------------------------------------------------- the ladder


def running(house: House, prompt: str = "whale", **options: object) -> Use:
    """A clip whose generator waits; its card has been edited once."""
    house.script(prompt, seconds=None)
    house.start()
    use = house.video(prompt, **options)  # type: ignore[arg-type]
    until(lambda: house.vendor.of(prompt), what="the submit")
    until(lambda: "Rendering" in use.text, what="the card")
    return use


def test_a_private_clip_that_fails_late_is_told_by_direct_message(house: House) -> None:
    house.script("whale", seconds=None, fails="content")
    house.start()
    use = house.video("whale", private=True)
    until(lambda: "Rendering" in use.text, what="the card")
    house.later(OLD)
    card = "SELECT next_edit_at, closed FROM cards"
    before = house.reelay.rows(card)
    until(lambda: house.reelay.rows(card) != before, 30, "an edit that reaches nothing any more")
    house.vendor.finish("whale")
    until(lambda: house.job_of(use)["state"] == "failed", 30, "the end")
    until(lambda: [each for each in bots(house, house.ada.direct()) if "not charged" in each.text], 30, "the reason")
    house.end()


def test_an_order_that_fails_after_its_acknowledgement_was_too_late_is_told_all_the_same(house: House) -> None:
    house.script("refused", seconds=9.0, fails="content")
    house.start()
    house.discord.on("create_interaction_response").refuse(10062)
    use = house.ada.slash("video", house.room, prompt="refused by its rules")
    until(lambda: house.job_of(use)["state"] == "failed", 60, "the end")
    until(lambda: [each for each in bots(house) if "not charged" in each.text], 30, "the reason")
    house.end()


def test_a_message_whose_acknowledgement_was_lost_is_edited_after_the_token_too(house: House) -> None:
    house.script("whale", seconds=None)
    house.start()
    house.discord.on("create_interaction_response").cut_after()
    use = house.ada.slash("video", house.room, prompt="whale")
    until(lambda: "Rendering" in use.text, 40, what="the card")
    house.later(OLD)
    house.vendor.finish("whale")
    seen = house.clip_of(use, 60)
    assert [each.id for each in bots(house)] == [seen.id]
    house.end()


def test_many_old_messages_of_one_channel_are_edited_within_its_limit(house: House) -> None:
    house.reelay.generators[0]["most_active"] = 12
    house.start(environ={"REELAY_MAX_ACTIVE_JOBS": "12", "REELAY_MAX_WAITING_JOBS": "50"})
    house.script("slow", seconds=None)
    uses = [house.video(f"slow {number}") for number in range(10)]
    until(lambda: all("Rendering" in use.text for use in uses), 60, what="the cards")
    house.later(OLD)
    house.vendor.finish("slow")
    for use in uses:
        house.clip_of(use, 90)
    assert house.discord.journal.rate_limited() == []
    house.end()


def test_a_clip_waits_for_a_token_that_was_reset(house: House) -> None:
    use = running(house)
    house.later(OLD)
    token = house.discord.world.token
    house.discord.world.token = "another"
    house.vendor.finish("whale")
    until(lambda: house.job_of(use)["state"] == "done", 40, "the end")
    until(lambda: house.discord.journal.requests("update_message", 401), 30, "the refusal")
    house.discord.world.token = token
    house.clip_of(use, 60)
    house.end()


def test_where_no_file_may_be_put_any_more_the_old_message_does_not_go_on_rendering(house: House) -> None:
    use = running(house)
    house.later(OLD)
    house.discord.set_permissions(house.room, deny=May.ATTACH_FILES)
    house.vendor.finish("whale")
    until(lambda: [each for each in bots(house, house.ada.direct()) if each.clip], 40, "the direct message")
    house.shows(use, "Made with")
    house.end()


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


def test_models_are_offered_in_the_language_of_whoever_types(house: House) -> None:
    house.start()
    eve = house.discord.add_person("eve", house.guild, locale="de")
    german = eve.autocomplete("video", "model", "", house.room)
    until(lambda: german.choices)
    english = house.ada.autocomplete("video", "model", "", house.room)
    until(lambda: english.choices)
    assert english.choices is not None
    assert "credits" in english.choices[0][0]
    assert english.choices != german.choices
    house.end()


def test_details_of_a_prompt_that_needs_more_than_one_message_are_all_told(house: House) -> None:
    house.start()
    use = house.video(("a *very* long (story) " * 200)[:3990], negative="fog", seed=7)
    told = answered(house.ada.press(house.clip_of(use), "Details"))
    until(lambda: told.followups and house.job_of(use)["id"] in told.followups[-1].text, what="the last line")
    everything = "".join([told.text, *(each.text for each in told.followups)]).replace("\\", "")
    assert everything.count("a *very* long (story)") == 181
    assert all(each.ephemeral for each in told.followups)
    house.end()


def test_a_clip_that_goes_on_from_a_private_one_is_private_unless_said_otherwise(house: House) -> None:
    house.start()
    use = house.video("a secret", private=True)
    house.clip_of(use)
    clip = house.job_of(use)["id"]
    on = answered(house.ada.slash("extend", house.room, clip=clip, prompt="it goes on"))
    assert house.clip_of(on).ephemeral
    openly = answered(house.ada.slash("extend", house.room, clip=clip, prompt="it goes on", private=False))
    assert not house.clip_of(openly).ephemeral
    house.end()


def test_a_clip_that_fits_nowhere_is_behind_a_button_that_is_a_link(house: House) -> None:
    house.start(environ={"REELAY_PUBLIC_URL": "https://films.example.org"})
    house.discord.refuse_uploads_above(100)
    use = house.video("a fox")
    seen = house.shows(use, "more than this chat takes", 90)
    (link,) = [each.url for each in seen.buttons if each.url]
    assert link.startswith("https://films.example.org/")
    assert "\\" not in link
    house.end()
