"""Gemini as the writer of scenes and the painter of characters: what it answers, what it refuses, and that it is asked once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from google.genai import types

from bot.settings import read_settings
from core.errors import (
    ContentRefused,
    CredentialsRejected,
    Garbled,
    InvalidRequest,
    ModelRetired,
    NothingSent,
    OutOfFunds,
    ProviderError,
    RateLimited,
    Unavailable,
    Unclear,
)
from core.money import Price
from core.ports import CharacterPainter, EncodedPicture, SceneDraft, SceneWriter
from providers import gemini
from providers.gemini import GeminiCharacters, GeminiScenes, read_portrait, read_scenes, script_usd
from providers.sheets import BadSheet
from tests.contracts.vendor_faults import STRANGE, world
from tests.lab.billing import Refuse, Script, Take
from tests.lab.gemini import IMAGE_MODELS, PNG, TEXT_MODELS, GeminiVendor
from tests.lab.google_door import KEY

IDEA, KEEPER = "a lighthouse in winter", "an old keeper in a yellow coat"


@pytest.fixture
def vendor() -> Iterator[GeminiVendor]:
    with GeminiVendor() as server:
        yield server


def connected(make: Any, vendor: GeminiVendor, folder: Path, **environment: str) -> Any:
    settings = read_settings({**vendor.environment(), **environment}, None)
    with ThreadPoolExecutor(1) as room:  # as the app does: it reads files and imports
        return room.submit(make, settings, world(folder)).result()


@pytest.fixture
async def writer(vendor: GeminiVendor, tmp_path: Path) -> AsyncIterator[GeminiScenes]:
    found: GeminiScenes = connected(gemini.scenes, vendor, tmp_path)
    yield found
    await found.close()


@pytest.fixture
async def painter(vendor: GeminiVendor, tmp_path: Path) -> AsyncIterator[GeminiCharacters]:
    found: GeminiCharacters = connected(gemini.characters, vendor, tmp_path)
    yield found
    await found.close()


def answered(*parts: dict[str, Any], reason: str = "STOP", **more: Any) -> types.GenerateContentResponse:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": reason}
    return types.GenerateContentResponse.model_validate({"candidates": [candidate], **more})


def text(said: str) -> types.GenerateContentResponse:
    return answered({"text": said})


def test_both_are_what_the_ports_ask_for(writer: GeminiScenes, painter: GeminiCharacters) -> None:
    as_writer: SceneWriter = writer
    as_painter: CharacterPainter = painter
    assert (as_writer.name, as_painter.name) == ("gemini", "gemini")
    assert KEY not in repr(writer) + repr(painter)


# --------------------------------------------------------------------------------------------------------------------------- scenes


async def test_a_script_has_as_many_scenes_as_were_asked_for_and_its_cost(
    vendor: GeminiVendor, writer: GeminiScenes
) -> None:
    script = await writer.write(IDEA, KEEPER, 5)
    assert script.scenes == tuple(SceneDraft(f"Scene {n}", "fog") for n in range(1, 6))
    assert (script.writer, script.model) == ("gemini", "gemini-3.8-flash")
    assert script.cost_usd == pytest.approx((400 * 0.75 + 1000 * 3.75) / 1e6)
    (job,) = vendor.jobs.values()
    assert IDEA in job.prompt
    assert KEEPER in job.prompt
    assert "exactly 5 scenes" in job.wish["systemInstruction"]["parts"][0]["text"]


@pytest.mark.parametrize("scenes, credits", [(1, 3), (6, 4), (20, 9)])
def test_the_estimate_is_the_most_that_it_may_cost(writer: GeminiScenes, scenes: int, credits: int) -> None:
    assert writer.estimate(scenes) == Price(credits)
    config = gemini.script_config(writer.model, scenes)
    assert config.max_output_tokens is not None
    most = (8000 * 0.75 + config.max_output_tokens * 3.75) / 1e4
    assert credits - 1 < most <= credits


async def test_what_is_too_long_is_cut_on_both_sides(vendor: GeminiVendor, writer: GeminiScenes) -> None:
    vendor.on("lighthouse", Script(fails="long"))
    script = await writer.write("a lighthouse " * 5000, "k" * 9000, 2)
    assert all(990 < len(each.description) <= 1000 for each in script.scenes)
    assert all(280 < len(each.negative_description) <= 300 for each in script.scenes)
    assert script.scenes[0].description.endswith(("and", "the", "light", "turns"))
    (job,) = vendor.jobs.values()
    assert len(job.prompt) < 6200


@pytest.mark.parametrize(
    "said, scenes",
    [
        ('[{"description": "a", "negative_description": "b"}]', (SceneDraft("a", "b"),)),
        ('[{"description": "a", "negative_description": null}]', (SceneDraft("a", ""),)),
        ('[{"description": "a"}]', (SceneDraft("a", ""),)),
        ('[{"description": "a\\u0000\\u202eb  c"}]', (SceneDraft("a b c", ""),)),
        ('[{"description": "a"}, {"description": "b"}]', (SceneDraft("a", ""),)),
    ],
)
def test_scenes_are_read(said: str, scenes: tuple[SceneDraft, ...]) -> None:
    assert read_scenes(text(said), 1) == scenes


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Here are your scenes:",
        "[" * 100_000,
        "{}",
        "[]",
        "7",
        '["a"]',
        '[{"description": 7}]',
        '[{"description": "  "}]',
        '[{"negative_description": "b"}]',
        '[{"description": "a", "negative_description": 7}]',
    ],
)
def test_what_are_no_scenes_is_garbled(said: str) -> None:
    with pytest.raises(Garbled):
        read_scenes(text(said), 1)


def test_thoughts_are_not_part_of_the_scenes() -> None:
    response = answered({"text": "Hmm.", "thought": True}, {"text": '[{"description"'}, {"text": ': "a"}]'})
    assert read_scenes(response, 1) == (SceneDraft("a", ""),)


@pytest.mark.parametrize(
    "usage, usd",
    [
        ({"promptTokenCount": 1000, "candidatesTokenCount": 2000, "thoughtsTokenCount": 3000}, 0.0195),
        ({"promptTokenCount": 1000}, 0.00075),
        ({"candidatesTokenCount": 1000}, None),
        (None, None),
    ],
)
def test_the_cost_by_the_tokens_that_are_counted(writer: GeminiScenes, usage: Any, usd: float | None) -> None:
    found = script_usd(answered(**({} if usage is None else {"usageMetadata": usage})), writer.model)
    assert found == usd if usd is None else found == pytest.approx(usd)


@pytest.mark.parametrize("fails", ["few", "no json", "no scene", "no text", "no candidate"])
async def test_a_broken_script_is_garbled_and_was_asked_for_once(
    vendor: GeminiVendor, writer: GeminiScenes, fails: str
) -> None:
    vendor.on("lighthouse", Script(fails=fails))
    with pytest.raises(Garbled):
        await writer.write(IDEA, "", 3)
    assert list(vendor.paid.values()) == [1]


async def test_a_scene_too_many_is_left_out(vendor: GeminiVendor, writer: GeminiScenes) -> None:
    vendor.on("lighthouse", Script(fails="many"))
    assert len((await writer.write(IDEA, "", 3)).scenes) == 3


# ------------------------------------------------------------------------------------------------------------------------- pictures


async def test_a_character_is_painted_with_what_was_sent_along(vendor: GeminiVendor, painter: GeminiCharacters) -> None:
    seen = [EncodedPicture(b"\xff\xd8" + bytes([n]), "image/jpeg", 8, 8) for n in range(9)]
    portrait = await painter.paint(KEEPER, seen)
    assert (portrait.data, portrait.mime) == (PNG, "image/png")
    assert (portrait.painter, portrait.model, portrait.cost_usd) == ("gemini", "gemini-3.1-flash-image", 0.067)
    (job,) = vendor.jobs.values()
    assert job.prompt.endswith(KEEPER)
    assert job.references == tuple(each.data for each in seen[:6])
    assert painter.estimate() == Price(7)


PICTURE = {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}


def test_a_picture_is_found_behind_words_and_thoughts() -> None:
    thought = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thought": True}
    assert read_portrait(answered(thought, {"text": "Here."}, PICTURE)) == (b"\x89PNG", "image/png")


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [{"text": "I can't."}],
        [{"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}],
        [{**PICTURE, "thought": True}],
    ],
)
def test_an_answer_without_a_picture_is_a_refusal(parts: list[dict[str, Any]]) -> None:
    with pytest.raises(ContentRefused):
        read_portrait(answered(*parts))


async def test_a_picture_that_is_too_large_is_not_taken(vendor: GeminiVendor, painter: GeminiCharacters) -> None:
    vendor.picture = PNG + bytes(20 << 20)
    with pytest.raises(Garbled):
        await painter.paint(KEEPER)
    vendor.picture = PNG + bytes((20 << 20) - len(PNG))
    assert len((await painter.paint(KEEPER)).data) == 20 << 20


# ------------------------------------------------------------------------------------------------------------------------- refusals

FINISHED: dict[str, type[ProviderError]] = {
    **dict.fromkeys(
        [
            "SAFETY",
            "RECITATION",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_RECITATION",
            "NO_IMAGE",
        ],
        ContentRefused,
    ),
    **dict.fromkeys(["MAX_TOKENS", "LANGUAGE", "OTHER", "IMAGE_OTHER", "MALFORMED_RESPONSE"], Unavailable),
}


@pytest.mark.parametrize("reason, kind", FINISHED.items())
async def test_a_reason_to_finish_has_its_class(
    vendor: GeminiVendor, painter: GeminiCharacters, reason: str, kind: type[ProviderError]
) -> None:
    with pytest.raises(kind) as found:
        read_portrait(answered(PICTURE, reason=reason))
    assert found.value.facts == {"reason": reason}


def test_a_reason_that_nobody_knows_goes_into_no_log() -> None:
    with pytest.warns(UserWarning, match="is not a valid"), pytest.raises(Unavailable) as found:
        read_portrait(answered(PICTURE, reason="THE_PROMPT_WAS_A_LIGHTHOUSE"))
    assert found.value.facts == {"reason": "OTHER"}


async def test_what_is_blocked_or_declined_is_told(
    vendor: GeminiVendor, writer: GeminiScenes, painter: GeminiCharacters
) -> None:
    vendor.on("lighthouse", Script(fails="prohibited"))
    with pytest.raises(ContentRefused) as found:
        await writer.write(IDEA, "", 2)
    assert found.value.facts == {"reason": "PROHIBITED_CONTENT"}
    for fails in ("words", "IMAGE_SAFETY", "prohibited"):
        vendor.on("keeper", Script(fails=fails))
        with pytest.raises(ContentRefused):
            await painter.paint(KEEPER)
    assert len(vendor.calls("submit")) == 4


@pytest.mark.parametrize(
    "refuse, kind",
    [
        (Refuse(400), InvalidRequest),
        (Refuse(400, "content"), ContentRefused),
        (Refuse(400, "wrong key"), CredentialsRejected),
        (Refuse(401), CredentialsRejected),
        (Refuse(403), CredentialsRejected),
        (Refuse(403, "wrong kind"), CredentialsRejected),
        (Refuse(429, "free tier"), OutOfFunds),
        (Refuse(404), ModelRetired),
        (Refuse(429, retry_after=7), RateLimited),
        (Refuse(500), Unclear),
        (Refuse(503), Unclear),
        (Refuse(504), Unclear),
    ],
)
async def test_a_refusal_has_its_class_and_is_asked_once(
    vendor: GeminiVendor, writer: GeminiScenes, painter: GeminiCharacters, refuse: Refuse, kind: type[ProviderError]
) -> None:
    for word, ask in (("lighthouse", lambda: writer.write(IDEA, "", 2)), ("keeper", lambda: painter.paint(KEEPER))):
        vendor.on(word, Script(submits=[refuse]))
        with pytest.raises(ProviderError) as found:
            await ask()
        assert type(found.value) is kind
        assert found.value.retry_after == refuse.retry_after
        assert found.value.__cause__ is None, "what the vendor said would stand in a log"
        if kind is ModelRetired:
            assert found.value.facts["setting"] == {"lighthouse": "SCENES_MODEL", "keeper": "CHARACTER_MODEL"}[word]
    assert len(vendor.calls("submit")) == 2
    assert not vendor.paid


@pytest.mark.parametrize("then", ["error", "cut", "garbage", "hang"])
async def test_a_lost_answer_is_unclear_and_paid_once(
    vendor: GeminiVendor, painter: GeminiCharacters, then: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.gemini.SUBMIT_SECONDS", 1.0 if then == "hang" else 60.0)
    vendor.on("keeper", Script(submits=[Take(then, 30 if then == "hang" else 0)]))
    with pytest.raises(Unclear):
        await painter.paint(KEEPER)
    assert list(vendor.paid.values()) == [1]


@pytest.mark.parametrize("kind", [kind for kind in STRANGE if kind != "a very long one"])
async def test_a_strange_answer_is_one_of_ours(vendor: GeminiVendor, writer: GeminiScenes, kind: str) -> None:
    vendor.strange.append(STRANGE[kind])
    with pytest.raises((Unclear, Garbled)):
        await writer.write(IDEA, "", 2)


async def test_where_nobody_listens_nothing_was_sent(vendor: GeminiVendor, writer: GeminiScenes) -> None:
    vendor.stop()
    with pytest.raises(NothingSent):
        await writer.write(IDEA, "", 2)
    with pytest.raises(Unavailable):
        await writer.check()


# --------------------------------------------------------------------------------------------------------------------------- models


async def test_check_spends_nothing_and_tells_what_is_wrong(vendor: GeminiVendor, tmp_path: Path) -> None:
    for make, model, setting in (
        (gemini.scenes, TEXT_MODELS[0], "SCENES_MODEL"),
        (gemini.characters, IMAGE_MODELS[0], "CHARACTER_MODEL"),
    ):
        right = connected(make, vendor, tmp_path)
        assert await right.check() == f"the key is accepted, and {model} is there"
        gone = connected(make, vendor, tmp_path, **{setting: "gemini-gone"})
        with pytest.raises(ModelRetired, match=setting):
            await gone.check()
        locked = connected(make, vendor, tmp_path, GEMINI_API_KEY="wrong-key-0000")
        with pytest.raises(CredentialsRejected, match="AI Studio") as found:
            await locked.check()
        assert "wrong-key" not in str(found.value)
        for each in (right, gone, locked):
            await each.close()
    assert not vendor.paid


async def test_another_model_by_its_setting_and_by_the_operators_sheet(vendor: GeminiVendor, tmp_path: Path) -> None:
    painter: GeminiCharacters = connected(gemini.characters, vendor, tmp_path, CHARACTER_MODEL="gemini-3-pro-image")
    assert painter.estimate() == Price(14)
    assert (await painter.paint(KEEPER)).model == "gemini-3-pro-image"
    await painter.close()
    unknown: GeminiCharacters = connected(gemini.characters, vendor, tmp_path, CHARACTER_MODEL="gemini-9-image")
    assert (unknown.model.id, unknown.estimate()) == ("gemini-9-image", Price(7))
    await unknown.close()
    (tmp_path / "models").mkdir()
    await asyncio.to_thread(
        (tmp_path / "models" / "gemini.toml").write_text,
        '[[models]]\nid = "gemini-9"\ntitle = "Gemini 9"\n[models.options]\nkind = "text"\nusd_per_million_input_tokens = 100\n'
        "usd_per_million_output_tokens = 100\nthinking_tokens = 0\ntokens_per_scene = 1000\n",
    )
    writer: GeminiScenes = connected(gemini.scenes, vendor, tmp_path, SCENES_MODEL="gemini-9")
    assert writer.estimate(2) == Price(100)
    await writer.close()


def test_an_option_that_would_do_nothing_is_a_mistake(vendor: GeminiVendor, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    sheet = '[[models]]\nid = "gemini-3.8-flash"\noptions = { kind = "text", thinking = 1 }\n'
    (tmp_path / "models" / "gemini.toml").write_text(sheet)
    with pytest.raises(BadSheet, match="thinking is unknown"):
        connected(gemini.scenes, vendor, tmp_path)
