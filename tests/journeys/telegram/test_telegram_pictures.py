"""Pictures that are too large, gone, slow or none: refused in words that help, and nobody pays for them."""

from __future__ import annotations

import pytest

from tests.journeys.telegram.house import House
from tests.lab.telegram import File, Seen, picture
from tests.lab.waiting import until
from tests.media.hostile import photo

pytestmark = pytest.mark.journey

MOST = 20 << 20
GONE = "no longer kept"


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """What waits for room in a chat waits less long."""
    return {"LAB_HASTE": "4"}


def failed(home: House, said: Seen, words: str) -> None:
    """The job that a picture made fails with these words, and is not paid."""
    card = home.card_of(said)
    home.shows(card, words, 40)
    home.reelay.wait_quiet()
    job = home.job_of(said)
    assert (job["state"], job["charged"]) == ("failed", 0)
    assert "not charged" in home.now(card).text
    assert home.paid() == []
    assert len(home.ada.received()) == 1
    home.end()


def test_a_picture_that_is_known_to_be_too_large_is_refused_at_once(home: House) -> None:
    said = home.ada.document(File("big.png", b"\x89PNG" + bytes(MOST), "image/png"), "it moves")
    answer = home.card_of(said)
    assert "20 MB" in answer.text
    assert home.jobs() == 0
    assert home.requests("getFile") == []
    home.end()


def test_a_picture_whose_size_nobody_told_fails_where_telegram_does_not_hand_it_out(home: House) -> None:
    home.telegram.refuse("getFile", "Bad Request: file is too big", times=9)
    said = home.ada.photo(picture(), "it moves")
    failed(home, said, "20 MB")


@pytest.mark.parametrize("fault", ["404 once", "cut once", "502 once", "getFile 502 once"])
def test_a_download_that_fails_once_is_begun_again(home: House, fault: str) -> None:
    rule = home.telegram.on("getFile" if "getFile" in fault else "download")
    match fault:
        case "cut once":
            rule.cut_after()
        case "404 once":
            rule.status(404)
        case _:
            rule.status(502)
    card = home.card_of(home.ada.photo(picture(640, 480), "it moves"))
    assert home.clip_of(card, 40).clip is not None
    (made,) = home.submitted("it moves")
    assert made.picture is not None
    home.end()


def test_a_path_that_expired_is_asked_for_anew(home: House) -> None:
    """The link dies between getFile and the download; the next try gets a new one."""
    before = len(home.telegram.journal.of("download"))
    home.telegram.delay(0.3, "getFile")
    home.telegram.shelf.link_seconds = 0.0
    said = home.ada.photo(picture(), "it moves")
    until(lambda: len(home.telegram.journal.of("download")) > before, what="a download")
    home.telegram.shelf.link_seconds = 3600.0
    assert home.clip_of(home.card_of(said), 40).clip is not None
    assert [line["status"] for line in home.telegram.journal.of("download")[before:]] == [404, 200]
    home.end()


@pytest.mark.parametrize("who", ["the download", "getFile"])
def test_a_picture_that_telegram_has_no_more_is_told_of(home: House, who: str) -> None:
    if who == "getFile":
        home.telegram.refuse("getFile", "Bad Request: wrong file_id or the file is temporarily unavailable", times=99)
    else:
        home.telegram.on("download").times(99).status(404)
    failed(home, home.ada.photo(picture(), "it moves"), GONE)


@pytest.mark.parametrize(
    "data", [b"no picture at all", photo()[:300], b"GIF89a" + bytes(40)], ids=["text", "cut", "gif"]
)
def test_what_only_says_that_it_is_a_picture_fails_in_clear_words(home: House, data: bytes) -> None:
    failed(home, home.ada.document(File("a.png", data, "image/png"), "it moves"), "picture")


def test_a_file_of_another_kind_is_no_picture(home: House) -> None:
    said = home.ada.document(File("a.pdf", b"%PDF-1.7", "application/pdf"), "")
    answer = home.card_of(said)
    assert "picture" in answer.text
    assert home.jobs() == 0
    home.end()
