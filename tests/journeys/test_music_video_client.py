"""A music video by a program that knows only the documented steps: scenes, a character, all clips at once, downloads, the merge."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.journeys.conftest import TOKENS, Maker, Shared
from tests.lab.clips import clip_bytes
from tests.lab.vendor import Refuse, Script, Vendor
from tests.lab.waiting import until
from tests.media.hostile import photo

pytestmark = pytest.mark.journey
SEVEN_MINUTES = 420
IDEA = "A tourist explores Austin, Texas: murals, food trucks, the river at sunset"
ROBOT = "silver metallic humanoid robot with a red shield"


class Client:
    """What somebody else wrote who had read docs/reference/http.md, and nothing of the code."""

    def __init__(self, root: str, session: aiohttp.ClientSession) -> None:
        self.root, self.session = root, session

    async def post(self, path: str, seconds: float = 60, **fields: Any) -> Any:
        timeout = aiohttp.ClientTimeout(total=seconds)
        async with self.session.post(self.root + path, json=fields, timeout=timeout) as response:
            data = await response.json()
            if response.status >= 400:
                raise RuntimeError(f"{response.status} {data['error']} {data['error_code']}: {data['message']}")
            return data

    async def music_video(
        self, idea: str, character: str, scenes: int, duration: int, template: str, transition: str, **more: str
    ) -> tuple[list[Any], bytes]:
        """(the answers for the scenes, the film)."""
        script = await self.post(
            "/api/mv/create_scenes", idea=idea, character_description=character, number_of_scenes=scenes
        )
        reference = await self.post("/api/mv/generate_character_reference", character_description=character)
        orders = [
            self.post(
                "/api/mv/generate_video",
                SEVEN_MINUTES,
                prompt=scene["description"],
                negative_prompt=scene["negative_description"],
                aspect_ratio="16:9",
                duration=duration,
                generate_audio=True,
                seed=7,
                reference_image_base64=reference["image_base64"],
                video_rules_template=template,
                **more,
            )
            for scene in script["scenes"]
        ]
        made = await asyncio.gather(*orders)
        for each in made:
            assert await self.download(each["video_url"])
        merge = await self.post(
            "/api/mv/merge",
            video_ids=[each["video_id"] for each in made],
            transition=transition,
            music=None,
            title="Austin",
        )
        status: Any = {}
        for _ in range(1200):
            status = await self.post("/api/video_chat/status", operation_id=merge["operation_id"])
            if status["status"] not in ("pending", "processing"):
                break
            assert status["progress"] is None or 0 <= status["progress"] <= 100
            await asyncio.sleep(0.1)
        assert status["status"] == "completed", status
        return made, await self.download(status["video_url"])

    async def download(self, path: str) -> bytes:
        """In two ranges, as a player does."""
        async with self.session.head(self.root + path) as head:
            assert head.status == 200
            size, tag = int(head.headers["Content-Length"]), head.headers["ETag"]
            assert head.headers["Accept-Ranges"] == "bytes"
        whole = b""
        for wanted, length in ((f"bytes=0-{size // 2 - 1}", size // 2), (f"bytes={size // 2}-", size - size // 2)):
            async with self.session.get(self.root + path, headers={"Range": wanted, "If-Range": tag}) as part:
                assert (part.status, part.content_type) == (206, "video/mp4")
                whole += await part.read()
                assert part.content_length == length
        async with self.session.get(self.root + path, headers={"If-None-Match": tag}) as known:
            assert known.status == 304
        async with self.session.get(f"{self.root}{path}/info") as told:
            info = await told.json()
        assert (info["exists"], info["file_size_bytes"]) == (True, size == len(whole) and size)
        return whole


@pytest.fixture(scope="module")
def stage(make: Maker) -> Iterator[Shared]:
    """A process with the limits as they are without any setting, whose generators are called like those that clients know."""
    with Vendor() as server:
        paid = {"url": server.url, "price": 40, "most_active": 32, "reference_images": 1}
        generators = [{"name": "veo", **paid}, {"name": "replicate", **paid}]
        environ = {
            "REELAY_DAILY_CREDITS": "unlimited",
            "REELAY_GLOBAL_DAILY_CREDITS": "unlimited",
            "LAB_TOKENS": json.dumps(TOKENS),
        }
        reelay = make(generators=generators, environ=environ).start()
        yield Shared(reelay, server)
        assert reelay.stop() == 0
        assert "Traceback" not in reelay.text


@asynccontextmanager
async def client(stage: Shared, person: str = "alice") -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {TOKENS[person]}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield Client(stage.reelay.url, session)


def run(work: Callable[[Client], Coroutine[Any, Any, Any]], stage: Shared, person: str = "alice") -> Any:
    """Let somebody work."""

    async def whole() -> Any:
        async with client(stage, person) as one:
            return await work(one)

    return asyncio.run(whole())


def test_the_documented_steps_make_a_music_video(stage: Shared) -> None:
    template = "Cinematic, no text. {prompt} Keep the robot silver."
    made, film = run(lambda one: one.music_video(IDEA, ROBOT, 4, 8, template, "crossfade"), stage)
    assert film[4:8] == b"ftyp"
    assert len(film) > len(clip_bytes())
    assert len(made) == len({each["video_id"] for each in made}) == 4
    for each in made:
        assert set(each) == {"video_id", "video_path", "video_url", "metadata"}
        assert (stage.reelay.data / each["video_path"]).read_bytes() == clip_bytes()
        metadata = each["metadata"]
        assert (metadata["backend_used"], metadata["model_used"]) == ("veo", "veo-1")
        assert metadata["parameters_used"] == {
            "aspect_ratio": "16:9",
            "duration": 8,
            "generate_audio": True,
            "seed": 7,
        }
        assert metadata["prompt"].startswith("Cinematic, no text. ")
        (job,) = [job for job in stage.vendor.of(metadata["prompt"]) if job.attempt in attempts_of(stage, each)]
        assert job.references, "the picture of the character goes along"


@pytest.mark.parametrize("backend, used", [("gemini", "veo"), ("replicate", "replicate"), ("veo", "veo")])
def test_a_backend_may_be_called_as_clients_call_it(stage: Shared, backend: str, used: str) -> None:
    answer = stage.api().post("/api/mv/generate_video", {"prompt": "a mural", "backend": backend})
    assert (answer.status, answer["metadata"]["backend_used"]) == (200, used)


def attempts_of(stage: Shared, made: Any) -> set[str]:
    sql = "SELECT a.id FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id WHERE j.clip_id = ?"
    return {row["id"] for row in stage.reelay.rows(sql, made["video_id"])}


def test_and_so_do_they_with_the_built_in_generator(stage: Shared) -> None:
    made, film = run(
        lambda one: one.music_video(IDEA, ROBOT, 2, 4, "slow camera", "cut", backend="local"), stage, "bob"
    )
    assert [each["metadata"]["backend_used"] for each in made] == ["local", "local"]
    assert film[4:8] == b"ftyp"
    sql = "SELECT applied FROM jobs WHERE clip_id IN (?, ?)"
    applied = [json.loads(row["applied"]) for row in stage.reelay.rows(sql, *(each["video_id"] for each in made))]
    assert [each["picture"] for each in applied] == [None, None], "its scenes are drawn, and do not all begin alike"
    assert {each["character"] for each in applied} == {ROBOT}
    assert len({each["look"] for each in applied}) == 1


def test_a_scene_that_is_declined_does_not_hold_the_others_up(stage: Shared) -> None:
    stage.vendor.on("forbidden", Script(fails="content"))

    async def work(one: Client) -> list[Any]:
        prompts = ["a mural", "something forbidden", "a taco truck"]
        orders = [one.post("/api/mv/generate_video", SEVEN_MINUTES, prompt=each) for each in prompts]
        return await asyncio.gather(*orders, return_exceptions=True)

    first, second, third = run(work, stage)
    assert first["video_id"] != third["video_id"]
    assert isinstance(second, RuntimeError)
    assert str(second).startswith("422 VideoGenerationError CONTENT_POLICY_VIOLATION: ")


class Crowd:
    """Calls of ``generate_video`` that wait together."""

    def __init__(self, stage: Shared, word: str) -> None:
        self.stage, self.word = stage, word
        stage.vendor.on(word, Script(seconds=None))

    def at_work(self, who: str = "") -> int:
        """How many of them the generator has."""
        return len(self.stage.vendor.of(f"{self.word} {who}"))

    def states(self, who: str = "") -> dict[str, int]:
        sql = "SELECT state, COUNT(*) AS n FROM jobs WHERE json_extract(wanted, '$.prompt') LIKE ? GROUP BY state"
        return {row["state"]: row["n"] for row in self.stage.reelay.rows(sql, f"{self.word} {who}%")}

    def settled(self, who: str, running: int, waiting: int) -> None:
        """So many run, so many wait, and a look of the scheduler later it is still so."""
        wanted = {"generating": running, **({"queued": waiting} if waiting else {})}
        until(lambda: self.states(who) == wanted, 20, f"{wanted}, not {self.states(who)}")
        extra = self.stage.api("heidi").ordered("a quick one", provider="veo")  # admitted in a later look than theirs
        self.stage.reelay.wait_state(extra)
        assert (self.states(who), self.at_work(who)) == (wanted, running)


async def call(one: Client, prompt: str, n: int, **fields: Any) -> list[Any]:
    orders = [one.post("/api/mv/generate_video", SEVEN_MINUTES, prompt=f"{prompt} {i}", **fields) for i in range(n)]
    return await asyncio.gather(*orders)


def test_calls_of_one_account_run_as_many_at_once_as_scenes_of_a_film_do(stage: Shared) -> None:
    """Six calls of alice's: four run, though a person may have but two jobs run. Bob's four run beside them."""
    crowd = Crowd(stage, "together")

    async def work(alice: Client) -> None:
        six = asyncio.create_task(call(alice, "together alice", 6))
        await asyncio.to_thread(crowd.settled, "alice", 4, 2)
        async with client(stage, "bob") as bob:
            four = asyncio.create_task(call(bob, "together bob", 4))
            await asyncio.to_thread(crowd.settled, "bob", 4, 0)
            assert crowd.states("alice") == {"generating": 4, "queued": 2}
            stage.vendor.finish("together bob")
            assert len(await four) == 4
        first = stage.vendor.of("together alice")[0]
        stage.vendor.finish(first.prompt)
        await asyncio.to_thread(until, lambda: crowd.at_work("alice") == 5, 20, "the next one")
        stage.vendor.finish("together alice")
        assert len({each["video_id"] for each in await six}) == 6

    run(work, stage)


def test_calls_of_another_session_are_a_unit_of_their_own(stage: Shared) -> None:
    """A unit takes one of a person's two places, whatever runs in it; the third session waits."""
    crowd = Crowd(stage, "apart")

    async def work(carol: Client) -> None:
        sessions = [asyncio.create_task(call(carol, f"apart {name}", 4, session_id=name)) for name in ("one", "two")]
        await asyncio.to_thread(crowd.settled, "", 8, 0)
        third = asyncio.create_task(call(carol, "apart three", 2, session_id="three"))
        await asyncio.to_thread(until, lambda: crowd.states("three") == {"queued": 2}, 20, "the third session")
        stage.vendor.finish("apart one")
        await sessions[0]
        await asyncio.to_thread(until, lambda: crowd.at_work("three") == 2, 20, "the third session's turn")
        stage.vendor.finish("apart")
        await asyncio.gather(sessions[1], third)

    run(work, stage, "carol")


def test_twenty_scenes_can_be_ordered_at_once(stage: Shared) -> None:
    """As many as ``create_scenes`` gives: the line of one person, as it is without any setting, has room for them."""
    made = run(lambda one: call(one, "crowded", 20), stage, "dave")
    assert len({each["video_id"] for each in made}) == 20


def test_whoever_hangs_up_finds_the_clip_by_the_same_key(stage: Shared) -> None:
    stage.vendor.on("hang up", Script(seconds=None))
    fields = {"prompt": "hang up", "idempotency_key": "once"}

    async def work(erin: Client) -> tuple[Any, Any]:
        with pytest.raises(TimeoutError):
            await erin.post("/api/mv/generate_video", 1.0, **fields)
        await asyncio.to_thread(until, lambda: stage.vendor.of("hang up"), 20, "the submit")
        again = asyncio.create_task(erin.post("/api/mv/generate_video", 60, **fields))
        stage.vendor.finish("hang up")
        return await again, await erin.post("/api/mv/generate_video", 60, **fields)

    first, second = run(work, stage, "erin")
    assert first["video_id"] == second["video_id"]
    assert len(stage.vendor.of("hang up")) == 1
    api = stage.api("erin")
    (mine,) = api.operations()["operations"]
    assert (mine["video_id"], mine["status"], mine["charged"]) == (first["video_id"], "completed", 40)
    other = api.post("/api/mv/generate_video", {**fields, "prompt": "another"})
    assert (other.status, other["error_code"]) == (409, "CONFLICT")


def test_a_call_may_be_answered_at_once(stage: Shared) -> None:
    api, data = stage.api("frank"), {"prompt": "later", "idempotency_key": "async"}
    first, second = (
        api.post("/api/mv/generate_video", data, headers={"Prefer": said})
        for said in ("respond-async, wait=10", "Respond-Async")
    )
    for answer, repeated in ((first, False), (second, True)):
        assert (answer.status, answer.headers["Preference-Applied"]) == (202, "respond-async")
        assert answer.json.get("repeated", False) is repeated
    assert first["operation_id"] == second["operation_id"]
    stage.reelay.wait_state(first["operation_id"])
    assert api.status(first["operation_id"])["status"] == "completed"


WRONG: dict[str, list[Any]] = {
    "prompt": [None, "", "  ", 7, ["x"], "x" * 4001],
    "backend": ["nobody", 7, ["veo"], "local "],
    "video_rules_template": [7, ["x"], "x" * 2001],
    "reference_image_base64": ["no base64!", 7, ["x"], "data:image/png;base64,%%%"],
    "duration": [5, "x"],
    "aspect_ratio": ["1:1", 7],
    "seed": [-1, "x"],
    "generate_audio": ["yes", 1],
    "negative_prompt": ["x" * 1001, 7],
    "session_id": ["x" * 129, 7],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_field_that_is_wrong_is_named_as_the_caller_named_it(stage: Shared, name: str) -> None:
    for value in WRONG[name]:
        for template in ({}, {"video_rules_template": "slow"}):
            data = {"prompt": "a lighthouse", **template, name: value}
            answer = stage.api("grace").post("/api/mv/generate_video", data)
            assert answer.status == 400, (value, answer.body[:300])
            assert answer["details"].startswith(f"{name}: "), answer.json
            assert set(answer.json) == {"error", "error_code", "message", "details", "backend_used", "timestamp"}
    assert stage.reelay.rows("SELECT 1 FROM jobs WHERE json_extract(wanted, '$.prompt') = 'a lighthouse'") == []


def test_a_picture_in_lines_and_as_a_data_url_is_taken_and_what_is_none_is_not(stage: Shared) -> None:
    api, raw = stage.api("grace"), photo((64, 64))
    for text in (base64.encodebytes(raw).decode(), "data:image/jpeg;base64," + base64.b64encode(raw).decode()):
        answer = api.post("/api/mv/generate_video", {"prompt": "wavy", "reference_image_base64": text})
        assert answer.status == 200, answer.body
    text = base64.b64encode(b"%PDF-1.7 and so on").decode()
    answer = api.post("/api/mv/generate_video", {"prompt": "wavy", "reference_image_base64": text})
    assert (answer.status, answer["error_code"]) == (415, "UNSUPPORTED_MEDIA")
    assert list((stage.reelay.data / "clips").rglob("*.upload")) == []


def test_an_error_names_the_generator_that_it_is_of(make: Maker) -> None:
    cases = {
        "replicate": (402, "INSUFFICIENT_FUNDS", 503),
        "veo": (401, "AUTHENTICATION_ERROR", 502),
        "omni": (410, "MODEL_RETIRED", 503),
    }
    with Vendor() as server:
        generators = [{"name": name, "url": server.url, "price": 40} for name in cases]
        reelay = make(generators=generators, environ={"LAB_TOKENS": json.dumps(TOKENS)}).start()
        for name, (status, code, answered) in cases.items():
            server.on(f"for {name}", Script(submits=[Refuse(status)]))
            data = {"prompt": f"for {name}", "backend": name}
            answer = Shared(reelay, server).api().post("/api/mv/generate_video", data, seconds=60)
            assert (answer.status, answer["error_code"], answer["backend_used"]) == (answered, code, name)
            assert answer["message"]
        assert reelay.value("SELECT SUM(charged) FROM jobs") == 0
        assert reelay.value("SELECT SUM(held) FROM allowances") == 0
        reelay.end()
