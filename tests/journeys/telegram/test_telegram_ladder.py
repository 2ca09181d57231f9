"""The way of a clip to whoever asked: the message becomes it, a new message brings it, never twice, and smaller where it must be."""

from __future__ import annotations

import pytest

from tests.journeys.telegram.house import House
from tests.lab.clips import clip_bytes
from tests.lab.faults import Rule
from tests.lab.telegram import Seen
from tests.lab.waiting import until

pytestmark = pytest.mark.journey

FILE = "Bad Request: wrong file identifier/HTTP URL specified"
BOX = 51_000_000


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """A link is the last rung, and needs an address; what waits for room in a chat waits less long."""
    return {"REELAY_PUBLIC_URL": "https://clips.example", "LAB_HASTE": "4"}


def break_it(rule: Rule, fault: str) -> None:
    """The next request meets this fault."""
    match fault:
        case "cut before":
            rule.cut_before()
        case "cut after":
            rule.cut_after()
        case "garbled":
            rule.garble()
        case _ if fault.endswith("after"):
            rule.error_after(int(fault.split(maxsplit=1)[0]))
        case _:
            rule.status(int(fault))


def finish(home: House) -> None:
    """Let the generator be ready."""
    home.vendor.finish("whale")


def settled(home: House, charged: int = 40) -> None:
    """The job is done, charged and paid for once."""
    home.settle()
    (job,) = home.reelay.rows("SELECT * FROM jobs ORDER BY created_at DESC LIMIT 1")
    assert (job["state"], job["charged"]) == ("done", charged)
    assert home.paid() == [1]


def delivered(home: House) -> str:
    """What became of the newest delivery."""
    return str(home.reelay.value("SELECT state FROM deliveries WHERE kind = 'clip' ORDER BY id DESC LIMIT 1"))


def job_id(home: House) -> str:
    """Of the newest job."""
    return str(home.reelay.value("SELECT id FROM jobs ORDER BY created_at DESC LIMIT 1"))


def one_clip(home: House, seconds: float = 40) -> Seen:
    """Wait for the clip in private, and for the end; it is the only one."""
    home.in_time(home.clips_in, 1.0, seconds, "the clip")
    home.settle()
    (seen,) = home.clips_in()
    return seen


def uploads(home: House) -> list[str]:
    """Calls that brought a file."""
    return [line["operation"] for line in home.requests() if line["files"]]


def without_card(home: House) -> Seen:
    """A running job whose message the person has deleted: its clip can only come as a new one."""
    card = home.running()
    home.ada.delete(card)
    return card


def test_a_message_that_may_not_become_a_film_is_followed_by_one(home: House) -> None:
    card = home.running()
    home.telegram.refuse("editMessageMedia", "Bad Request: message can't be edited")
    finish(home)
    seen = one_clip(home)
    assert seen.id != card.id
    settled(home)
    home.end()


@pytest.mark.parametrize("fault", ["cut before", "cut after", "garbled", "500 after", "502"])
def test_an_edit_that_is_not_answered_is_made_again_in_the_same_message(home: House, fault: str) -> None:
    card = home.running()
    break_it(home.telegram.on("editMessageMedia"), fault)
    finish(home)
    seen = one_clip(home)
    assert seen.id == card.id
    assert [each.id for each in home.ada.received()] == [card.id]
    assert delivered(home) == "sent"
    settled(home)
    home.end()


def test_a_message_that_the_person_deleted_is_replaced_by_a_new_one(home: House) -> None:
    card = without_card(home)
    finish(home)
    seen = one_clip(home)
    assert seen.id != card.id
    assert [each.id for each in home.ada.received()] == [seen.id]
    settled(home)
    home.end()


def test_a_message_that_is_missed_before_the_clip_is_there_is_replaced_too(home: House) -> None:
    without_card(home)
    home.later(6)
    until(lambda: home.requests("editMessageText", 400), what="an edit of what is gone")
    finish(home)
    one_clip(home)
    settled(home)
    home.end()


@pytest.mark.parametrize("fault", ["cut after", "garbled", "500 after", "502 after"])
def test_a_new_message_whose_answer_is_lost_is_never_sent_again_by_itself(home: House, fault: str) -> None:
    without_card(home)
    break_it(home.telegram.on("sendVideo"), fault)
    finish(home)
    one_clip(home)
    home.later(3600)
    home.reelay.wait_quiet()
    assert len(home.clips_in()) == 1
    assert delivered(home) == "unclear"
    settled(home)
    home.end(known=f"the clip of job {job_id(home)} was delivered 0 times")


def test_a_clip_that_may_have_arrived_comes_once_more_when_the_person_asks(home: House) -> None:
    without_card(home)
    home.telegram.on("sendVideo").status(502)  # it was not done, and nobody can tell
    finish(home)
    until(lambda: delivered(home) == "unclear", 40, "the end")
    home.reelay.wait_quiet()
    assert home.clips_in() == []
    home.ada.say("/resend")
    one_clip(home)
    home.end(resent=True)


def test_a_new_message_that_was_certainly_not_sent_is_sent_again_once(home: House) -> None:
    """The server takes no connection: nothing of the call has left."""
    without_card(home)
    home.later(6)
    until(lambda: home.requests("editMessageText", 400), what="an edit of what is gone")
    port = home.telegram.port
    home.telegram.stop()
    finish(home)
    until(lambda: home.reelay.value("SELECT tries FROM deliveries ORDER BY id DESC LIMIT 1"), 30, "a try")
    home.telegram.start(port)
    one_clip(home)
    assert delivered(home) == "sent"
    settled(home)
    home.wait_connected()
    home.end()


def test_too_fast_is_waited_for_and_nothing_is_lost(home: House) -> None:
    card = home.running()
    home.telegram.on("editMessageMedia").times(2).rate_limit(1)
    finish(home)
    assert one_clip(home, 60).id == card.id
    settled(home)
    home.end()


@pytest.mark.parametrize("how", ["becomes", "new"])
def test_a_clip_above_what_telegram_takes_is_encoded_smaller(
    home: House, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    noisy = clip_bytes(seconds=2, noise=60, width=480)
    monkeypatch.setattr("tests.lab.billing.clip_bytes", lambda *_, **__: noisy)
    home.script("whale", seconds=None)
    size = len(noisy)
    home.telegram.refuse_uploads_above(int(size * 0.7))
    card = home.video("whale")
    until(lambda: home.submitted("whale"), what="the submit")
    if how == "new":
        home.ada.delete(card)
    finish(home)
    seen = one_clip(home, 90)
    assert seen.clip is not None
    assert seen.clip.size <= size * 0.7
    assert "smaller" in seen.text
    settled(home)
    home.end()


def test_a_clip_above_fifty_megabytes_is_not_even_tried_whole(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = clip_bytes() + (BOX + 8).to_bytes(4, "big") + b"free" + bytes(BOX)
    monkeypatch.setattr("tests.lab.billing.clip_bytes", lambda *_, **__: whole)
    card = home.video("a whale")
    seen = one_clip(home, 90)
    assert seen.id == card.id
    assert seen.clip is not None
    assert seen.clip.size < 1_000_000
    assert "smaller" in seen.text
    assert home.requests("editMessageMedia", 413) == []
    settled(home)
    home.end()


def test_what_no_encode_makes_small_enough_comes_as_a_link(home: House) -> None:
    home.telegram.refuse_uploads_above(200)
    card = home.video("a whale")
    home.settle()
    seen = home.now(card)
    link = str(seen.button("Download").url)
    assert link.startswith("https://clips.example/")
    assert f"{link}\n" in seen.text
    home.reelay.wait_quiet()
    assert home.clips_in() == []
    assert seen.id == card.id
    settled(home)
    home.end()


def test_a_clip_that_telegram_has_is_never_uploaded_again(home: House) -> None:
    card = home.video("a whale")
    home.clip_of(card)
    home.reelay.wait_quiet()
    assert uploads(home) == ["editMessageMedia"]
    home.ada.say("/resend")
    until(lambda: len(home.clips_in()) == 2, what="the second clip")
    home.ada.say(f"/resend {job_id(home)}")
    until(lambda: len(home.clips_in()) == 3, what="the third clip")
    assert uploads(home) == ["editMessageMedia"]
    assert len({each.clip.stored.unique for each in home.clips_in() if each.clip}) == 1
    home.end(resent=True)


def test_a_name_that_telegram_takes_no_more_is_forgotten_and_the_clip_uploaded_anew(home: House) -> None:
    card = home.video("a whale")
    home.clip_of(card)
    home.reelay.wait_quiet()
    home.telegram.refuse("sendVideo", FILE)
    home.ada.say("/resend")
    until(lambda: len(home.clips_in()) == 2, what="the second clip")
    until(lambda: uploads(home) == ["editMessageMedia", "sendVideo"], what="both uploads in the journal")
    home.ada.say("/resend")
    until(lambda: len(home.clips_in()) == 3, what="the third clip")
    home.reelay.wait_quiet()
    assert uploads(home) == ["editMessageMedia", "sendVideo"]
    home.end(resent=True)


def test_a_thumbnail_and_a_cover_come_with_it_and_an_action_only_while_it_is_sent(home: House) -> None:
    card = home.running()
    home.telegram.delay(2.0, "editMessageMedia")
    finish(home)
    until(lambda: home.telegram.door.inflight["editMessageMedia"], what="the upload")
    home.later(5)
    until(lambda: home.ada.action() == "upload_video", what="the action")
    seen = home.clip_of(card)
    assert seen.clip is not None
    assert seen.clip.thumbnail
    assert seen.clip.cover
    assert seen.clip.measures == (320, 180, 1)
    home.reelay.wait_quiet()
    asked = len(home.requests("sendChatAction"))
    home.later(60)
    home.reelay.wait_quiet()
    assert home.ada.action() is None
    assert len(home.requests("sendChatAction")) == asked
    home.end()
