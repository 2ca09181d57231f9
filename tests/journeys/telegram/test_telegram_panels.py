"""What people look at and set: help, lists, credits, settings, deep links, leaving. What is personal is told to the person alone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.journeys.telegram.house import House
from tests.lab.telegram import Chat, Person, Place, Press, Seen
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def paced() -> bool:
    """Many messages in few seconds."""
    return False


@pytest.fixture(scope="module")
def generators() -> list[dict[str, Any]]:
    """A second one, to choose from."""
    return [{"name": "other", "price": 20, "poll_seconds": [0.05, 0.2]}]


def told(home: House, person: Person, text: str, place: Place | Chat | None = None, **more: Any) -> Seen:
    """Say something, and wait for the next message that the bot writes to the person alone."""
    before = {each.id for each in person.received()}
    person.say(text, place, **more)
    return until(lambda: next((each for each in person.received() if each.id not in before), None), what="an answer")  # type: ignore[return-value]


def answered(home: House, text: str, place: Place | Chat | None, person: Person | None = None) -> Seen:
    """Say something where others are, and wait for what answers it there."""
    who = person or home.ada
    return home.card_of(who.say(text, place), who, place)


def pressed(home: House, person: Person, card: Seen, label: str) -> Press:
    press = person.press(home.now(card) if person is home.ada else card, label)
    until(lambda: press.answered, what="the button's answer")
    return press


def labels(seen: Seen) -> list[str]:
    return [str(each) for each in seen.labels]


# ------------------------------------------------------------------------------------------------------------------------- public


def test_start_and_help_name_every_command(home: House) -> None:
    welcome = told(home, home.ada, "/start")
    for name in ("video", "jobs", "gallery", "settings", "privacy", "forget", "report"):
        assert f"/{name} " in welcome.text
    bot = home.telegram.bot.username
    there = answered(home, f"/help@{bot}", home.room)
    assert f"/video@{bot} " in there.text
    assert told(home, home.ada, "/start whatever").text == welcome.text
    home.end()


def test_privacy_is_told_to_everybody(home: House) -> None:
    assert "Privacy" in told(home, home.ada, "/privacy").marked("bold")
    assert "erased" in answered(home, f"/privacy@{home.telegram.bot.username}", home.room).text
    home.end()


def test_an_example_becomes_a_clip(home: House) -> None:
    panel = told(home, home.ada, "/start demo")
    assert "40 credits" in panel.text
    assert labels(panel)[2] == "Make 3"
    before = {each.id for each in home.ada.received()}
    pressed(home, home.ada, panel, "Make 3")
    card = until(lambda: next((e for e in home.ada.received() if e.id not in before), None), what="the card")
    home.clip_of(card)  # type: ignore[arg-type]
    assert len(home.submitted("neon city")) == 1
    home.end()


def test_the_demo_makes_a_clip_at_once_where_it_is_free(house: House) -> None:
    house.start(environ={"VIDEO_TOKEN_COST": "0"})
    house.clip_of(house.card_of(house.ada.start("demo")))
    assert len(house.submitted("lighthouse")) == 1
    house.end()


# --------------------------------------------------------------------------------------------------------------------------- lists


def test_jobs_lists_what_is_live_and_stops_it_there(home: House) -> None:
    done = home.clip_of(home.video("a red fox"))
    live = home.running("a slow whale")
    panel = told(home, home.ada, "/jobs")
    assert "a red fox" in panel.text
    assert labels(panel) == ["✖ a slow whale"]
    press = pressed(home, home.ada, panel, "✖ a slow whale")
    assert press.text
    home.shows(panel, "Cancel")
    assert home.now(panel).buttons == []
    home.shows(live, "Cancelled")
    assert done.clip is not None
    home.end()


def test_in_a_group_the_list_goes_to_the_private_chat(home: House) -> None:
    home.clip_of(home.video("my own fox"))
    panel = told(home, home.ada, f"/jobs@{home.telegram.bot.username}", home.room)
    assert "my own fox" in panel.text
    assert home.ada.received(home.room) == []
    home.end()


def test_who_has_no_private_chat_gets_a_button_that_leads_to_one(home: House) -> None:
    eve = home.telegram.add_person("eve")
    room = home.telegram.add_supergroup("Other", home.bob, eve)
    shown = answered(home, f"/quota@{home.telegram.bot.username}", room, eve)
    assert "credits" not in shown.text.lower()
    (button,) = shown.buttons
    assert button.url is not None
    eve.follow(button.url)
    until(lambda: any("Your credits" in each.text for each in eve.received()), what="the quota")
    home.end()


@pytest.mark.parametrize("how", ["reply", "id", "only"])
def test_cancel_by_reply_by_name_and_the_only_one(home: House, how: str) -> None:
    home.script("whale", seconds=None)
    said = home.ada.say("a whale")
    card = home.card_of(said)
    until(lambda: home.submitted("whale"), what="the submit")
    match how:
        case "reply":
            answer = told(home, home.ada, "/cancel", reply_to=card)
        case "id":
            answer = told(home, home.ada, f"/cancel {home.job_of(said)['id']}")
        case _:
            answer = told(home, home.ada, "/cancel")
    assert "ancel" in answer.text or "stopping" in answer.text
    home.shows(card, "Cancelled")
    assert "Nothing of yours" in told(home, home.ada, "/cancel").text
    home.end()


def test_nobody_else_cancels_it(home: House) -> None:
    card = home.running("whale", home.room)
    said = home.bob.say(f"/cancel@{home.telegram.bot.username}", home.room, reply_to=card)
    carl = home.telegram.add_person("carl", started=True)
    home.telegram.founding.join(home.room, carl.user, home.bob.user)
    refused = home.card_of(carl.say(f"/cancel@{home.telegram.bot.username}", home.room, reply_to=card), carl, home.room)
    assert "Only the person" in refused.text
    assert said.id  # who made the group may: its administrator
    home.shows(card, "Cancelled")
    home.end()


def test_resend_posts_the_clip_here_without_an_upload(home: House) -> None:
    place = home.room
    clip = home.clip_of(home.video("a fox", place))
    home.ada.say(f"/resend@{home.telegram.bot.username}", place, reply_to=clip)
    until(lambda: len(home.clips_in(place)) == 2, what="the clip once more")
    forum = home.telegram.add_supergroup("Clips", home.bob, home.ada, forum=True)
    topic = home.telegram.add_topic(forum, "Films")
    said = home.ada.say(f"/resend@{home.telegram.bot.username}", topic)
    again = until(lambda: home.clips_in(topic), what="the clip in the topic")[0]
    assert again.reply_to == said.id
    assert again.thread == topic.topic.id  # type: ignore[union-attr]
    uploads = [line for line in home.requests() if line.get("operation") in ("sendVideo", "editMessageMedia")]
    assert home.jobs() == 1, uploads
    home.end(resent=True)


def test_a_private_clip_is_sent_again_in_private_only(home: House) -> None:
    home.clip_of(home.video("a secret fox"))
    answer = answered(home, f"/resend@{home.telegram.bot.username}", home.room)
    assert "private chat" in answer.text
    until(lambda: len(home.clips_in()) == 2, what="the clip once more")
    assert home.clips_in(home.room) == []
    home.end(resent=True)


def test_what_is_live_or_gone_is_not_sent_again(home: House) -> None:
    card = home.running("whale")
    assert "not finished" in told(home, home.ada, "/resend", reply_to=card).text
    assert "no clip here yet" in told(home, home.ada, "/resend").text
    assert "nothing here by that name" in told(home, home.ada, "/resend abcdefghijkl").text
    home.vendor.finish("whale")
    home.clip_of(card)
    home.end()


def test_a_gallery_turns_its_pages(home: House) -> None:
    for number in range(11):
        home.ada.say(f"fox number {number:02}")
    until(lambda: len(home.clips_in()) == 11, 60, "the clips")
    page = told(home, home.ada, "/gallery")
    assert page.text.count("fox number") == 10
    assert "fox number 00" not in page.text
    assert len(page.buttons) == 6
    pressed(home, home.ada, page, "Older ones")
    home.shows(page, "fox number 00")
    assert labels(home.now(page)) == ["▶️ fox number 00", "Newest"]
    pressed(home, home.ada, page, "Newest")
    home.shows(page, "fox number 10")
    home.end()


def test_a_group_sees_its_own_clips_and_where_they_stand(home: House) -> None:
    bot, forum = home.telegram.bot.username, home.telegram.add_supergroup("Clips", home.bob, home.ada, forum=True)
    topic = home.telegram.add_topic(forum, "Films")
    clip = home.clip_of(home.video("a fox for all", topic))
    home.clip_of(home.video("a fox for me"))
    for place in (topic, home.telegram.general(forum)):
        page = answered(home, f"/gallery@{bot} group", place, home.bob)
        assert "for me" not in page.text
        (entity,) = [each for each in page.message.entities if each["type"] == "text_link"]
        number = str(forum.id).removeprefix("-100")
        assert entity["url"] == f"https://t.me/c/{number}/{topic.topic.id}/{clip.id}"  # type: ignore[union-attr]
        assert page.buttons == []
    assert "No clips here yet" in answered(home, f"/gallery@{bot} group", home.room).text
    home.end()


def test_a_gallery_shows_favourites_and_sends_again_at_a_press(home: House) -> None:
    card = home.clip_of(home.video("a starred fox"))
    home.clip_of(home.video("a plain fox"))
    pressed(home, home.ada, card, "⭐ Favourite")
    until(lambda: "🌟 Unfavourite" in labels(home.now(card)), what="the star")
    panel = told(home, home.ada, "/gallery favourites")
    assert "starred" in panel.text
    assert "plain" not in panel.text
    pressed(home, home.ada, panel, "▶️ a starred fox")
    until(lambda: len(home.clips_in()) == 3, what="the clip once more")
    assert "mine, favourites, group" in told(home, home.ada, "/gallery theirs").text
    assert "group only" in told(home, home.ada, "/gallery group").text
    home.end(resent=True)


# ----------------------------------------------------------------------------------------------------------------------------- me


def test_settings_change_at_a_press_and_show_the_price(home: House) -> None:
    panel = told(home, home.ada, "/settings")
    assert "40 credits" in panel.text
    assert "8 s" in labels(panel)
    pressed(home, home.ada, panel, "8 s")
    home.shows(panel, "Saved")
    assert "✓ 8 s" in labels(home.now(panel))
    pressed(home, home.ada, panel, "9:16")
    until(lambda: "✓ 9:16" in labels(home.now(panel)), what="the shape")
    other = next(each for each in labels(home.now(panel)) if "ther" in each)
    pressed(home, home.ada, panel, other)
    home.shows(panel, "20 credits")
    sql = "SELECT s.key, s.value FROM settings AS s JOIN identities AS i USING (account_id) WHERE i.external_id = ?"
    kept = {row["key"]: row["value"] for row in home.reelay.rows(sql, str(home.ada.id))}
    assert kept == {"duration": "8", "aspect_ratio": '"9:16"', "provider": '"other"'}
    pressed(home, home.ada, panel, "✓ 8 s")
    until(lambda: "8 s" in labels(home.now(panel)), what="the length is nobody's choice any more")
    home.end()


def test_a_setting_that_is_pressed_twice_in_a_row_stays_as_it_was_pressed(home: House) -> None:
    """A crash between the change and its mark makes the same press come once more."""
    panel = told(home, home.ada, "/settings")
    data = panel.button("9:16").data or ""
    queries = [home.telegram.answers.press(home.ada.user, panel.message, data) for _ in range(2)]
    until(lambda: all(query.answer is not None for query in queries), what="the answers")
    home.reelay.wait_quiet()
    until(lambda: "✓ 9:16" in labels(home.now(panel)), what="the shape")
    sql = "SELECT s.value FROM settings AS s JOIN identities AS i USING (account_id) WHERE i.external_id = ?"
    assert home.reelay.value(sql, str(home.ada.id)) == '"9:16"'
    home.end()


def test_settings_are_written_as_well(home: House) -> None:
    panel = told(home, home.ada, "/settings seconds 6 notify off shape 9:16")
    assert "Saved" in panel.text
    assert {"✓ 6 s", "✓ 9:16", "🔕 Off"} <= set(labels(panel))
    assert "aspect, seconds, resolution" in told(home, home.ada, "/settings colour red").text
    assert "4 or 6 or 8" in told(home, home.ada, "/settings seconds 7").text
    assert "✓ 6 s" not in labels(told(home, home.ada, "/settings seconds unset"))
    home.end()


def test_forget_asks_first_and_erases_everything(home: House) -> None:
    said = home.ada.say("a fox to forget")
    home.clip_of(home.card_of(said))
    job = home.job_of(said)["id"]
    panel = told(home, home.ada, "/forget")
    assert home.reelay.value("SELECT hidden FROM jobs WHERE id = ?", job) == 0
    pressed(home, home.ada, panel, "Erase it all")
    home.shows(panel, "1 job")
    assert home.now(panel).buttons == []
    assert home.clip_files() == set()
    assert "I keep nothing about you" in told(home, home.ada, "/forget").text
    home.end(known="the vendor billed an attempt that nobody knows")


# ---------------------------------------------------------------------------------------------------------------------- deep links


def test_a_link_to_a_job_shows_its_state_and_brings_its_clip(home: House) -> None:
    home.script("whale", seconds=None)
    said = home.ada.say(f"/video@{home.telegram.bot.username} whale", home.room)
    card = home.card_of(said, place=home.room)
    until(lambda: home.submitted("whale"), what="the submit")
    job = home.job_of(said)["id"]
    assert "whale" in told(home, home.ada, f"/start job_{job}").text
    assert "Only the person" in told(home, home.bob, f"/start job_{job}").text
    home.vendor.finish("whale")
    home.clip_of(card)
    home.ada.start(f"job_{job}")
    until(lambda: len(home.clips_in()) == 1, what="the clip in private")
    home.end(resent=True)


def test_a_link_asks_how_a_clip_is_to_be_remixed(home: House) -> None:
    said = home.ada.say("a grey fox")
    home.clip_of(home.card_of(said))
    question = told(home, home.ada, f"/start remix_{home.job_of(said)['id']}")
    assert question.asks
    assert "a grey fox" in question.text
    card = home.card_of(home.ada.reply(question, "a silver fox"))
    home.clip_of(card)
    assert len(home.submitted("a silver fox")) == 1
    home.end()


def test_links_to_panels(home: House) -> None:
    for payload, words in (
        ("quota", "Your credits"),
        ("jobs", "Nothing here yet"),
        ("gallery", "No clips here yet"),
        ("settings", "Your usual settings"),
        ("forget", "erase"),
    ):
        assert words in told(home, home.ada, f"/start {payload}").text
    home.end()


def test_who_is_not_invited_gets_a_welcome_and_nothing_else(house: House) -> None:
    house.start(environ={"REELAY_ALLOWED": f"telegram:user:{house.bob.id}"})
    assert "/video" in told(house, house.ada, "/start").text
    for payload in ("demo", "jobs", "settings"):
        assert "not open to everybody" in told(house, house.ada, f"/start {payload}").text
    panel = answered(house, f"/examples@{house.telegram.bot.username}", house.room, house.bob)
    press = house.ada.press(panel, "Make 1")
    until(lambda: press.answered, what="the button's answer")
    assert "not open to everybody" in press.text
    assert house.jobs() == 0
    assert re.search("nothing to erase|cannot be undone", told(house, house.ada, "/forget").text)
    house.end()
