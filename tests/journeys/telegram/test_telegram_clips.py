"""A clip by words, by picture, by reply and by album, wherever it is asked for: one card, and it becomes the clip."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from PIL import Image

from tests.journeys.telegram.house import House
from tests.lab.clips import clip_bytes
from tests.lab.telegram import Chat, File, Place, Seen, picture
from tests.lab.waiting import until
from tests.media.hostile import photo

pytestmark = pytest.mark.journey

PLACES = ("private", "group", "supergroup", "topic", "general")


@pytest.fixture(scope="module")
def paced() -> bool:
    """How fast cards and clips may follow one another is asked in test_telegram_faults.py and test_telegram_crowds.py."""
    return False


@pytest.fixture(scope="module")
def generators() -> list[dict[str, Any]]:
    """One that takes several pictures and a last one."""
    return [{"name": "many", "price": 20, "reference_images": 3, "last_frame": True, "poll_seconds": [0.05, 0.2]}]


def place_for(home: House, kind: str) -> Place | Chat | None:
    """Where Ada is."""
    match kind:
        case "private":
            return None
        case "group":
            return home.telegram.add_group("Friends", home.bob, home.ada)
        case "supergroup":
            return home.room
    forum = home.telegram.add_supergroup("Clips", home.bob, home.ada, forum=True)
    return home.telegram.add_topic(forum, "Films") if kind == "topic" else home.telegram.general(forum)


def command(home: House, place: object, words: str = "") -> str:
    """The words with the command that a group needs."""
    return words if place is None else f"/video@{home.telegram.bot.username} {words}".strip()


def test_words_become_a_clip_in_the_same_message(home: House) -> None:
    card = home.running()
    assert home.now(card).labels == ["✖ Cancel"]
    home.vendor.finish("whale")
    seen = home.clip_of(card)
    assert "Made with" in seen.text
    assert [each.id for each in home.ada.received()] == [card.id]
    assert seen.clip is not None
    assert seen.clip.data == clip_bytes()
    assert seen.clip.measures == (320, 180, 1)
    assert seen.clip.thumbnail is not None
    assert seen.clip.cover is not None
    assert {line["operation"] for line in home.requests("sendVideo")} == set()
    home.end()


@pytest.mark.parametrize("kind", PLACES)
def test_words_everywhere(home: House, kind: str) -> None:
    place = place_for(home, kind)
    said = home.ada.say(command(home, place, "a fox"), place)
    card = home.card_of(said, place=place)
    seen = home.clip_of(card)
    assert seen.reply_to == said.id
    assert seen.thread == (place.topic.id if kind == "topic" and isinstance(place, Place) and place.topic else None)
    assert len(home.ada.received(place)) == 1
    assert home.jobs() == 1
    home.end()


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("as_file", [False, True], ids=["photo", "file"])
def test_a_picture_with_a_caption_everywhere(home: House, kind: str, as_file: bool) -> None:
    place = place_for(home, kind)
    words = command(home, place, "it begins to move")
    file = File("a.jpg", photo(), "image/jpeg")
    said = home.ada.document(file, words, place) if as_file else home.ada.photo(picture(), words, place)
    home.clip_of(home.card_of(said, place=place))
    (job,) = home.submitted("it begins to move")
    assert job.picture is not None
    home.end()


@pytest.mark.parametrize("kind", PLACES)
def test_a_command_as_a_reply_to_a_picture_everywhere(home: House, kind: str) -> None:
    place = place_for(home, kind)
    shown = (
        home.bob.photo(picture(), "my cat", place) if place is not None else home.ada.photo(picture(), "--ask", place)
    )
    said = home.ada.say(
        command(home, place, "it wakes up") if place is not None else "/video it wakes up", place, reply_to=shown
    )
    home.clip_of(home.card_of(said, place=place))
    (job,) = home.submitted("it wakes up")
    assert job.picture is not None
    home.end()


@pytest.mark.parametrize("kind", PLACES)
def test_an_album_everywhere_becomes_references(home: House, kind: str) -> None:
    place = place_for(home, kind)
    if place is not None:
        home.telegram.office.whole_albums = True
    words = command(home, place, "all of them --model many")
    said = home.ada.album([picture(), picture(), picture()], words, place, order=[1, 0, 2])
    spoken = next(each for each in said if each.text)
    home.clip_of(home.card_of(spoken, place=place))
    (job,) = home.submitted("all of them")
    assert job.picture is None
    assert len(job.references) == 3
    assert home.jobs() == 1
    home.end()


def test_an_album_on_a_generator_that_takes_one_picture_says_so(home: House) -> None:
    said = home.ada.album([picture(), picture()], "two cats")
    seen = home.clip_of(home.card_of(said[0]))
    assert "first" in seen.text
    (job,) = home.submitted("two cats")
    assert job.picture is not None
    home.end()


def widths(*pictures: bytes | None) -> list[int]:
    return [Image.open(io.BytesIO(each)).width for each in pictures if each is not None]


def test_a_clip_ends_with_the_last_picture_of_an_album(home: House) -> None:
    album = [picture(64), picture(72), picture(80)]
    said = home.ada.album(album, "from here to there --model many --ends")
    home.clip_of(home.card_of(next(each for each in said if each.text)))
    (job,) = home.submitted("from here to there")
    assert (job.picture, widths(*job.references), widths(job.last_picture)) == (None, [64, 72], [80])
    home.end()


@pytest.mark.parametrize("how", ["under it", "as a reply", "after its price"])
def test_a_clip_ends_with_a_single_picture(home: House, how: str) -> None:
    if how == "as a reply":
        shown = home.ada.photo(picture(72), "--ask")
        said = home.ada.say("/video it arrives --last --model many", reply_to=shown)
        card = home.card_of(said)
    else:
        ask = "—price" if how == "after its price" else ""
        said = home.ada.photo(picture(72), f"—ends it arrives --model many {ask}")
        card = home.card_of(said)
    if how == "after its price":
        assert "20 credits" in card.text
        home.ada.press(card, "Make it")
        until(home.clips_in, 30, "the clip")
    else:
        home.clip_of(card)
    (job,) = home.submitted("it arrives")
    assert (job.picture, job.references, widths(job.last_picture)) == (None, (), [72])
    home.end()


def test_an_end_without_a_picture_is_told_in_clear_words(home: House) -> None:
    clip = home.clip_of(home.video("a fox"))
    asked = [
        home.ada.say("/video it arrives --ends --model many"),
        home.ada.say("/video it arrives --ends --model many --price"),
        home.ada.say("/extend it arrives --last", reply_to=clip),
        home.ada.say("/video it arrives --last --model many", reply_to=clip),
    ]
    for said in asked:
        assert home.card_of(said).text == (
            "“--ends” is about the picture with which the clip ends. Send it along: alone, or as the last one of an album."
        )
    elsewhere = home.ada.photo(picture(), "it arrives --ends --model lab")
    assert (
        home.card_of(elsewhere).text == "Lab lab cannot end a clip with a picture of yours. Leave the last picture out."
    )
    home.reelay.wait_quiet()
    assert home.jobs() == 1
    home.end()


def test_a_late_part_of_an_album_makes_no_second_clip(home: House) -> None:
    said = home.ada.album([picture(), picture()], "two cats", pause=1.6)
    home.clip_of(home.card_of(said[0]))
    home.reelay.wait_quiet()
    assert home.jobs() == 1
    assert len(home.ada.received()) == 1
    home.end()


def test_an_album_whose_words_come_late_waits_for_them(home: House) -> None:
    said = home.ada.album([picture(), picture()], "two cats", order=[1, 0], pause=1.6)
    home.clip_of(home.card_of(next(each for each in said if each.text)))
    assert home.jobs() == 1
    assert len(home.submitted("two cats")) == 1
    home.end()


def test_words_of_an_album_that_come_too_late_are_answered(home: House) -> None:
    said = home.ada.album([picture(), picture()], "two cats", order=[1, 0], pause=3.2)
    spoken = next(each for each in said if each.text)
    assert "too late" in home.card_of(spoken).text
    home.reelay.wait_quiet()
    assert home.jobs() == 1
    home.end()


@pytest.mark.parametrize("kind", ["video", "document"])
def test_words_under_a_film_or_a_file_are_no_order(home: House, kind: str) -> None:
    if kind == "video":
        said = home.ada.video(File("meme.mp4", clip_bytes(), "video/mp4"), "LOL look at this")
    else:
        said = home.ada.document(File("a.pdf", b"%PDF-1.4", "application/pdf"), "LOL look at this")
    assert "picture" in home.card_of(said).text
    home.reelay.wait_quiet()
    assert home.jobs() == 0
    home.end()


def test_somebodys_command_is_read_as_they_meant_it(home: House) -> None:
    theirs = home.bob.say("/video@another_bot a cat --9:16", home.room)
    said = home.ada.say(f"/video@{home.telegram.bot.username}", home.room, reply_to=theirs)
    seen = home.clip_of(home.card_of(said, place=home.room))
    assert seen.text.startswith("a cat\n")
    assert "9:16" in seen.text
    home.end()


def test_a_reply_to_a_clip_goes_on_from_its_last_picture(home: House) -> None:
    first = home.clip_of(home.video("a fox", home.room))
    said = home.bob.say(f"/video@{home.telegram.bot.username} and it runs away", home.room, reply_to=first)
    home.clip_of(home.card_of(said, home.bob, home.room))
    (job,) = home.submitted("and it runs away")
    assert job.picture is not None
    home.end()


def test_the_options_that_were_written_are_those_of_the_clip(home: House) -> None:
    said = home.ada.say('/video a castle --9:16 --4s --seed 7 --no "fog, people"')
    seen = home.clip_of(home.card_of(said))
    assert "4 s · 9:16 · 720p" in seen.text
    assert "seed 7" in seen.text
    home.end()


@pytest.mark.parametrize(
    "words, told",
    [
        ("/video a castle --12s", "“duration” must be 4, 6 or 8"),
        ("/video a castle --colour red", "--colour"),
        ("/video a castle --seed", "--seed 7"),
        ("/nothing", "/help"),
        ("/video", "prompt"),
    ],
)
def test_what_cannot_be_is_explained_and_costs_nothing(home: House, words: str, told: str) -> None:
    said = home.ada.say(words)
    answer = home.card_of(said)
    assert told in answer.text
    assert answer.labels == []
    home.reelay.wait_quiet()
    assert home.jobs() == 0
    home.end()


def test_something_that_is_no_picture_is_told_in_clear_words(home: House) -> None:
    said = home.ada.document(File("a.pdf", b"%PDF-1.4", "application/pdf"))
    assert "picture" in home.card_of(said).text
    assert home.jobs() == 0
    home.end()


def test_an_edited_message_makes_no_second_clip(home: House) -> None:
    said = home.ada.say("a foks")
    home.clip_of(home.card_of(said))
    home.ada.edit(said, "a fox")
    second = home.ada.say("a bear")
    home.clip_of(home.card_of(second))
    assert home.jobs() == 2
    assert len(home.ada.received()) == 2
    home.end()


def test_a_deleted_prompt_is_still_answered(home: House) -> None:
    home.script("whale", seconds=None)
    said = home.ada.say(command(home, home.room, "whale"), home.room)
    until(lambda: home.submitted("whale"), what="the submit")
    home.ada.delete(said)
    home.vendor.finish("whale")
    until(lambda: home.clips_in(home.room), 30, "the clip")
    assert len(home.ada.received(home.room)) == 1
    home.end()


def test_what_a_group_says_to_others_is_none_of_our_business(home: House) -> None:
    home.telegram.promote(home.room)
    home.ada.say("nobody means you", home.room)
    home.ada.say("/video@another_bot a fox", home.room)
    home.ada.photo(picture(), "holidays", home.room)
    home.ada.album([picture(), picture()], "more holidays", home.room)
    home.clip_of(home.video("a bear", home.room))
    home.reelay.wait_quiet()
    assert home.jobs() == 1
    assert len(home.ada.received(home.room)) == 1
    home.end()


def test_a_private_clip_of_a_group_comes_to_the_person_alone(home: House) -> None:
    said = home.ada.say(f"/video@{home.telegram.bot.username} a secret --private", home.room)
    until(home.clips_in, 30, "the clip")
    assert home.ada.received(home.room) == []
    assert home.job_of(said)["shown_in"] is None
    home.end()


def test_a_private_clip_of_somebody_without_a_private_chat_costs_nothing(home: House) -> None:
    eve = home.telegram.add_person("eve")
    room = home.telegram.add_supergroup("Attic", eve)
    said = eve.say(f"/video@{home.telegram.bot.username} a secret --private", room)
    answer = home.card_of(said, eve, room)
    assert f"@{home.telegram.bot.username}" in answer.text
    home.reelay.wait_quiet()
    assert home.jobs() == 0
    home.end()


def test_nothing_in_a_prompt_is_markup_a_mention_or_a_command(home: House) -> None:
    words = "<b>&amp; @ada_lovelace /forget #tag https://evil.example x.example *x* _y_"
    card = home.video(words)
    seen = home.clip_of(card)
    assert {kind for kind, _ in seen.marks} <= {"bold", "italic"}
    assert "<b>&amp;" in seen.text
    home.end()


def test_the_command_gets_an_emoji_when_it_is_seen_and_when_it_is_done(home: House) -> None:
    home.script("whale", seconds=None)
    said = home.ada.say("whale")
    until(lambda: home.now(said).reactions == ("👀",), what="the eyes")
    until(lambda: home.submitted("whale"), what="the submit")
    home.later(6.0)
    home.vendor.finish("whale")
    home.clip_of(home.card_of(said))
    home.in_time(lambda: home.now(said).reactions == ("🎉",), 2.5, what="the end")
    home.end()


def test_after_more_than_a_minute_one_short_reply_rings(home: House) -> None:
    card = home.running("whale", home.room)
    home.later(70)
    home.vendor.finish("whale")
    home.clip_of(card)
    until(lambda: len(home.ada.received(home.room)) == 2, 30, "the notice")
    notice = home.ada.received(home.room)[-1]
    assert notice.reply_to == card.id
    assert notice.marked("text_link") == ["Ada"]  # Telegram makes a mention of it, which rings (Bot API, "HTML style")
    assert notice.message.entities[0]["url"] == f"tg://user?id={home.ada.id}"
    home.end()


def per_cent(seen: Seen) -> int | None:
    """How much of the bar is full."""
    found = re.search(r"(\d+) %", seen.text)
    return int(found[1]) if found else None


def test_the_card_rises_and_tells_the_time_that_is_left(home: House) -> None:
    card = home.running()
    for _ in range(3):
        before = per_cent(home.now(card)) or 0
        home.in_time(lambda at=before: (per_cent(home.now(card)) or 0) > at, 12, what="more of the bar")  # type: ignore[misc] # bound
    home.vendor.finish("whale")
    seen = home.clip_of(card)
    shown = [n for n in (per_cent(moment.seen) for moment in home.ada.history(card)) if n is not None]
    assert shown == sorted(shown)
    assert len(set(shown)) >= 3
    assert "about" in home.ada.history(card)[-2].seen.text
    assert seen.clip is not None
    home.end()
