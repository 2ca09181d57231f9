"""Files: what is taken, what Telegram makes of it, how long links live, and a server of one's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.telegram import File, Person, Telegram, picture
from tests.lab.telegram_raw import MP4, RawBot
from tests.lab.waiting import until

Json = dict[str, Any]


@pytest.fixture
def telegram() -> Iterator[Telegram]:
    with Telegram() as found:
        found.limits.on = False
        yield found


@pytest.fixture
def bot(telegram: Telegram) -> RawBot:
    return RawBot(telegram)


@pytest.fixture
def ada(telegram: Telegram) -> Person:
    return telegram.add_person("ada", started=True)


def test_photos_are_made_anew_and_documents_are_not(bot: RawBot, ada: Person) -> None:
    png = picture(2000, 1000, form="PNG")
    ada.photo(png)
    ada.document(File("a.png", png, "image/png"))
    photo, document = (each["message"] for each in bot.updates())
    assert [(each["width"], each["height"]) for each in photo["photo"]] == [
        (90, 45),
        (320, 160),
        (800, 400),
        (1280, 640),
    ]
    assert (document["document"]["file_size"], document["document"]["mime_type"]) == (len(png), "image/png")
    path = bot.result("getFile", file_id=photo["photo"][-1]["file_id"])["file_path"]
    assert path.startswith("photos/")
    status, data = bot.raw("GET", f"/file/bot{bot.bot.token.replace(':', '%3A')}/{path}")
    assert (status, data[:2]) == (200, b"\xff\xd8")


def test_what_is_too_large_or_no_picture(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    sent = {"chat_id": ada.id}
    assert "too big for a photo" in bot.refusal("sendPhoto", {"photo": ("a.jpg", bytes(10_000_001))}, **sent)
    assert bot.refusal("sendPhoto", {"photo": ("a.jpg", b"no picture")}, **sent) == "Bad Request: IMAGE_PROCESS_FAILED"
    assert (
        bot.refusal("sendPhoto", {"photo": ("a.jpg", picture(2100, 100))}, **sent)
        == "Bad Request: PHOTO_INVALID_DIMENSIONS"
    )
    assert bot.refusal("sendDocument", {"document": ("a", b"")}, **sent) == "Bad Request: file must be non-empty"
    telegram.shelf.keep = False
    assert bot.result("sendDocument", {"document": ("a", bytes(50_000_000))}, **sent)
    cover = picture(1280, 720) + bytes(500_000)
    files = {"video": ("a.mp4", MP4 + bytes(2_000_000)), "cover": ("c.jpg", cover)}
    assert bot.result("sendVideo", files, **sent)["video"]["cover"][-1]["width"] == 1280, "stills are looked at"
    assert bot.call("sendDocument", {"document": ("a", bytes(50_000_001))}, **sent)["error_code"] == 413
    telegram.shelf.keep = True
    telegram.refuse_uploads_above(5000)
    refused = bot.call("sendDocument", {"document": ("a", bytes(5001))}, **sent)
    assert refused == {"ok": False, "error_code": 413, "description": "Request Entity Too Large"}
    assert bot.result("sendDocument", {"document": ("a", bytes(5000))}, **sent)
    telegram.refuse_uploads_above(None)
    big = ada.document(File("big", bytes((20 << 20) + 1)))
    assert big.shown is not None
    file_id = bot.updates()[-1]["message"]["document"]["file_id"]
    assert bot.refusal("getFile", file_id=file_id) == "Bad Request: file is too big"


def test_a_film_and_its_stills(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    files = {"video": ("a.mp4", MP4), "thumbnail": ("t.jpg", picture(320, 180)), "cover": ("c.jpg", picture(640, 360))}
    shape = {"width": 640, "height": 360, "duration": 5, "supports_streaming": True}
    film = bot.result("sendVideo", files, chat_id=ada.id, **shape)["video"]
    assert (film["width"], film["height"], film["duration"], film["mime_type"]) == (640, 360, 5, "video/mp4")
    assert (film["thumbnail"]["width"], film["cover"][-1]["width"]) == (320, 640)
    for thumbnail in (picture(321, 10), picture(form="PNG"), os.urandom(200_000)):
        sent = bot.result("sendVideo", {"video": ("a.mp4", MP4), "thumbnail": ("t", thumbnail)}, chat_id=ada.id)
        assert "thumbnail" not in sent["video"]
    assert bot.result("sendVideo", {"video": ("a.mp4", MP4)}, chat_id=ada.id, thumbnail=film["thumbnail"]["file_id"])
    assert len(telegram.journal.of("ignored")) == 4
    assert "document" in bot.result("sendVideo", {"video": ("a.webm", b"\x1aE\xdf\xa3 webm")}, chat_id=ada.id)
    attached = {"film": ("a.mp4", MP4), "stray": ("b.mp4", MP4)}
    bot.result("sendVideo", attached, chat_id=ada.id, video="attach://film")
    assert telegram.journal.of("unused")[0]["files"] == ["stray"]


def test_albums(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    one = {"type": "photo", "media": "attach://one", "caption": "first"}
    two = {"type": "video", "media": "attach://two"}
    files = {"one": ("a.jpg", picture()), "two": ("a.mp4", MP4)}
    sent = bot.result("sendMediaGroup", files, chat_id=ada.id, media=[one, two])
    assert len({each["media_group_id"] for each in sent}) == 1
    assert [each.kind for each in ada.received()] == ["photo", "video"]
    assert "2 to 10" in bot.refusal("sendMediaGroup", files, chat_id=ada.id, media=[one])
    assert "too many" in bot.refusal("sendMediaGroup", files, chat_id=ada.id, media=[one] * 11)
    mixed = [one, {"type": "document", "media": "attach://two"}]
    assert "can't be mixed" in bot.refusal("sendMediaGroup", files, chat_id=ada.id, media=mixed)
    own = ada.album([File("a.png", picture(form="PNG")), File("b.png", picture(form="PNG"))], "two files")
    assert [each.text for each in own] == ["two files", ""]


def test_links_die(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    ada.photo(picture())
    file_id = bot.updates()[0]["message"]["photo"][0]["file_id"]
    path = bot.result("getFile", file_id=file_id)["file_path"]
    telegram.clock.advance(3599)
    assert bot.raw("GET", f"/file/bot{bot.bot.token}/{path}")[0] == 200
    telegram.clock.advance(2)
    assert bot.raw("GET", f"/file/bot{bot.bot.token}/{path}")[0] == 404
    path = bot.result("getFile", file_id=file_id)["file_path"]
    telegram.on("download").status(500)
    assert [bot.raw("GET", f"/file/bot{bot.bot.token}/{path}")[0] for _ in range(2)] == [500, 200]


def test_a_server_of_ones_own(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(MP4)
    with Telegram(local=True) as telegram:
        bot, ada = RawBot(telegram), telegram.add_person("ada", started=True)
        sent = bot.result("sendVideo", chat_id=ada.id, video=f"file://{film}", width=1, height=1, duration=1)
        assert film.read_bytes() == MP4, "it stays where it was"
        path = Path(bot.result("getFile", file_id=sent["video"]["file_id"])["file_path"])
        assert (path.is_absolute(), path.read_bytes()) == (True, MP4)
        ada.document(File("big", bytes((20 << 20) + 1)))
        assert Path(
            bot.result("getFile", file_id=bot.updates()[-1]["message"]["document"]["file_id"])["file_path"]
        ).is_file()
        assert bot.result("close") is True
    with Telegram() as telegram:
        bot, ada = RawBot(telegram), telegram.add_person("ada", started=True)
        said = bot.refusal("sendVideo", chat_id=ada.id, video=f"file://{film}")
        assert said == "Bad Request: invalid file HTTP URL specified: Unsupported URL protocol"
        assert bot.result("logOut") is True
        assert bot.refusal("getMe") == "Logged out"


def test_what_is_said_of_people(telegram: Telegram, bot: RawBot) -> None:
    face = telegram.shelf.photo(picture(200, 200))
    eve = telegram.add_person("eve", photo=face, started=True)
    photos = bot.result("getUserProfilePhotos", user_id=eve.id)
    assert (photos["total_count"], photos["photos"][0][-1]["width"]) == (1, 200)
    assert bot.result("getChat", chat_id=eve.id)["type"] == "private"
    assert bot.refusal("getUserProfilePhotos", user_id=1) == "Bad Request: user not found"


def test_faults(telegram: Telegram, bot: RawBot, ada: Person) -> None:
    telegram.on("sendDocument").sink(20_000)
    begun = telegram.clock()
    bot.result("sendDocument", {"document": ("a", bytes(10_000))}, chat_id=ada.id)
    assert telegram.clock() - begun >= 0.5
    telegram.lose_answers("sendMessage")
    with pytest.raises(OSError):
        bot.call("sendMessage", chat_id=ada.id, text="it was sent")
    until(lambda: [each.text for each in ada.received()][-1] == "it was sent")
    telegram.on("sendMessage").cut_before()
    with pytest.raises(OSError):
        bot.call("sendMessage", chat_id=ada.id, text="never")
    telegram.on("sendMessage").error_after(504)
    assert bot.raw("GET", f"/bot{bot.bot.token}/sendMessage?chat_id={ada.id}&text=twice")[0] == 504
    assert [each.text for each in ada.received()][-1] == "twice"
    telegram.on("sendMessage").rate_limit(7728)
    assert bot.call("sendMessage", chat_id=ada.id, text="x")["parameters"] == {"retry_after": 7728}
    telegram.shelf.keep = False
    sent = bot.result("sendDocument", {"document": ("a", bytes(200_000))}, chat_id=ada.id)
    assert sent["document"]["file_size"] == 200_000
