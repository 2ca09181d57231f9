"""Films in a Telegram chat: an idea becomes a storyboard in one message, its scenes are changed there, and the message becomes the film."""

from __future__ import annotations

from typing import Any

import pytest

from bot.platforms.telegram.render import TEXT_MOST, units
from tests.journeys.telegram.house import House
from tests.lab.telegram import Chat, File, Person, Place, Seen, picture
from tests.lab.waiting import until
from tests.media.canned import tone

pytestmark = pytest.mark.journey

READY = "The storyboard is ready"
MONTH = 30 * 86_400 + 60


@pytest.fixture(scope="module")
def paced() -> bool:
    return False


@pytest.fixture(scope="module")
def generators() -> list[dict[str, Any]]:
    """Another one, to which a scene can be moved."""
    return [{"name": "other", "price": 25, "poll_seconds": [0.05, 0.2]}]


def song() -> File:
    return File("tone.wav", tone(), "audio/x-wav")


def storyboard(home: House, words: str, place: Place | Chat | None = None) -> Seen:
    """Order a film; returns its card once it waits for a yes."""
    command = "/film" if place is None else f"/film@{home.telegram.bot.username}"
    return awaited(home, home.ada.say(f"{command} {words}", place), place)


def awaited(home: House, said: Seen, place: Place | Chat | None = None) -> Seen:
    return home.shows(home.card_of(said, place=place), READY, 60)


def label(card: Seen, words: str) -> str:
    """The whole text of the first button that says ``words``."""
    return next(each for each in card.labels if words in each)


def press(home: House, card: Seen, words: str, person: Person | None = None) -> str:
    """Press the button that says ``words``, as soon as it is there; returns what popped up."""
    until(lambda: any(words in each for each in home.now(card).labels), 30, f"the button {words!r}")
    pressed = (person or home.ada).press(card, label(home.now(card), words))
    until(lambda: pressed.answered, 20, f"the answer to {words!r}")
    return pressed.text


def question(home: House, place: Place | Chat | None = None) -> Seen:
    """The question that was asked last."""
    return until(lambda: next((each for each in home.ada.received(place) if each.asks), None), 20, "the question")  # type: ignore[return-value]


def scenes(card: Seen) -> list[str]:
    """The scenes in a storyboard's text."""
    return [line.partition(". ")[2] for line in card.text.split("\n") if line[:1].isdigit() and ". " in line[:4]]


def film(home: House) -> dict[str, Any]:
    """The newest film's row."""
    return dict(home.reelay.rows("SELECT * FROM jobs WHERE kind = 'film' ORDER BY rowid DESC LIMIT 1")[0])


def spent(home: House) -> int:
    """Credits of the newest film and all its jobs."""
    sql = "SELECT COALESCE(SUM(charged), 0) FROM jobs WHERE id = ? OR parent_id = ?"
    return int(home.reelay.value(sql, film(home)["id"], film(home)["id"]))


def test_an_idea_becomes_a_film_in_one_message_and_is_found_again(home: House) -> None:
    words = (
        'a <robot> visits @somebody --scenes 3 --character "silver robot" --9:16 --4s --title "Harbour" --music none'
    )
    card = storyboard(home, words)
    assert ("Harbour" in card.text, "3 scenes of 4 s · 9:16" in card.text, "music" in card.text) == (True, True, False)
    assert len(scenes(card)) == 3
    assert units(card.text) < TEXT_MOST
    assert [row[0].text for row in card.rows[:1]] == ["🎬 Make it · 120 credits"]
    assert home.submitted("robot") == [], "nothing is made before somebody says so"
    assert press(home, card, "Make it") == "Got it."
    done = home.clip_of(card, 60)
    assert done.clip is not None
    assert (len(home.submitted("robot")), home.paid(), spent(home)) == (3, [1, 1, 1], 120)
    assert len(home.clips_in()) == 1
    listed = home.card_of(home.ada.say("/jobs"))
    assert "Harbour" in listed.text
    assert listed.text.count("•") == 1, "the scenes are no jobs of their own"
    assert home.card_of(home.ada.say("/gallery")).text.count("Harbour") == 1
    home.clip_of(home.card_of(home.ada.reply(done, "/resend")))
    offered = home.ada.inline("robot")
    until(lambda: offered.results is not None, what="the inline answer")
    assert [each["title"] for each in offered.results or ()] == ["Harbour"]
    home.clip_of(home.card_of(home.ada.start(f"job_{film(home)['id']}")))
    assert press(home, done, "Again") == "Got it."
    anew = until(lambda: next((m for m in home.ada.received() if READY in m.text), None), 60, "the same film anew")
    assert anew is not None
    assert "3 scenes of 4 s · 9:16" in anew.text
    home.card_of(home.ada.reply(anew, "/cancel"))
    home.shows(anew, "Cancelled")
    home.end(resent=True)


def test_a_topic_of_a_group_has_its_film_and_nobody_else_presses(home: House) -> None:
    forum = home.telegram.add_supergroup("Films", home.olga, home.ada, home.bob, forum=True)
    topic = Place(forum, home.telegram.founding.add_topic(forum, "Harbour"))
    card = storyboard(home, "a robot visits a harbour --scenes 2", topic)
    for words in ("Make it", "Scenes", "Cancel"):
        assert press(home, card, words, home.bob) == "Only the person who made this clip can do that."
    assert film(home)["state"] == "awaiting"
    first, second = home.ada.press(card, label(card, "Make it")), home.ada.press(card, label(card, "Make it"))
    until(lambda: first.answered and second.answered, what="both answers")
    done = home.clip_of(card, 60)
    assert done.thread == card.thread == topic.topic.id  # type: ignore[union-attr]
    assert (len(home.submitted("robot")), spent(home)) == (2, 80)
    home.end()


def test_a_storyboard_is_changed_in_its_message(home: House) -> None:
    card = storyboard(home, "a robot visits a harbour --scenes 3")
    first, second, third = scenes(card)
    press(home, card, "Scenes")
    listed = home.now(card)
    assert [each[:2] for each in listed.labels[:3]] == ["1.", "2.", "3."]
    press(home, card, "2. ")
    assert "Scene 2 of 3" in home.now(card).text
    assert second in home.now(card).text.replace("\u2060", "")
    press(home, card, "Earlier")
    home.shows(card, "Scene 1 of 3")
    press(home, card, "Edit")
    asked = question(home)
    assert second.rstrip("…") in asked.text
    answer = home.ada.reply(asked, "A tiger <sleeps> on the roof of @harbour")
    assert home.card_of(answer).text == "Scene 1 has its new words."
    until(lambda: home.ada.look(asked) is None, what="the end of the question")
    home.shows(card, "A tiger <sleeps>")
    press(home, card, "Add one after it")
    home.card_of(home.ada.reply(question(home), "A whale looks in"))
    press(home, card, "All scenes")
    press(home, card, "4. ")
    press(home, card, "Write anew")
    press(home, card, "All scenes")
    press(home, card, "3. ")
    press(home, card, "Remove")
    press(home, card, "Back")
    ready = home.shows(card, READY)
    until(lambda: scenes(home.now(card))[-1] != third, 30, "the scene that was written anew")
    found = scenes(home.now(card))
    assert (len(found), found[0].replace("\u2060", ""), found[1]) == (
        3,
        "A tiger <sleeps> on the roof of @harbour",
        "A whale looks in",
    )
    assert first not in found
    assert "120 credits" in label(ready, "Make it")
    press(home, card, "Make it")
    home.clip_of(card, 60)
    assert len(home.submitted("tiger")) == len(home.submitted("whale")) == 1
    home.end()


def test_twenty_scenes_have_pages(home: House) -> None:
    card = storyboard(home, "a robot visits a harbour --scenes 20")
    assert len(scenes(card)) == 20
    press(home, card, "Scenes")
    press(home, card, "▶")
    press(home, card, "▶")
    assert [each.partition(".")[0] for each in home.now(card).labels if ". " in each] == ["17", "18", "19", "20"]
    assert "Add" not in " ".join(home.now(card).labels)
    press(home, card, "20. ")
    assert "Scene 20 of 20" in home.now(card).text
    press(home, card, "All scenes")
    press(home, card, "◀")
    press(home, card, "Back")
    press(home, card, "Cancel")
    home.shows(card, "Cancelled")
    assert spent(home) == 0
    home.end()


def test_a_film_whose_scene_was_refused_is_a_film_and_the_scene_is_tried_again(home: House) -> None:
    home.script("tiger", fails="content")
    card = storyboard(home, "a robot visits a harbour --scenes 2")
    press(home, card, "Scenes")
    press(home, card, "2. ")
    press(home, card, "Edit")
    home.card_of(home.ada.reply(question(home), "A tiger sleeps"))
    press(home, card, "All scenes")
    press(home, card, "Back")
    press(home, card, "Make it")
    done = home.clip_of(card, 60)
    until(lambda: any("Try 1 scene again · 40 credits" in each for each in home.now(card).labels), 20, "the retry")
    assert ("declined" in home.now(card).text, spent(home)) == (True, 40)
    press(home, card, "Try 1 scene again")
    until(lambda: len(home.submitted("tiger")) == 2, 30, "the second try")
    until(lambda: film(home)["state"] == "done", 40, "the second end")
    press(home, card, "Scenes")
    press(home, card, "2. ")
    assert {"🔀 With Lab other · 25 credits"} <= set(home.now(card).labels)
    press(home, card, "Change the words")
    assert "for 40 credits" in question(home).text
    home.card_of(home.ada.reply(question(home), "A lion sleeps"))
    until(lambda: len(home.submitted("lion")) == 1, 30, "the scene in other words")
    home.shows(card, "A film made with", 60)
    assert (spent(home), len(home.paid())) == (80, 4)
    assert not any("again ·" in each for each in home.now(card).labels)
    assert done.id == home.now(card).id
    assert len(home.clips_in()) == 1
    home.end(resent=True)


def test_a_scene_is_moved_to_another_generator(home: House) -> None:
    home.script("robot", fails="content")
    card = storyboard(home, "a robot visits a harbour --scenes 1")
    press(home, card, "Make it")
    until(lambda: any("Try 1 scene again" in each for each in home.now(card).labels), 40, "the retry")
    home.vendor.forget_scripts()
    press(home, card, "Scenes")
    press(home, card, "1. ")
    press(home, card, "With Lab other")
    home.clip_of(card, 60)
    assert spent(home) == 25
    home.end()


@pytest.mark.parametrize("as_reply", [True, False], ids=["as a reply", "under the song"])
def test_a_song_is_what_a_film_is_cut_to(home: House, as_reply: bool) -> None:
    if as_reply:
        said = home.ada.reply(home.ada.audio(song()), "/film a robot visits a harbour --scenes 1")
    else:
        said = home.ada.voice(song(), "/film a robot visits a harbour --scenes 1")
    card = awaited(home, said)
    assert "your song (6 s)" in card.text
    press(home, card, "Make it")
    home.clip_of(card, 60)
    home.end()


def test_what_no_film_is_made_of_is_said(home: House) -> None:
    def answer(said: Seen) -> str:
        return home.card_of(said).text

    home.telegram.shelf.download_limit = 1000
    big = File("song.mp3", b"x" * (21 << 20), "audio/mpeg")
    assert "up to 20 MB, and it has 22 MB" in answer(home.ada.audio(big, "/film a robot"))
    home.telegram.shelf.download_limit = None
    assert "nothing else" in answer(home.ada.video(File("a.mp4", b"x", "video/mp4"), "/film a robot"))
    assert "from 1 to 20" in answer(home.ada.say("/film a robot --scenes 21"))
    assert "crossfade" in answer(home.ada.say("/film a robot --transition wipe"))
    assert "--character" in answer(home.ada.say("/film a robot --charcter x"))
    assert "what the film is about" in answer(home.ada.say("/film --scenes 3"))
    assert "one picture" in answer(home.ada.album([picture(), picture()], "/film a robot")[0])
    assert home.jobs() == 0
    home.telegram.refuse("getFile", "Bad Request: wrong file_id or the file is temporarily unavailable", times=9)
    home.shows(home.card_of(home.ada.audio(song(), "/film a robot")), "A file of this film is gone")
    home.end()


def test_a_picture_is_the_character_and_is_shown_when_asked_for(home: House) -> None:
    card = awaited(home, home.ada.photo(picture(300, 300), "/film a walk --scenes 1 --character “my hero”"))
    press(home, card, "Scenes")
    press(home, card, "Character")
    shown = until(lambda: next((m for m in home.ada.received() if m.picture), None), 20, "the picture")
    assert shown is not None
    assert (shown.text, shown.reply_to) == ("my hero", card.id)
    press(home, card, "Back")
    press(home, card, "Cancel")
    home.end()


def test_three_variations_of_a_clip(home: House) -> None:
    said = home.ada.say("/video a robot --variations 3")
    until(lambda: len(home.clips_in()) == 3, 60, "three clips")
    assert {each.reply_to for each in home.clips_in()} == {said.id}
    assert (len(home.submitted("robot")), home.paid()) == (3, [1, 1, 1])
    priced = home.card_of(home.ada.say("/video a robot --variations 3 --price"))
    assert any("120" in each for each in priced.labels)
    home.end()


def test_a_clip_that_goes_on_is_joined_with_the_one_before(home: House) -> None:
    clip = home.clip_of(home.video("a lighthouse"))
    said = home.ada.say("/extend a storm comes --join true", reply_to=clip)
    home.clip_of(home.card_of(said))
    assert home.job_of(said)["kind"] == "merge"
    assert len(home.submitted("storm")) == 1
    home.end()


def test_a_template_is_kept_filled_in_and_forgotten(home: House) -> None:
    saved = home.card_of(home.ada.say("/examples save dusk {subject} at {time|dusk}, slow"))
    assert "Kept as the template dusk." in saved.text
    assert "dusk, noir" in home.card_of(home.ada.say("/examples")).text
    home.ada.say('/video --template dusk --fill "subject=a robot"')
    until(lambda: home.submitted("a robot at dusk, slow"), 30, "the clip of the template")
    gone = home.card_of(home.ada.say("/examples drop dusk"))
    assert "The template dusk is forgotten." in gone.text
    refused = home.card_of(home.ada.say("/video a robot --template dusk"))
    assert "noir" in refused.text
    until(lambda: len(home.clips_in()) == 1, 60, "the clip")
    home.end()


def test_a_storyboard_that_nobody_wanted_for_a_month_is_closed_and_its_person_is_told(house: House) -> None:
    house.start()
    card = storyboard(house, "a boat nobody builds --scenes 2")
    house.later(MONTH)
    house.shows(card, "waited for 30 days")
    told: Seen = until(
        lambda: next((each for each in house.ada.received() if each.reply_to == card.id), None), 20, "it"
    )  # type: ignore[assignment]
    assert told.text.startswith("Ada: ")
    assert told.text.endswith("You were not charged for any scene.")
    assert not any("Make it" in each for each in house.now(card).labels)
    house.end()


@pytest.mark.parametrize("point", ["awaiting", "making"])
def test_a_kill_leaves_the_film_and_its_buttons(house: House, point: str) -> None:
    house.start()
    house.script("robot", seconds=None)
    card = storyboard(house, "a robot visits a harbour --scenes 2")
    if point == "awaiting":
        press(house, card, "Scenes")
        press(house, card, "2. ")
        house.reelay.kill()
        house.restart()
        press(house, card, "Earlier")
        house.shows(card, "Scene 1 of 2")
        press(house, card, "All scenes")
        press(house, card, "Back")
        house.shows(card, READY)
        house.reelay.wait_quiet()
        house.reelay.kill()
        house.reelay.generators[0]["price"] = 50
        house.restart()
        assert "was 80 credits and is 100 credits now" in press(house, card, "Make it · 80")
    press(house, card, "Make it")
    until(lambda: len(house.submitted("robot")) == 2, 40, "both submits")
    if point == "making":
        house.reelay.kill()
        house.restart()
        press(house, card, "Scenes")
        press(house, card, "Back")
    house.vendor.finish("robot")
    house.clip_of(card, 60)
    assert house.paid() == [1, 1]
    house.end()
