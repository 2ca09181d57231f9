"""Keys of our own, and the links that they sign."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DatabaseFault
from storage.keys import KEYS_NAME, KeyRing
from storage.links import ClipLinks

NOW = 1_795_000_000_000


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing.open(tmp_path, now=NOW)


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> ClipLinks:
    return ClipLinks(KeyRing.open(tmp_path_factory.mktemp("keys"), now=NOW))


def flips(text: str) -> list[str]:
    """Every text that differs from ``text`` in one bit."""
    raw = text.encode()
    flipped = [raw[:at] + bytes([raw[at] ^ (1 << bit)]) + raw[at + 1 :] for at in range(len(raw)) for bit in range(8)]
    return [data.decode("utf-8", "surrogateescape") for data in flipped]


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        first = KeyRing.open(tmp_path, now=NOW)
    finally:
        os.umask(before)
    again = KeyRing.open(tmp_path, now=NOW + 1)
    assert first.sign("p", b"m") == again.sign("p", b"m")
    assert (tmp_path / KEYS_NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEYS_NAME]
    assert KeyRing.open(tmp_path, now=NOW).derive("p") == first.derive("p")


def test_two_folders_have_two_keys(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert KeyRing.open(tmp_path / "a", now=NOW).derive("p") != KeyRing.open(tmp_path / "b", now=NOW).derive("p")


def test_a_signature_is_for_one_purpose_key_and_message(ring: KeyRing) -> None:
    kid, mac = ring.sign("cookie", b"m")
    assert ring.verify("cookie", kid, b"m", mac)
    assert not ring.verify("link", kid, b"m", mac)
    assert not ring.verify("cookie", "00000000", b"m", mac)
    assert not ring.verify("cookie", kid, b"n", mac)
    assert not ring.verify("cookie", kid, b"m", mac[:-1])
    assert not ring.verify("cookie", kid, b"m", b"")
    assert ring.derive("cookie") != ring.derive("link")


@pytest.mark.parametrize(
    "content", ["", "{}", '{"keys": []}', '{"keys": [{"kid": "a", "secret": "00", "created_at": 1}]}', "[1]"]
)
def test_a_damaged_file_is_told_and_never_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / KEYS_NAME).write_text(content)
    with pytest.raises(DatabaseFault, match=r"is damaged\. Restore it from a backup"):
        KeyRing.open(tmp_path, now=NOW)
    assert (tmp_path / KEYS_NAME).read_text() == content


def test_a_restored_file_becomes_private_again(tmp_path: Path, ring: KeyRing) -> None:
    (tmp_path / KEYS_NAME).chmod(0o644)
    KeyRing.open(tmp_path, now=NOW)
    assert (tmp_path / KEYS_NAME).stat().st_mode & 0o777 == 0o600


def test_every_key_of_the_file_verifies_and_the_first_signs(tmp_path: Path, ring: KeyRing) -> None:
    kid, mac = ring.sign("p", b"m")
    rows = json.loads((tmp_path / KEYS_NAME).read_text())["keys"]
    other = {"kid": "0a0b0c0d", "secret": "5a" * 32, "created_at": NOW}
    (tmp_path / KEYS_NAME).write_text(json.dumps({"keys": [other, *rows]}))
    both = KeyRing.open(tmp_path, now=NOW)
    assert both.kid == both.sign("p", b"m")[0] == "0a0b0c0d"
    assert both.verify("p", kid, b"m", mac)
    assert not both.verify("p", "0a0b0c0d", b"m", mac)


def test_a_key_that_cannot_be_written_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(DatabaseFault, match="No space left"):
            KeyRing.open(tmp_path, now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_secrets_are_in_no_repr_and_no_error(tmp_path: Path, ring: KeyRing, caplog: pytest.LogCaptureFixture) -> None:
    rows = json.loads((tmp_path / KEYS_NAME).read_text())["keys"]
    secret = rows[0]["secret"]
    logging.getLogger("t").error("%r %s", ring, ring.__dict__["_keys"])
    assert secret not in caplog.text
    assert repr(bytes.fromhex(secret))[2:-1] not in caplog.text
    rows[0]["created_at"] = secret
    (tmp_path / KEYS_NAME).write_text(json.dumps({"keys": rows}))
    with pytest.raises(DatabaseFault) as caught:
        KeyRing.open(tmp_path, now=NOW)
    assert secret not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_link_is_good_until_it_expires(links: ClipLinks) -> None:
    link = links.sign("clip1", expires_at_ms=NOW + 1000, scope="play")
    assert set(link) == {"kid", "exp", "sig"}
    assert links.verify("clip1", **link, scope="play", now=NOW)
    assert links.verify("clip1", **link, scope="play", now=NOW + 999)
    assert not links.verify("clip1", **link, scope="play", now=NOW + 1000)


def test_a_link_is_for_one_clip_and_one_scope(links: ClipLinks) -> None:
    link = links.sign("clip1", expires_at_ms=NOW + 1000, scope="play")
    assert not links.verify("clip2", **link, scope="play", now=NOW)
    assert not links.verify("clip1", **link, scope="download", now=NOW)


def test_every_single_flipped_bit_spoils_a_link(links: ClipLinks) -> None:
    link = links.sign("clip1", expires_at_ms=NOW + 1000, scope="play")
    tried = 0
    for name in link:
        for wrong in flips(link[name]):
            assert not links.verify("clip1", **{**link, name: wrong}, scope="play", now=NOW), (name, wrong)
            tried += 1
    for wrong in flips("clip1"):
        assert not links.verify(wrong, **link, scope="play", now=NOW)
    for wrong in flips("play"):
        assert not links.verify("clip1", **link, scope=wrong, now=NOW)
    assert tried == 8 * (8 + 13 + 64)


@pytest.mark.parametrize(
    "change",
    [
        {"exp": "01795000001000"},
        {"exp": "+1795000001000"},
        {"exp": " 1795000001000"},
        {"exp": "1795000001000\n"},
        {"exp": "١٧٩٥٠٠٠٠٠١٠٠٠"},
        {"exp": ""},
        {"exp": "9" * 5000},
        {"sig": ""},
        {"sig": "é" * 64},
        {"kid": ""},
        {"kid": "\udcff"},
    ],
)
def test_a_link_has_one_spelling_and_nonsense_raises_nothing(links: ClipLinks, change: dict[str, str]) -> None:
    link = links.sign("clip1", expires_at_ms=NOW + 1000, scope="play")
    assert not links.verify("clip1", **{**link, **change}, scope="play", now=NOW)


def test_upper_case_is_not_a_second_spelling(links: ClipLinks) -> None:
    link = links.sign("clip1", expires_at_ms=NOW + 1000, scope="play")
    assert not links.verify("clip1", **{**link, "sig": link["sig"].upper()}, scope="play", now=NOW)


@given(st.text(), st.text(), st.text(), st.text())
def test_fields_do_not_run_into_each_other(links: ClipLinks, clip: str, scope: str, clip2: str, scope2: str) -> None:
    link = links.sign(clip, expires_at_ms=NOW, scope=scope)
    assert links.verify(clip2, **link, scope=scope2, now=0) == ((clip, scope) == (clip2, scope2))
    longer = {**link, "exp": f"1{link['exp']}"}  # moving a digit over the border
    assert not links.verify(clip, **longer, scope=scope, now=0)
    moved = links.sign(f"{clip}1", expires_at_ms=NOW, scope=scope)
    assert not links.verify(clip, **{**moved, "exp": f"1{NOW}"}, scope=scope, now=0)
    if clip:  # moving one letter over the border
        assert not links.verify(clip[:-1], **link, scope=clip[-1] + scope, now=0)


@pytest.mark.parametrize("wrong", [0, -5])
def test_an_expiry_that_is_no_time_is_a_mistake_of_ours(links: ClipLinks, wrong: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        links.sign("clip1", expires_at_ms=wrong, scope="play")
