from __future__ import annotations

import asyncio
import errno
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import DiskFull, MediaTimedOut, OversizedMedia, ReelayError, WorkerDied
from core.media import Picture
from media import children
from media import tools as tools_module
from media.limits import HEAVY_AT_ONCE, LANES, Lane, heavy_at_once
from media.tools import MediaTools, _shaped
from providers.local import capabilities
from tests.media.conftest import Shelf, alive, names, our_children

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def misbehaving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "WORKER", Path(__file__).with_name("misbehaving_worker.py"))


async def misbehave(
    tools: MediaTools,
    how: str,
    *,
    lane: Lane = "quick",
    destination: Path | None = None,
    report: Callable[[float], None] | None = None,
    deadline: float = 30,
) -> dict[str, Any]:
    return await tools._run(lane, {"operation": "misbehave", "how": how}, destination, report, deadline)


@pytest.mark.parametrize("lane", ["quick", "heavy"])
async def test_a_child_is_bounded_and_knows_nothing_of_us(
    tools: MediaTools, lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "a secret")
    told = await misbehave(tools, "tell", lane=lane)
    limits = LANES[lane]
    assert set(told["environment"]) <= {
        "PATH", "LANG", "LC_CTYPE", "HOME", "TMPDIR", "MALLOC_ARENA_MAX", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS",
    }  # fmt: skip
    assert told["limits"]["CORE"] == [0, 0]
    assert told["limits"]["AS"] == [limits.address_space, limits.most_address_space]
    assert told["limits"]["CPU"][0] == limits.cpu_seconds
    assert told["limits"]["FSIZE"][1] == limits.file_bytes
    assert told["limits"]["NOFILE"][1] == limits.open_files
    assert told["nice"] == (10 if lane == "heavy" else 0)
    assert told["group"] == told["pid"] != os.getpgid(0)
    assert told["cwd"].startswith(str(tools._scratch))
    assert told["isolated"] == 1


async def out_of_time(tools: MediaTools, how: str, destination: Path | None = None) -> int:
    """Let the deadline pass as soon as the child has told of its grandchild, however slowly both began; returns the grandchild."""
    loop = asyncio.get_running_loop()
    real, told = loop.time, list[float]()

    def report(fraction: float) -> None:
        told.append(fraction)
        loop.time = lambda: real() + 3600  # type: ignore[method-assign] # an hour later for every timer of this loop

    with pytest.raises(MediaTimedOut):
        await misbehave(tools, how, destination=destination, report=report, deadline=600)
    (fraction,) = told
    return round(fraction * 2**31)


async def test_a_deadline_kills_the_whole_group_and_removes_what_was_written(tools: MediaTools, tmp_path: Path) -> None:
    grandchild = await out_of_time(tools, "hang with a grandchild", tmp_path / "film.mp4")
    assert grandchild > 1
    wait_until_gone(grandchild)
    assert not (tmp_path / "film.mp4").exists()


async def test_a_runaway_that_left_the_group_does_not_hold_us_up(
    tools: MediaTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "_SECONDS_TO_DIE", 0.5)
    os.kill(await out_of_time(tools, "hang with a runaway"), signal.SIGKILL)


async def test_cancelling_kills_the_child_at_once(warm_tools: MediaTools, tmp_path: Path) -> None:
    started = asyncio.Event()
    call = asyncio.create_task(
        misbehave(warm_tools, "hang", destination=tmp_path / "film.mp4", report=lambda _: started.set())
    )
    await asyncio.wait_for(started.wait(), 20)
    (child,) = warm_tools._children
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(call, 5)
    assert not alive(child.pid)
    assert not list(warm_tools._scratch.glob("*/output*"))
    assert not (tmp_path / "film.mp4").exists()


async def test_cancelling_while_the_output_is_put_in_place_takes_it_away_again(
    tools: MediaTools, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, entered, gate, real = asyncio.get_running_loop(), asyncio.Event(), threading.Event(), tools_module._publish

    def slow(output: Path, destination: Path) -> int:
        size = real(output, destination)
        loop.call_soon_threadsafe(entered.set)
        gate.wait(20)
        return size

    monkeypatch.setattr(tools_module, "_publish", slow)
    call = asyncio.create_task(tools.poster(shelf.blue, tmp_path / "poster.jpg"))
    await asyncio.wait_for(entered.wait(), 20)
    assert "poster.jpg" in names(tmp_path)
    call.cancel()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert names(tmp_path) == {"scratch"}


async def test_cancelling_before_the_child_has_begun_leaves_nothing(tmp_path: Path) -> None:
    room = MediaTools(tmp_path / "scratch", spare=False)
    await room.start()
    for rounds in range(6):
        call = asyncio.create_task(misbehave(room, "tell"))
        for _ in range(rounds):
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    await room.close()
    assert our_children() == []
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    "how, kind, says",
    [
        ("eat memory", WorkerDied, "out of memory"),
        ("segfault", WorkerDied, "signal 11"),
        ("vanish", WorkerDied, "exit code 3"),
        ("spin", MediaTimedOut, "processor time"),
        ("stumble", WorkerDied, "RuntimeError at misbehaving_worker.py"),
        ("fill the disk", OversizedMedia, "grew above"),
        ("find the disk full", DiskFull, "no room"),
        ("endless line", WorkerDied, "endless line"),
    ],
)
async def test_every_death_has_its_error(
    tools: MediaTools, tmp_path: Path, how: str, kind: type[ReelayError], says: str
) -> None:
    with pytest.raises(kind, match=says) as caught:
        await misbehave(tools, how, destination=tmp_path / "film.mp4")
    assert "secret" not in str(caught.value)
    assert names(tmp_path) == {"scratch"}


async def test_what_libraries_print_goes_nowhere_but_to_the_debug_log(
    tools: MediaTools, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG", logger="reelay.media"):
        assert (await misbehave(tools, "babble"))["isolated"] == 1
    said = [record for record in caplog.records if "said" in record.getMessage()]
    assert said
    assert all(record.levelname == "DEBUG" and len(record.getMessage()) < 50_000 for record in said)


async def test_a_child_that_claims_an_output_must_have_written_it(tools: MediaTools, tmp_path: Path) -> None:
    with pytest.raises(WorkerDied, match="no output"):
        await misbehave(tools, "lie", destination=tmp_path / "film.mp4")


@pytest.mark.parametrize(
    "answer", [{}, {"width": "wide", "height": 1, "mime": "x", "bytes": 1}, {"width": None, "height": 1, "mime": "x"}]
)
def test_an_answer_of_another_shape_is_a_dead_worker(answer: dict[str, Any]) -> None:
    with pytest.raises(WorkerDied, match="another shape"):
        _shaped(Picture, answer)


async def test_a_quick_call_never_waits_behind_a_heavy_one(tools: MediaTools, shelf: Shelf) -> None:
    started = asyncio.Event()
    heavy = asyncio.create_task(misbehave(tools, "hang", lane="heavy", report=lambda _: started.set(), deadline=60))
    await asyncio.wait_for(started.wait(), 20)
    second = asyncio.create_task(misbehave(tools, "tell", lane="heavy"))
    assert (await tools.inspect(shelf.blue)).frames == 48
    assert not heavy.done()
    assert not second.done()
    assert len([child for child in tools._children if child.lane == "heavy"]) == 1
    heavy.cancel()
    await asyncio.gather(heavy, return_exceptions=True)
    assert (await asyncio.wait_for(second, 30))["nice"] == 10


@pytest.mark.parametrize("cores, most", [(None, 1), (1, 1), (2, 1), (3, 1), (4, 2), (9, 4)])
def test_one_heavy_child_works_for_every_two_cores(cores: int | None, most: int) -> None:
    assert heavy_at_once(cores) == most


def test_as_many_drawings_are_asked_for_as_may_be_drawn(tmp_path: Path) -> None:
    room = MediaTools(tmp_path / "scratch")
    assert room._places["heavy"]._value == HEAVY_AT_ONCE == capabilities().most_active


async def test_on_four_cores_two_drawings_work_at_once(tmp_path: Path) -> None:
    room = MediaTools(tmp_path / "scratch", heavy=heavy_at_once(4), spare=False)
    await room.start()
    started: asyncio.Queue[float] = asyncio.Queue()
    calls = [
        asyncio.create_task(misbehave(room, "hang", lane="heavy", report=started.put_nowait, deadline=60))
        for _ in range(3)
    ]
    try:
        for _ in range(2):
            await asyncio.wait_for(started.get(), 20)
        assert len(room._children) == 2, "the third waits for a place"
    finally:
        await room.close()
    ended = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 20)
    assert {type(each) for each in ended} == {WorkerDied}, "also whoever waited for a place while it closed"
    assert our_children() == []


async def _spare_of(tools: MediaTools) -> children.Child:
    """The child that waits; it starts a moment after the last one ended."""
    async with asyncio.timeout(30):
        while tools._spare is None:  # noqa: ASYNC110 - it is nobody's business to tell
            await asyncio.sleep(0.01)
    return tools._spare


async def test_a_spare_waits_with_its_imports_done_and_is_used_once(warm_tools: MediaTools) -> None:
    first = await misbehave(warm_tools, "tell")
    assert our_children() == [], "what was inspected goes on its way first"
    spare = await _spare_of(warm_tools)
    second = await misbehave(warm_tools, "tell")
    assert second["pid"] == spare.pid != first["pid"]
    assert not alive(spare.pid)


async def test_a_spare_that_died_is_replaced_unnoticed(warm_tools: MediaTools) -> None:
    await misbehave(warm_tools, "tell")
    spare = await _spare_of(warm_tools)
    os.kill(spare.pid, signal.SIGKILL)
    await spare._process.wait()
    assert (await misbehave(warm_tools, "tell"))["pid"] != spare.pid


async def test_a_spare_that_nobody_needs_is_let_go(warm_tools: MediaTools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools_module, "SPARE_SECONDS", 0.2)
    await misbehave(warm_tools, "tell")
    spare = await _spare_of(warm_tools)
    await asyncio.wait_for(spare._process.wait(), 30)
    assert warm_tools._spare is None
    while warm_tools._tasks:
        await asyncio.gather(*warm_tools._tasks)
    assert our_children() == []


async def test_no_room_at_the_destination_has_its_own_error(
    tools: MediaTools, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WorkerDied, match="ENOENT"):
        await tools.inspect(shelf.blue, tmp_path / "no such folder" / "poster.jpg")
    real = Path.replace

    def elsewhere(self: Path, target: Path) -> Path:
        if self.name.startswith("output"):
            raise OSError(errno.EXDEV, "another file system")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", elsewhere)
    await tools.inspect(shelf.blue, tmp_path / "poster.jpg")
    assert names(tmp_path) == {"scratch", "poster.jpg"}
    monkeypatch.setattr(shutil, "copyfile", no_space)
    with pytest.raises(DiskFull):
        await tools.inspect(shelf.blue, tmp_path / "other.jpg")
    assert names(tmp_path) == {"scratch", "poster.jpg"}


def no_space(_source: Path, target: Path) -> None:
    target.write_bytes(b"half")
    raise OSError(errno.ENOSPC, "No space left on device")


async def test_closing_kills_what_still_runs(tmp_path: Path) -> None:
    room = MediaTools(tmp_path / "scratch")
    await room.start()
    started = asyncio.Event()
    call = asyncio.create_task(misbehave(room, "hang", report=lambda _: started.set()))
    await asyncio.wait_for(started.wait(), 20)
    await room.close()
    with pytest.raises(WorkerDied):
        await call
    assert our_children() == []
    with pytest.raises(WorkerDied, match="closed"):
        await misbehave(room, "tell")


async def test_starting_sweeps_what_a_killed_process_left(tmp_path: Path) -> None:
    left = tmp_path / "scratch" / f"{children.PREFIX}0123"
    left.mkdir(parents=True)
    (left / "output.mp4").write_bytes(b"half")
    room = MediaTools(tmp_path / "scratch")
    await room.start()
    assert not left.exists()
    await room.close()


def test_the_child_dies_with_its_parent() -> None:
    """Kill -9 of the parent: PDEATHSIG, not our own clean-up, must end the child."""
    program = f"""
import asyncio, sys, tempfile
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from core.media import Picture
from media import children
from media import tools as tools_module
from media.tools import MediaTools, _shaped
children.WORKER = Path({str(Path(__file__).with_name("misbehaving_worker.py"))!r})
async def main(folder):
    room = MediaTools(Path(folder))
    await room.start()
    def told(_):
        print(*(child.pid for child in room._children), flush=True)
    await room._run("heavy", {{"operation": "misbehave", "how": "hang"}}, None, told, 60)
with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(folder))
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    wait_until_gone(pid)


def test_the_parent_never_imports_a_decoder() -> None:
    program = "import sys, media.tools; print([m for m in ('av', 'PIL', 'numpy') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "[]"


def wait_until_gone(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ready, _, _ = select.select([descriptor], [], [], 10)
        assert ready, f"process {pid} lives on"
    finally:
        os.close(descriptor)
