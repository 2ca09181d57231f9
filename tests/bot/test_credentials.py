"""Which keys configure which generators, and what is said where one may be mistaken for another."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.app import default_generator
from bot.credentials import WANTS, notes, there, wanted_for
from bot.engine.alerts import Alerts
from bot.first_look import look
from bot.settings import Settings, SettingsMistakes, read_settings
from core.errors import CredentialsRejected, Unavailable
from providers.registry import REGISTRY
from tests.lab.generator import InstantGenerator, LabSettings
from tests.lab.stage import stage
from tests.lab.virtual_time import VirtualClock, run

KEY = "AIzaCanary4711"


def settings(**environ: str) -> Settings:
    return read_settings(environ, None)


@pytest.mark.parametrize(
    "environ, names",
    [
        ({}, []),
        ({"GEMINI_API_KEY": KEY}, ["omni"]),
        ({"GOOGLE_API_KEY": KEY}, ["omni"]),
        ({"GEMINI_API_KEY": KEY, "GOOGLE_GENAI_USE_VERTEXAI": "yes"}, ["veo"]),
        ({"GOOGLE_API_KEY": KEY, "GOOGLE_GENAI_USE_VERTEXAI": "yes"}, ["veo"]),
        ({"GOOGLE_GENAI_USE_VERTEXAI": "yes"}, []),
        ({"GOOGLE_CLOUD_PROJECT": "films"}, ["veo"]),
        ({"GOOGLE_CLOUD_PROJECT": "films", "GEMINI_API_KEY": KEY}, ["veo", "omni"]),
        ({"REPLICATE_API_TOKEN": KEY}, ["replicate"]),
        ({"FAL_KEY": KEY}, ["ovi"]),
        ({"HF_TOKEN": KEY}, ["ovi"]),
        ({"LONGCAT_API_KEY": KEY}, []),
        ({"LONGCAT_VIDEO_ENDPOINT": "http://127.0.0.1:1"}, ["longcat"]),
        ({"COMFYUI_URL": "http://127.0.0.1:1"}, ["comfyui"]),
    ],
)
def test_keys_lead_to_generators(environ: dict[str, str], names: list[str]) -> None:
    assert there(settings(**environ)) == [*names, "local"]


def test_every_generator_but_ours_says_what_it_wants() -> None:
    assert set(WANTS) == {entry.name for entry in REGISTRY if entry.needs}


@pytest.mark.parametrize("name", ["veo", "google"])
def test_a_gemini_key_for_veo_is_explained(name: str) -> None:
    only_key = settings(GEMINI_API_KEY=KEY, REELAY_PROVIDER="veo")
    assert wanted_for(name, only_key).endswith(
        "A Gemini API key alone leads to omni: Google serves Veo through Vertex only"
    )
    with pytest.raises(SettingsMistakes) as refused:
        default_generator(only_key)
    assert "through Vertex only" in str(refused.value)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    "environ, words",
    [
        ({"GEMINI_API_KEY": KEY, "OMNI_MODEL": "x"}, []),
        ({"GEMINI_API_KEY": KEY, "VEO_MODEL": "x"}, ["VEO_MODEL is set, but veo is not configured", "Vertex only"]),
        ({"REPLICATE_MODEL": "a/b"}, ["REPLICATE_MODEL is set", "replicate wants REPLICATE_API_TOKEN"]),
        ({"GOOGLE_GENAI_USE_VERTEXAI": "yes"}, ["there is no key"]),
        ({"GEMINI_API_KEY": KEY, "GOOGLE_API_KEY": KEY}, ["GEMINI_API_KEY is used"]),
        ({"FAL_KEY": KEY, "HF_TOKEN": KEY}, ["Ovi goes through fal"]),
    ],
)
def test_what_leads_nowhere_is_told(environ: dict[str, str], words: list[str]) -> None:
    said = notes(settings(**environ))
    assert len(said) == bool(words)
    assert all(word in "".join(said) for word in words)
    assert KEY not in "".join(said)


def test_the_first_look_tells_of_a_key_that_is_not_taken_and_of_nothing_else(tmp_path: Path) -> None:
    class Checked(InstantGenerator):
        error: Exception | None = None
        looks = 0

        async def check(self) -> str:
            self.looks += 1
            if self.error is not None:
                raise self.error
            return "fine"

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock) as on:
            alerts = Alerts(on.store)
            paid = Checked(LabSettings(name="paid"))
            away = Checked(LabSettings(name="away"))
            broken = Checked(LabSettings(name="broken"))
            free = Checked(LabSettings(name="free", unpaid=True))
            every = (paid, away, broken, free)
            paid.error, away.error, broken.error = (
                CredentialsRejected("this is a key of another kind"),
                Unavailable("no answer"),
                RuntimeError("inside a library"),
            )
            for _ in range(2):
                await look(every, alerts)
            [(cause, _, text)] = await on.store.alerts()
            assert (cause, text) == ("key of paid", "paid cannot be used: this is a key of another kind")
            paid.error = None
            await asyncio.wait_for(look(every, alerts), 5)
            assert await on.store.alerts() == []
            assert [each.looks for each in every] == [3, 3, 3, 0]

    run(play)
