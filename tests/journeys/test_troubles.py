"""Keys that are revoked, disks that fill, generators that never end, crowds and races, through the real process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import TOKENS, Maker
from tests.lab.api import Api
from tests.lab.checker import check
from tests.lab.clock import SharedShift
from tests.lab.reelay import Reelay
from tests.lab.vendor import Refuse, Script, Vendor
from tests.lab.waiting import until

pytestmark = pytest.mark.journey

ENVIRON = {
    "REELAY_DAILY_CREDITS": "unlimited",
    "REELAY_GLOBAL_DAILY_CREDITS": "unlimited",
    "REELAY_MAX_WAITING_JOBS": "200",
}


def test_a_rejected_key_pauses_the_generator_and_tells_the_operator_once(make: Maker, vendor: Vendor) -> None:
    vendor.on("revoked", Script(submits=[Refuse(401)] * 9))
    reelay = make(environ=ENVIRON, generators=[{"name": "lab", "url": vendor.url}]).start()
    api = Api(reelay.url)
    first = api.ordered("revoked one")
    assert reelay.wait_state(first) == "failed"
    assert "the operator has been told" in api.status(first)["error"]
    second = api.ordered("revoked two")
    assert api.get("/api/generators")["generators"][0]["health"] == "paused"
    assert reelay.state(second) == "queued"
    assert len([line for line in vendor.calls("submit") if line.status == 401]) == 1, (
        "paused: the vendor is not asked again"
    )
    told = [line for line in reelay.text.splitlines() if "operator alert:" in line]
    assert len(told) == 1
    alerts = json.loads(reelay.http("/readyz")[1])["alerts"]
    assert [alert["cause"] for alert in alerts] == reelay.alerts() == ["AUTHENTICATION_ERROR lab"]
    assert api.cancel(second)["status"] == "cancelled"
    reelay.stop()
    reelay.restart()
    assert Api(reelay.url).get("/api/generators")["generators"][0]["health"] == "paused", "a pause outlives a restart"
    told = [line for line in reelay.text.splitlines() if "operator alert:" in line]
    assert len(told) == 1
    assert reelay.stop() == 0


def test_a_key_that_is_rejected_while_a_job_runs_is_told_and_the_job_goes_on_when_it_works_again(
    make: Maker, vendor: Vendor
) -> None:
    vendor.on("revoked midway", Script(polls=[Refuse(401)] * 2))
    reelay = make(environ=ENVIRON, generators=[{"name": "lab", "url": vendor.url}]).start()
    api = Api(reelay.url)
    job = api.ordered("revoked midway")
    assert reelay.wait_state(job, seconds=60) == "done"
    assert reelay.alerts() == ["AUTHENTICATION_ERROR lab"]
    assert api.get("/api/generators")["generators"][0]["health"] == "paused", (
        "no further submit until the operator looks"
    )
    assert reelay.stop() == 0


def test_a_full_disk_stops_new_jobs_and_lets_running_ones_end(make: Maker, vendor: Vendor, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_text(str(10**12))
    environ = {**ENVIRON, "LAB_DISK": str(disk), "LAB_HASTE": "100", "LAB_LOW_WATER": str(1 << 30)}
    vendor.on("before-the-flood", Script(seconds=None))
    reelay = make(environ=environ, generators=[{"name": "lab", "url": vendor.url}]).start()
    api = Api(reelay.url)
    running = api.ordered("before-the-flood")
    reelay.wait_state(running, "generating")
    disk.write_text("1000")
    until(lambda: reelay.alerts() == ["low disk"], what="the alert")
    pause: Any = until(lambda: answer if (answer := api.generate("during")).status != 202 else None, what="the pause")
    assert (pause.status, pause["error_code"]) == (503, "PROVIDER_UNAVAILABLE")
    assert "Nothing was charged" in pause["message"]
    assert reelay.alerts() == ["low disk"]
    vendor.finish("before-the-flood")
    assert reelay.wait_state(running) == "done"
    held = len(reelay.rows("SELECT 1 FROM ledger WHERE kind = 'hold'"))
    disk.write_text(str((1 << 30) + 1000))
    looks = reelay.log.stat().st_size
    assert [api.generate("hardly any room").status for _ in range(10)] == [503] * 10, "a little room is not yet room"
    assert len(reelay.rows("SELECT 1 FROM ledger WHERE kind = 'hold'")) == held
    disk.write_text(str(10**12))
    until(lambda: api.generate("after").status == 202, what="room again")
    assert reelay.alerts() == []
    assert len(reelay.rows("SELECT 1 FROM ledger WHERE kind = 'hold'")) == held + 1
    assert "operator alert over" in reelay.log.read_bytes()[looks:].decode()
    assert reelay.http("/readyz")[0] == 200
    reelay.wait_quiet()
    assert reelay.stop() == 0


def test_a_clip_that_never_comes_ends_at_its_deadline(make: Maker, vendor: Vendor) -> None:
    """Past the generator's maximum the job fails, the hold is given back, and the vendor is asked to stop."""
    word = "endless"
    vendor.on(word, Script(seconds=None))
    generators = [{"name": "lab", "url": vendor.url, "maximum_seconds": 1.0}]
    reelay = make(environ=ENVIRON, generators=generators).start()
    api = Api(reelay.url)
    job = api.ordered(word)
    assert reelay.wait_state(job) == "failed"
    status = api.status(job)
    assert (status["error_code"], status["charged"]) == ("TIMEOUT", 0)
    assert "longer than it may" in status["error"]
    until(lambda: vendor.of(word)[0].cancelled, what="the vendor to be asked to stop")
    vendor.finish(word)
    reelay.wait_quiet()
    assert reelay.state(job) == "failed", "an end is an end"
    assert api.me()["credits"]["today"]["held"] == 0
    until(lambda: not reelay.value("SELECT COUNT(*) FROM attempts WHERE watch_at IS NOT NULL"), what="no watch")
    assert reelay.stop() == 0
    assert check(reelay.data, None, reelay.text) == []


@pytest.mark.parametrize("point", [None, "late", "renamed"])
def test_a_clip_that_comes_after_its_deadline_is_given_away(
    make: Maker, vendor: Vendor, tmp_path: Path, point: str | None
) -> None:
    """The vendor bills all the same: the job stays failed and free, and the clip is in the gallery, also over a kill."""
    word, clock = f"late-{point}", SharedShift(tmp_path / "clock")
    vendor.on(word, Script(seconds=None, stops=False, cost_usd=0.31))
    generators = [{"name": "lab", "url": vendor.url, "maximum_seconds": 1.0, "cancel": False}]
    environ = {**ENVIRON, "LAB_CLOCK": str(tmp_path / "clock")}
    reelay = make(environ=environ, generators=generators).start(kill={point: 1} if point else None)
    api = Api(reelay.url)
    job = api.ordered(word)
    assert reelay.wait_state(job) == "failed"
    until(lambda: vendor.of(word)[0].cancelled, what="the vendor to be asked to stop")
    assert api.status(job)["video_url"] is None
    until(lambda: reelay.value("SELECT watch_at - ended_at FROM attempts") > 20_000, what="the first look to be over")
    vendor.finish(word)
    clock.set(3_600_000)  # an hour later, so that the test need not wait for the next look
    if point is not None:
        reelay.wait_killed()
        reelay.restart()
        api = Api(reelay.url)
        clock.set(7_200_000)
    until(lambda: api.status(job)["video_url"], what="the late clip")
    status = api.status(job)
    assert (status["status"], status["error_code"], status["charged"]) == ("error", "TIMEOUT", 0)
    assert "came late" in status["card"]["state_line"]
    assert reelay.job(job)["true_cost"] == 31
    assert api.get(status["video_url"]).status == 200
    assert [each["operation_id"] for each in api.operations(only="completed")["operations"]] == [job]
    assert api.post("/api/video_chat/resend", {"operation_id": job}).status == 200
    reelay.wait_quiet()
    assert len(vendor.of(word)) == 1
    assert api.delete(job).status == 204
    assert api.get(status["video_url"]).status == 404
    assert reelay.stop() == 0
    assert check(reelay.data, None, reelay.text) == []


def test_a_day_without_power_expires_what_waited(make: Maker, vendor: Vendor, tmp_path: Path) -> None:
    """The clock jumps by a day: what stood in the queue too long fails in words, what the vendor has made is fetched."""
    clock = SharedShift(tmp_path / "clock")
    vendor.on("slow-day", Script(seconds=None))
    generators = [{"name": "lab", "url": vendor.url, "most_active": 1, "maximum_seconds": 200_000}]
    reelay = make(environ={**ENVIRON, "LAB_CLOCK": str(tmp_path / "clock")}, generators=generators).start()
    api = Api(reelay.url)
    first, second = api.ordered("slow-day one"), api.ordered("slow-day two")
    reelay.wait_state(first, "generating")
    reelay.kill()
    vendor.finish("slow-day")
    clock.set(25 * 3_600_000)
    reelay.restart()
    assert reelay.wait_state(first) == "done"
    assert reelay.wait_state(second) == "failed"
    assert "waited for a day" in Api(reelay.url).status(second)["error"]
    reelay.wait_quiet()
    assert reelay.stop() == 0
    assert check(reelay.data, None, reelay.text) == []


def test_a_hog_does_not_keep_the_others_waiting(make: Maker, vendor: Vendor) -> None:
    """Sixty jobs of one person stand in the line; two others come late and are served at once."""
    word = "crowd"
    vendor.on(word, Script(seconds=0.15))
    people = {name: TOKENS[name] for name in ("alice", "bob", "carol")}
    environ = {**ENVIRON, "LAB_TOKENS": json.dumps(people)}
    generators = [{"name": "lab", "url": vendor.url, "most_active": 2}]
    reelay = make(environ=environ, generators=generators).start()
    hog, *others = (Api(reelay.url, token=token) for token in people.values())
    for number in range(40):
        hog.ordered(f"{word} hog {number}")
    late = [api.ordered(f"{word} guest {n}") for n in range(3) for api in others]
    for job in late:
        reelay.wait_state(job, seconds=60)
    order = [job.prompt.split()[1] for job in vendor.of(word)]
    last_guest = max(n for n, who in enumerate(order) if who == "guest")
    before = order[: last_guest + 1].count("hog")
    first_guest = order.index("guest")
    assert order[first_guest : last_guest + 1].count("hog") <= 5, order
    assert before < 25, "guests did not wait for the hog's forty"
    for row in reelay.rows("SELECT id FROM jobs WHERE state = 'queued'"):
        hog.cancel(row["id"])
    reelay.wait_quiet()
    assert reelay.stop() == 0
    assert check(reelay.data, vendor_part(vendor, word), reelay.text) == []


def vendor_part(vendor: Vendor, word: str) -> Vendor:
    """The vendor with only the jobs of ``word``."""
    part = Vendor()
    part.paid.update({job.attempt: vendor.paid[job.attempt] for job in vendor.of(word)})
    return part


def test_a_waiting_line_that_is_full_says_so_and_holds_nothing(make: Maker, vendor: Vendor) -> None:
    vendor.on("filler", Script(seconds=None))
    environ = {**ENVIRON, "REELAY_MAX_WAITING_JOBS": "3", "REELAY_MAX_ACTIVE_JOBS": "1"}
    reelay = make(environ=environ, generators=[{"name": "lab", "url": vendor.url}]).start()
    api = Api(reelay.url)
    running = api.ordered("filler")
    reelay.wait_state(running, "generating")
    waiting = [api.ordered("filler") for _ in range(3)]
    refused = api.generate("filler")
    assert (refused.status, refused["error_code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert int(refused.headers["Retry-After"]) >= 1
    assert api.me()["credits"]["today"]["held"] == 160
    assert (api.me()["running"], api.me()["waiting"]) == (1, 3)
    assert api.cancel(waiting[0])["status"] == "cancelled"
    assert api.generate("filler").status == 202
    for row in reelay.rows("SELECT id FROM jobs"):
        api.cancel(row["id"])
    reelay.wait_quiet()
    assert reelay.stop() == 0


def test_cancel_that_races_with_success_has_one_end(make: Maker, vendor: Vendor) -> None:
    """Sixteen cancels at the very moment at which the vendor is done: each job is either made and charged, or cancelled and free."""
    word = "race"
    environ = {**ENVIRON, "REELAY_MAX_ACTIVE_JOBS": "16"}
    generators = [{"name": "lab", "url": vendor.url, "most_active": 16, "poll_seconds": [0.02, 0.05]}]
    reelay = make(environ=environ, generators=generators).start()
    api = Api(reelay.url)
    vendor.on(word, Script(seconds=0.3))
    ends: list[str] = []
    for batch in range(2):
        jobs = [api.ordered(f"{word} {batch}") for _ in range(8)]
        until(lambda n=8 * (batch + 1): len(vendor.of(word)) >= n, what="all submits")  # type: ignore[misc]
        for number, job in enumerate(jobs):
            if number % 2:
                until(lambda j=job: reelay.state(j) != "generating" or vendor.of(word)[-1].polls > 2, what="the moment")  # type: ignore[misc]
            assert api.cancel(job).status == 200
        ends += [reelay.wait_state(job) for job in jobs]
    assert set(ends) <= {"done", "cancelled"}
    reelay.wait_quiet()
    assert reelay.stop() == 0
    assert check(reelay.data, vendor_part(vendor, word), reelay.text) == []


def test_a_drawing_that_a_crash_broke_off_is_drawn_again_and_the_card_says_so(make: Maker) -> None:
    """The built-in generator costs nothing, so it is simply asked again; the clip is the same."""
    reelay = make(environ={**ENVIRON, "LAB_DEFAULT": "local"}).start()
    api = Api(reelay.url)
    job = api.ordered("a lighthouse at dusk", duration=4, seed=3)
    until(lambda: (reelay.job(job)["progress"] or 0) > 0.02, 60, "the drawing to have begun")
    reelay.kill()
    until(lambda: not children_of(reelay), 5, "the drawing to die with its process")
    reelay.restart()
    api = Api(reelay.url)
    until(
        lambda: "again" in (api.status(job)["card"]["note_line"] or "") or reelay.state(job) == "done",
        60,
        "the card to tell that it is drawn again",
    )
    assert reelay.state(job) == "generating", "it ended before the card told"
    assert reelay.wait_state(job, seconds=100) == "done"
    reelay.wait_quiet()
    status = api.status(job)
    assert (status["charged"], status["card"]["note_line"]) == (0, None)
    assert reelay.trail(job).count("submitted") == 1
    assert reelay.stop() == 0
    assert check(reelay.data, None, reelay.text) == []
    assert list((reelay.data / "drawings").glob("*")) == []


def children_of(reelay: Reelay) -> list[str]:
    """Media children whose scratch is in this data folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                said = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if str(reelay.data).encode() in said and b"worker.py" in said:
                found.append(entry.name)
    return found


def test_readyz_names_the_part_that_broke(make: Maker) -> None:
    """The web platform's loop is broken from outside; the process lives, says so, and mends itself."""
    reelay = make(environ={"LAB_BREAK_PLATFORM": "1", "LAB_HASTE": "4"}).start()

    def look() -> tuple[int, Any]:
        status, body = reelay.http("/readyz")
        return status, json.loads(body)

    status, said = look()
    assert (status, said["broken"]) == (200, [])
    (reelay.folder / "break").write_text("now")
    until(lambda: look()[0] == 503, what="the fault to be told")
    said = look()[1]
    assert said["status"] == "not ready"
    assert [(part["part"], part["why"]) for part in said["broken"]] == [("fragile", "RuntimeError")]
    assert said["broken"][0]["since"].startswith("20")
    assert reelay.http("/healthz")[0] == 200
    (reelay.folder / "break").unlink()
    until(lambda: look()[0] == 200, what="the part to run again")
    assert reelay.stop() == 0


def test_a_part_that_breaks_while_it_is_stopped_is_not_started_again(make: Maker) -> None:
    reelay = make(environ={"LAB_BREAK_PLATFORM": "1", "LAB_HASTE": "20"}).start()
    assert reelay.stop() == 0
    assert reelay.text.count("a platform broke") == 1
    assert "breaks also when it is stopped" in reelay.text


def test_a_taken_port_is_told_in_one_line(make: Maker) -> None:
    first = make().start()
    second = make()
    second.launch(extra={"REELAY_HTTP_PORT": str(first.port)})
    assert second.join(30) == 69
    assert len(second.text.strip().splitlines()) == 1
    assert second.text.startswith(f"Reelay cannot listen on 127.0.0.1:{first.port}: ")
    assert "address already in use" in second.text.lower()
    assert "REELAY_HTTP_PORT" in second.text
    first.stop()


def test_wrong_settings_are_told_together(make: Maker) -> None:
    reelay = make(environ={"REELAY_DAILY_CREDITS": "-1", "REELAY_LOG_FORMAT": "xml", "REELAY_RETENTION_DAYS": "soon"})
    reelay.launch()
    assert reelay.join(30) == 78
    assert reelay.text.startswith("3 settings are wrong:")
    for name in ("REELAY_DAILY_CREDITS", "REELAY_LOG_FORMAT", "REELAY_RETENTION_DAYS"):
        assert name in reelay.text
    assert "Traceback" not in reelay.text
