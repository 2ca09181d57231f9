"""ComfyUI with a server: filled workflows, steps, queue, cancel, look-ups, and what check says."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.clock import SystemClock
from core.capabilities import Applied
from core.errors import (
    CredentialsRejected,
    InvalidRequest,
    ModelRetired,
    NothingSent,
    RateLimited,
    Unavailable,
    Unclear,
)
from core.jobs import Attempt
from core.ports import Failed, Found, PollAnswer, Ready, Ticket, Waiting
from providers.comfyui import ComfyUI
from providers.comfyui_wire import prompt_id
from providers.comfyui_workflow import SHIPPED
from tests.contracts.provider import Collector, applied_for, attempt_for
from tests.contracts.vendor_faults import PICTURE, world
from tests.lab.billing import Script, Take
from tests.lab.clips import clip_bytes
from tests.lab.comfyui import ComfyUIServer, comfyui


@pytest.fixture
def server() -> Iterator[ComfyUIServer]:
    with ComfyUIServer() as server:
        yield server


@pytest.fixture
def hints() -> list[str]:
    return []


@pytest.fixture
async def generator(server: ComfyUIServer, tmp_path: Path, hints: list[str]) -> AsyncIterator[ComfyUI]:
    made = comfyui(server.environment(), world(tmp_path, hints=hints))
    yield made
    await made.close()
    assert not server.oddities


def order(generator: ComfyUI, prompt: str = "a lighthouse at dusk", **changes: Any) -> tuple[Applied, Attempt]:
    applied = applied_for(generator, prompt=prompt, **changes)
    return applied, attempt_for(applied)


async def until(seen: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, "it does not happen"
        await asyncio.sleep(0.01)


async def polled(generator: ComfyUI, ticket: Ticket) -> PollAnswer:
    end = time.monotonic() + 10
    while True:
        answer = await generator.poll(ticket)
        if not isinstance(answer, Waiting):
            return answer
        assert time.monotonic() < end, "it does not end"
        await asyncio.sleep(0.01)


def sent(server: ComfyUIServer) -> dict[str, Any]:
    (job,) = server.jobs.values()
    graph: dict[str, Any] = job.wish["prompt"]
    return graph


async def test_the_workflow_is_filled_with_the_order(server: ComfyUIServer, generator: ComfyUI) -> None:
    applied, attempt = order(generator, negative_prompt="blur", seed=2**32 - 1, aspect_ratio="9:16", seconds=5)
    ticket = await generator.submit(applied, attempt)
    assert ticket == {"id": prompt_id(attempt.id), "attempt": attempt.id}
    graph = sent(server)
    assert [graph[name]["inputs"]["text"] for name in "56"] == ["a lighthouse at dusk", "blur"]
    size = graph["7"]["inputs"]
    assert (size["width"], size["height"], size["length"]) == (704, 1280, 121)
    assert graph["8"]["inputs"]["seed"] == 2**32 - 1
    assert graph["10"]["inputs"]["fps"] == 24
    assert "start_image" not in size


async def test_what_people_write_stays_text(server: ComfyUIServer, generator: ComfyUI) -> None:
    evil = 'lighthouse"}}, "66": {"class_type": "SaveImage", "inputs": {}}, "x": {"y": "{{seed}} \\" \u2028 {{prompt}}'
    await generator.submit(*order(generator, evil, negative_prompt="{{prompt}}"))
    graph = sent(server)
    assert sorted(graph, key=int) == [str(number) for number in range(1, 12)]
    assert graph["5"]["inputs"]["text"] == evil
    assert graph["6"]["inputs"]["text"] == "{{prompt}}"


async def test_a_picture_is_handed_over_under_a_name_of_its_key(server: ComfyUIServer, generator: ComfyUI) -> None:
    for _ in range(2):
        await generator.submit(*order(generator, picture="shore"))
    ((name, data),) = server.inputs.items()
    assert name.startswith("reelay-")
    assert name.endswith(".png")
    assert "shore" not in name
    assert data == PICTURE + b"shore"
    assert {job.wish["prompt"]["12"]["inputs"]["image"] for job in server.jobs.values()} == {name}


async def test_a_picture_that_cannot_be_handed_over_begins_nothing(server: ComfyUIServer, generator: ComfyUI) -> None:
    for status, kind in ((503, NothingSent), (400, InvalidRequest), (401, CredentialsRejected), (429, RateLimited)):
        server.strange.append((status, "text/html", b"no"))
        with pytest.raises(kind):
            await generator.submit(*order(generator, picture="shore"))
    for body in (b"", b"<p>", b"7", b"{}", b'{"name": 7}'):
        server.strange.append((200, "application/json", body))
        with pytest.raises(NothingSent):
            await generator.submit(*order(generator, picture="shore"))
    server.down = True
    with pytest.raises(NothingSent):
        await generator.submit(*order(generator, picture="shore"))
    server.down = False
    assert not server.calls("submit")


async def test_pictures_that_no_workflow_takes_are_refused_before_anything(
    server: ComfyUIServer, generator: ComfyUI
) -> None:
    for changes in ({"last_picture": "end"}, {"picture": "a", "last_picture": "b"}, {"references": ("a", "b")}):
        with pytest.raises(InvalidRequest) as found:
            await generator.submit(*order(generator, **changes))
        assert found.value.facts["setting"] == "COMFYUI_WORKFLOW"
    assert not server.inputs
    assert not server.calls("submit")


async def test_steps_are_told_while_it_works_and_the_end_is_hinted(
    server: ComfyUIServer, generator: ComfyUI, hints: list[str]
) -> None:
    server.on("lighthouse", Script(seconds=1.0))
    applied, attempt = order(generator)
    ticket = await generator.submit(applied, attempt)
    seen: list[float] = []
    async with asyncio.timeout(10):
        while isinstance(answer := await generator.poll(ticket), Waiting):
            seen += [] if answer.progress is None else [answer.progress]
            await asyncio.sleep(0.02)
    assert isinstance(answer, Ready)
    assert len(set(seen)) >= 4
    assert seen == sorted(seen)
    assert 0 < seen[0] < 0.5 < seen[-1] < 1
    await until(lambda: attempt.id in hints)
    assert set(hints) == {attempt.id}


async def test_an_old_server_tells_its_steps_too(tmp_path: Path) -> None:
    with ComfyUIServer(old=True, default=Script(seconds=0.6)) as server:
        generator = comfyui(server.environment(), world(tmp_path))
        applied, attempt = order(generator)
        ticket = await generator.submit(applied, attempt)
        assert ticket["id"] != prompt_id(attempt.id)
        assert await generator.find(applied, attempt) == "cannot tell", "it gave an id of its own"
        seen = []
        async with asyncio.timeout(10):
            while isinstance(answer := await generator.poll(ticket), Waiting):
                seen.append(answer.progress)
                await asyncio.sleep(0.02)
        assert isinstance(answer, Ready)
        assert max(each or 0.0 for each in seen) > 0.3
        await generator.close()


async def test_one_connection_serves_all_and_is_made_again_when_it_breaks(
    server: ComfyUIServer, generator: ComfyUI, hints: list[str]
) -> None:
    server.on("lighthouse", Script(seconds=None))
    orders = [order(generator, f"lighthouse {number}") for number in range(3)]
    for applied, attempt in orders:
        await generator.submit(applied, attempt)
    await until(lambda: len(server.clients) == 1)
    server.hang_up()
    await until(lambda: len(server.clients) == 2)
    assert len(set(server.clients)) == 1, "the client id stays"
    server.finish("lighthouse 0")
    await until(lambda: orders[0][1].id in hints)


async def test_without_messages_the_clip_comes_all_the_same(server: ComfyUIServer, generator: ComfyUI) -> None:
    server.silent = True
    ticket = await generator.submit(*order(generator))
    assert isinstance(await polled(generator, ticket), Ready)


async def test_the_connection_ends_with_the_generator(server: ComfyUIServer, tmp_path: Path) -> None:
    generator = comfyui(server.environment(), world(tmp_path))
    await generator.submit(*order(generator))
    await until(lambda: bool(server.clients))
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert "comfyui messages" in names
    await generator.close()
    await generator.close()
    assert "comfyui messages" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_the_place_in_the_queue_is_told(server: ComfyUIServer, generator: ComfyUI) -> None:
    server.silent = True
    server.on("lighthouse", Script(seconds=None))
    tickets = [await generator.submit(*order(generator, f"lighthouse {number}")) for number in range(3)]
    answers = [await generator.poll(ticket) for ticket in tickets]
    assert answers == [Waiting(), Waiting(queue_position=1), Waiting(queue_position=2)]


async def test_a_prompt_that_moves_between_two_looks_is_not_forgotten(
    server: ComfyUIServer, generator: ComfyUI
) -> None:
    server.on("lighthouse", Script(seconds=None))
    ticket = await generator.submit(*order(generator))
    await generator.poll(ticket)
    server.meanwhile["queue"] = lambda: server.finish("lighthouse")  # after the history, before the queue
    assert isinstance(await generator.poll(ticket), Waiting)
    assert isinstance(await generator.poll(ticket), Ready)


async def test_a_restart_of_the_server_is_noticed_at_the_second_look(server: ComfyUIServer, generator: ComfyUI) -> None:
    server.on("lighthouse", Script(seconds=None))
    ticket = await generator.submit(*order(generator))
    assert isinstance(await generator.poll(ticket), Waiting)
    server.restart()
    assert isinstance(await generator.poll(ticket), Waiting)
    answer = await generator.poll(ticket)
    assert isinstance(answer, Failed)
    assert type(answer.error) is Unavailable
    assert answer.error.facts == {"reason": "forgotten"}


async def test_a_miss_does_not_count_when_it_was_seen_again(server: ComfyUIServer, generator: ComfyUI) -> None:
    server.on("lighthouse", Script(seconds=None))
    ticket = await generator.submit(*order(generator))
    empty = (200, "application/json", b"{}")
    nobody = (200, "application/json", b'{"queue_running": [], "queue_pending": []}')
    for _ in range(3):
        server.strange += [empty, nobody]
        assert isinstance(await generator.poll(ticket), Waiting)
        assert isinstance(await generator.poll(ticket), Waiting)


async def test_a_cancel_takes_exactly_this_one(server: ComfyUIServer, generator: ComfyUI) -> None:
    server.on("lighthouse", Script(seconds=None))
    runs, waits, other = [await generator.submit(*order(generator, f"lighthouse {n}")) for n in range(3)]
    assert await generator.cancel(waits) == "stopped"
    assert [line.call for line in server.journal if line.call in ("delete", "interrupt")] == ["delete"]
    assert await generator.poll(other) == Waiting(queue_position=1)
    assert isinstance(await generator.poll(runs), Waiting)
    assert await generator.cancel(runs) == "stopped"
    assert isinstance(await polled(generator, runs), Failed)
    assert isinstance(await polled(generator, waits), Failed)
    assert isinstance(await generator.poll(other), Waiting)
    for ticket in (runs, waits):
        assert await generator.cancel(ticket) == "stopped", "twice is fine"
    assert len(server.calls("interrupt")) == len(server.calls("delete")) == 1
    assert not server.jobs[other["id"]].cancelled


async def test_a_prompt_that_begins_while_it_is_cancelled_is_interrupted(
    server: ComfyUIServer, generator: ComfyUI
) -> None:
    server.on("lighthouse", Script(seconds=None))
    first, second = [await generator.submit(*order(generator, f"lighthouse {number}")) for number in range(2)]
    await generator.poll(second)
    server.meanwhile["delete"] = lambda: server.finish("lighthouse 0")
    assert await generator.cancel(second) == "stopped"
    assert isinstance(await polled(generator, first), Ready)
    assert isinstance(await polled(generator, second), Failed)
    assert [line.job for line in server.calls("interrupt")] == [second["id"]]


async def test_nobody_elses_prompt_is_interrupted_when_ours_is_over(tmp_path: Path) -> None:
    """An old server does not read whom an interrupt is for."""
    with ComfyUIServer(old=True) as server:
        generator = comfyui(server.environment(), world(tmp_path))
        server.on("stranger", Script(seconds=None))
        ours = await generator.submit(*order(generator))
        assert isinstance(await polled(generator, ours), Ready)
        theirs = await generator.submit(*order(generator, "a stranger"))
        await generator.poll(theirs)
        assert await generator.cancel(ours) == "stopped"
        assert not server.calls("interrupt")
        assert isinstance(await generator.poll(theirs), Waiting)
        assert await generator.cancel(theirs) == "stopped"
        assert len(server.calls("interrupt")) == 1
        await generator.close()


@pytest.mark.parametrize("then", ["cut", "error", "garbage"])
async def test_a_lost_answer_is_found_by_the_id(server: ComfyUIServer, generator: ComfyUI, then: Any) -> None:
    server.on("lighthouse", Script(submits=[Take(then)], seconds=None))
    applied, attempt = order(generator)
    with pytest.raises(Unclear):
        await generator.submit(applied, attempt)
    found = await generator.find(applied, attempt)
    assert found == Found({"id": prompt_id(attempt.id), "attempt": attempt.id})
    server.finish("lighthouse")
    assert isinstance(found, Found)
    assert isinstance(await polled(generator, found.ticket), Ready)
    assert await generator.find(applied, attempt) == found, "also when it has ended"
    assert dict(server.paid) == {attempt.id: 1}


async def test_what_moves_while_it_is_looked_for_is_found(server: ComfyUIServer, generator: ComfyUI) -> None:
    server.on("lighthouse", Script(seconds=None))
    applied, attempt = order(generator)
    await generator.submit(applied, attempt)
    server.meanwhile["queue"] = lambda: server.finish("lighthouse")
    assert isinstance(await generator.find(applied, attempt), Found)


async def test_what_may_still_be_on_its_way_is_not_denied(generator: ComfyUI) -> None:
    applied, attempt = order(generator)
    now = SystemClock().now()
    assert await generator.find(applied, replace(attempt, intent_at=now - 1000)) == "cannot tell"
    assert await generator.find(applied, replace(attempt, intent_at=now - 180_000)) == "certainly not"


async def test_a_released_prompt_leaves_the_history(server: ComfyUIServer, generator: ComfyUI) -> None:
    applied, attempt = order(generator)
    ticket = await generator.submit(applied, attempt)
    assert isinstance(await polled(generator, ticket), Ready)
    for _ in range(2):
        await generator.release(ticket)
    assert server.jobs[ticket["id"]].released
    assert await generator.find(applied, attempt) == "certainly not"


async def test_a_workflow_that_saves_pictures_fails_with_words(tmp_path: Path, server: ComfyUIServer) -> None:
    path = workflow(tmp_path, {"13": {"class_type": "SaveImage", "inputs": SAVED}}, without=("10", "11"))
    generator = comfyui({**server.environment(), "COMFYUI_WORKFLOW": str(path)}, world(tmp_path))
    answer = await polled(generator, await generator.submit(*order(generator)))
    assert isinstance(answer, Failed)
    assert answer.error.message_id == "error.workflow_no_clip"
    await generator.close()


async def test_the_clip_of_a_video_combine_is_fetched(tmp_path: Path, server: ComfyUIServer) -> None:
    combine = {"class_type": "VHS_VideoCombine", "inputs": {**SAVED, "frame_rate": "{{fps}}"}}
    path = workflow(tmp_path, {"13": combine}, without=("10", "11"))
    generator = comfyui({**server.environment(), "COMFYUI_WORKFLOW": str(path)}, world(tmp_path))
    ticket = await generator.submit(*order(generator))
    answer = await polled(generator, ticket)
    assert isinstance(answer, Ready)
    sink = Collector()
    await generator.fetch(ticket, answer.artifact, sink)
    assert bytes(sink.data) == clip_bytes()
    await generator.close()


@pytest.mark.parametrize("given", ["0123456789abcdef0123456789ABCDEF", "prompt-7", "01HZX"])
async def test_an_id_of_the_servers_own_is_used_as_it_is_written(
    server: ComfyUIServer, generator: ComfyUI, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    """Forks count, or leave out the hyphens: in another spelling the prompt would never be found again, and its clip be lost."""
    monkeypatch.setattr("tests.lab.comfyui.uuid.uuid4", lambda: given)
    server.old = True
    server.on("lighthouse", Script(seconds=0.0))
    ticket = await generator.submit(*order(generator))
    assert ticket["id"] == given
    assert isinstance(await polled(generator, ticket), Ready)


@pytest.mark.parametrize("given", ["-x", "../queue", "a/b", "a?b", "x" * 200])
async def test_an_id_that_is_none_leaves_the_submit_in_doubt(
    server: ComfyUIServer, generator: ComfyUI, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setattr("tests.lab.comfyui.uuid.uuid4", lambda: given)
    server.old = True
    with pytest.raises(Unclear):
        await generator.submit(*order(generator))


async def test_an_upload_that_is_answered_without_end_is_given_up(
    server: ComfyUIServer, generator: ComfyUI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interfere(request: web.Request) -> web.StreamResponse | None:
        return web.Response(body=b" " * (8 << 20)) if request.path == "/upload/image" else None

    monkeypatch.setattr(server, "interfere", interfere)
    with pytest.raises(NothingSent):
        await generator.submit(*order(generator, picture="first"))
    assert not server.jobs


async def test_check_names_the_missing_nodes(tmp_path: Path, server: ComfyUIServer) -> None:
    extra = {"class_type": "Fast Muter (me/x)", "inputs": {}}
    path = workflow(tmp_path, {"13": extra, "14": {"class_type": "Mystery", "inputs": {}}})
    generator = comfyui({**server.environment(), "COMFYUI_WORKFLOW": str(path)}, world(tmp_path))
    with pytest.raises(InvalidRequest, match=r"has no Fast Muter \(me/x\), Mystery.*COMFYUI_WORKFLOW"):
        await generator.check()
    await generator.close()


async def test_check_names_the_missing_files(tmp_path: Path, server: ComfyUIServer) -> None:
    path = workflow(tmp_path, {"3": {"class_type": "VAELoader", "inputs": {"vae_name": "mine.safetensors"}}})
    generator = comfyui({**server.environment(), "COMFYUI_WORKFLOW": str(path)}, world(tmp_path))
    with pytest.raises(ModelRetired, match=r"has no mine\.safetensors"):
        await generator.check()
    await generator.close()


async def test_check_says_what_it_saw(server: ComfyUIServer, generator: ComfyUI) -> None:
    assert await generator.check() == "ComfyUI 0.9.2 has the 11 kinds of nodes of the workflow"
    for answer in ((200, "application/json", b"{}"), (200, "text/html", b"<p>Hello"), (404, "text/html", b"no")):
        server.strange.append(answer)
        with pytest.raises(Unavailable, match="is no ComfyUI: set COMFYUI_URL"):
            await generator.check()


SAVED: dict[str, Any] = {"images": ["9", 0], "filename_prefix": "x"}


def workflow(folder: Path, nodes: dict[str, Any], *, without: tuple[str, ...] = ()) -> Path:
    """The shipped workflow with other nodes, as a file."""
    graph = {**json.loads(SHIPPED.read_text(encoding="utf-8")), **nodes}
    path = folder / "workflow.json"
    path.write_text(json.dumps({name: node for name, node in graph.items() if name not in without}), encoding="utf-8")
    return path
