"""Veo's logins: a key of express mode, a project; and how a model that is gone is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import google.auth
import pytest

from bot.settings import read_settings
from core.errors import (
    CredentialsRejected,
    ModelRetired,
    NothingSent,
    ProviderError,
)
from core.ports import Artifact, Ready
from providers.sheets import BadSheet
from providers.veo import Veo, connect
from providers.veo_line import root_of
from tests.contracts.provider import Collector, applied_for
from tests.contracts.vendor_faults import world
from tests.lab.billing import Refuse, Script
from tests.lab.clips import clip_bytes
from tests.lab.veo import KEY, PROJECT, TOKEN
from tests.lab.veo import Veo as Vertex
from tests.providers.veo_desk import MODEL, ended, order, submitted, veo


@pytest.fixture(scope="module")
def started() -> Iterator[Vertex]:
    with Vertex() as server:
        yield server


@pytest.fixture
def vertex(started: Vertex) -> Vertex:
    started.forget_all()
    started.clip = None
    return started


@pytest.fixture
async def provider(vertex: Vertex, tmp_path: Path) -> AsyncIterator[Veo]:
    made = veo(vertex, world(tmp_path))
    yield made
    await made.close()


async def test_a_key_of_the_gemini_api_is_explained(vertex: Vertex, tmp_path: Path) -> None:
    provider = veo(vertex, world(tmp_path), GOOGLE_API_KEY="AIzaSyGeminiGeminiGemini")
    for asked in (provider.check(), submitted(provider)):
        with pytest.raises(CredentialsRejected) as found:
            await asked
        assert "Vertex AI express mode" in str(found.value)
        assert "makes clips with Omni" in str(found.value)
        assert "AIza" not in f"{found.value} {vars(found.value)}"
    await provider.close()


async def test_a_retired_model_names_the_setting(vertex: Vertex, tmp_path: Path) -> None:
    provider = veo(vertex, world(tmp_path), VEO_MODEL="veo-3.1-generate-preview")
    assert provider.capabilities.default_model == "veo-3.1-generate-preview"
    for asked in (provider.check(), submitted(provider, applied_for(provider))):
        with pytest.raises(ModelRetired, match="set VEO_MODEL") as found:
            await asked
        assert found.value.facts["setting"] == "VEO_MODEL"
    await provider.close()
    assert not vertex.paid


async def test_check_asks_for_the_login_and_then_for_the_model(vertex: Vertex, provider: Veo) -> None:
    assert await provider.check() == f"Vertex takes the login and has {MODEL}"
    assert [line.call for line in vertex.journal] == ["poll", "model"]
    vertex.strange.extend([(404, "application/json", b"{}"), (403, "application/json", b"{}")])
    assert "cannot be asked" in await provider.check()
    assert not vertex.paid


@pytest.mark.parametrize(
    "location, root",
    [
        (None, "https://aiplatform.googleapis.com"),
        ("global", "https://aiplatform.googleapis.com"),
        ("us-central1", "https://us-central1-aiplatform.googleapis.com"),
        ("europe-west4", "https://europe-west4-aiplatform.googleapis.com"),
        ("us", "https://aiplatform.us.rep.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_each_location_has_its_own_root(location: str | None, root: str) -> None:
    assert root_of(location) == root


@pytest.mark.parametrize(
    "environment, root, place",
    [
        (
            {"GOOGLE_GENAI_USE_VERTEXAI": "yes", "GEMINI_API_KEY": KEY},
            "https://aiplatform.googleapis.com",
            {"api_key": KEY},
        ),
        (
            {"GOOGLE_CLOUD_PROJECT": "p1"},
            "https://us-central1-aiplatform.googleapis.com",
            {"project": "p1", "location": "us-central1"},
        ),
        (
            {
                "GOOGLE_CLOUD_PROJECT": "p1",
                "GOOGLE_CLOUD_LOCATION": "eu",
                "GOOGLE_GENAI_USE_VERTEXAI": "yes",
                "GOOGLE_API_KEY": KEY,
            },
            "https://aiplatform.eu.rep.googleapis.com",
            {"project": "p1", "location": "eu"},
        ),
    ],
)
def test_the_settings_lead_to_a_key_or_a_project(
    environment: dict[str, str], root: str, place: dict[str, str], tmp_path: Path
) -> None:
    made = connect(read_settings(environment, None), world(tmp_path))
    assert (made._root, made._place) == (root, place)


def test_an_option_that_would_do_nothing_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    sheet = '[[models]]\nid = "veo-3.1-generate-001"\noptions = { clip_bytes = 5 }\n'
    (tmp_path / "models" / "veo.toml").write_text(sheet)
    with pytest.raises(BadSheet, match="clip_bytes is unknown"):
        connect(read_settings({"GOOGLE_CLOUD_PROJECT": "p1"}, None), world(tmp_path))


@cache
def project_server() -> Vertex:
    """One key pair for all tests; started anew for each."""
    return Vertex(login="project", account=Path("/nonexistent"))


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vertex]:
    """A project whose service account's file is the application default."""
    server = project_server()
    server.forget_all()
    server.account = tmp_path / "account.json"
    with server:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", server.environment()["GOOGLE_APPLICATION_CREDENTIALS"])
        yield server


async def test_a_project_logs_in_once_for_all_calls(cloud: Vertex, tmp_path: Path) -> None:
    provider = veo(cloud, world(tmp_path))
    assert await provider.check() == f"Vertex takes the login and has {MODEL}"
    tickets = await asyncio.gather(*(submitted(provider, order(prompt=f"n{n}", picture="a")) for n in range(3)))
    assert all(ticket["operation"].startswith(f"projects/{PROJECT}/locations/us-central1/") for ticket in tickets)
    for ticket in tickets:
        assert isinstance(await ended(provider, ticket), Ready)
        sink = Collector()
        await provider.fetch(ticket, Artifact("inline"), sink)
        assert bytes(sink.data) == clip_bytes()
    assert len(cloud.calls("token")) == 1
    await provider.close()


async def test_a_login_that_lapsed_is_renewed(cloud: Vertex, tmp_path: Path) -> None:
    provider = veo(cloud, world(tmp_path))
    ticket = await submitted(provider)
    login: Any = provider._login
    login.credentials.expiry = login.credentials.expiry.replace(year=2020)
    assert isinstance(await ended(provider, ticket), Ready)
    assert len(cloud.calls("token")) == 2
    await provider.close()


async def test_a_project_without_a_login_is_told_what_to_run_until_there_is_one(
    cloud: Vertex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(**_: Any) -> Any:
        raise google.auth.exceptions.DefaultCredentialsError("none")  # type: ignore[no-untyped-call]

    provider = veo(cloud, world(tmp_path))
    with monkeypatch.context() as patched:
        patched.setattr(google.auth, "default", nobody)
        for asked in (provider.check(), submitted(provider)):
            with pytest.raises(CredentialsRejected, match="gcloud auth application-default login"):
                await asked
    assert not cloud.journal
    assert await submitted(provider)
    await provider.close()


async def test_a_login_that_is_refused_and_one_whose_host_is_away(
    cloud: Vertex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = veo(cloud, world(tmp_path))
    monkeypatch.setattr(cloud, "_key", None)
    with pytest.raises(CredentialsRejected, match="are refused"):
        await submitted(provider)
    cloud.stop()
    with pytest.raises(NothingSent):
        await submitted(provider)
    assert not cloud.paid
    await provider.close()


async def test_a_login_that_cannot_be_read_is_no_doubt_about_a_submit(
    cloud: Vertex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path))  # a folder
    provider = veo(cloud, world(tmp_path))
    with pytest.raises(CredentialsRejected, match="GOOGLE_APPLICATION_CREDENTIALS"):
        await submitted(provider)
    assert not cloud.journal
    await provider.close()


async def test_a_host_of_logins_in_trouble_pauses_nobody(
    cloud: Vertex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = veo(cloud, world(tmp_path))

    def trouble(*_: Any) -> None:
        raise google.auth.exceptions.RefreshError("503", retryable=True)  # type: ignore[no-untyped-call]

    with monkeypatch.context() as patched:
        patched.setattr("google.oauth2.service_account.Credentials.refresh", trouble)
        with pytest.raises(NothingSent):
            await submitted(provider)
    assert not cloud.journal
    assert await submitted(provider)
    await provider.close()


async def test_of_a_foreign_project_the_role_is_missed(cloud: Vertex, tmp_path: Path) -> None:
    cloud.on("lighthouse", Script(submits=[Refuse(403)]))
    provider = veo(cloud, world(tmp_path))
    with pytest.raises(CredentialsRejected, match="the role Vertex AI User"):
        await submitted(provider)
    await provider.close()


async def test_neither_key_nor_token_nor_prompt_reaches_a_log(
    vertex: Vertex, cloud: Vertex, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for server in (vertex, cloud):
        provider = veo(server, world(tmp_path))
        ticket = await submitted(provider)
        await ended(provider, ticket)
        await provider.fetch(ticket, Artifact("inline"), Collector())
        server.on("lighthouse", Script(submits=[Refuse(400, "content"), Refuse(400)]))
        for _ in range(2):
            with pytest.raises(ProviderError):
                await submitted(provider)
        await provider.close()
    for canary in (KEY, TOKEN, "lighthouse"):
        assert canary not in caplog.text
