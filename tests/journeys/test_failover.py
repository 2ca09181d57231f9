"""Two vendors and the real process: jobs that nobody has submitted go to the other one, once, whatever is killed in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot.admin_socket import ask
from tests.journeys.conftest import Maker
from tests.lab.api import Api
from tests.lab.checker import check
from tests.lab.reelay import Reelay
from tests.lab.vendor import Refuse, Script, Take, Vendor
from tests.lab.waiting import until

pytestmark = pytest.mark.journey

ENVIRON = {
    "REELAY_DAILY_CREDITS": "unlimited",
    "REELAY_GLOBAL_DAILY_CREDITS": "unlimited",
    "REELAY_MAX_ACTIVE_JOBS": "20",
    "REELAY_MAX_WAITING_JOBS": "200",
}


@pytest.fixture(scope="module")
def spare() -> Iterator[Vendor]:
    """Another vendor's server."""
    with Vendor() as server:
        yield server


def both(first: Vendor, second: Vendor, **like: Any) -> list[dict[str, Any]]:
    return [
        {"name": "first", "url": first.url, "price": 40, **like},
        {"name": "second", "url": second.url, "price": 25, "most_active": 20},
    ]


def bills(reelay: Reelay, *vendors: Vendor) -> list[str]:
    """What is wrong with the bills of all vendors together."""
    paid = [attempt for each in vendors for attempt, n in each.paid.items() for _ in range(n)]
    owners = {row["id"]: row["job_id"] for row in reelay.rows("SELECT id, job_id FROM attempts")}
    jobs = [owners[attempt] for attempt in paid if attempt in owners]
    return [f"{job} was billed {jobs.count(job)} times" for job in set(jobs) if jobs.count(job) > 1]


def money(reelay: Reelay, job: str) -> list[tuple[str, int]]:
    rows = reelay.rows("SELECT kind, amount FROM ledger WHERE job_id = ? ORDER BY id", job)
    return [(row["kind"], row["amount"]) for row in rows]


def test_failover_succeeds_after_the_primary_circuit_opens(make: Maker, vendor: Vendor, spare: Vendor) -> None:
    """B49: one clip, one charge. Lost answers of three paid submits open the circuit; they are never sent again, there or elsewhere."""
    vendor.on("lost", Script(submits=[Take("cut")] * 9, seconds=None))
    vendor.hidden = True
    reelay = make(environ=ENVIRON, generators=both(vendor, spare)).start()
    api = Api(reelay.url)
    lost = [api.ordered(f"lost {n}") for n in range(3)]
    for job in lost:
        reelay.wait_state(job, "unclear")
    until(lambda: "unhealthy first" in reelay.alerts(), what="the alert")
    health = {each["name"]: each["health"] for each in api.get("/api/generators")["generators"]}
    assert (health["first"], health["second"]) == ("unavailable", "ok")

    job = api.ordered("a heron at dusk")
    reelay.wait_state(job, "done")
    status = api.status(job)
    assert (status["applied"]["provider"], status["charged"], status["price"]) == ("second", 25, 40)
    assert "Lab first was not available, so I took Lab second." in status["changed"]
    assert money(reelay, job) == [("hold", 40), ("charge", 25)]
    assert reelay.trail(job).count("moved") == 1
    named = api.ordered("a named one", provider="first")
    metrics = reelay.http("/metrics")[1].decode()
    assert 'reelay_provider_state{provider="first",state="unhealthy"} 1.0' in metrics
    assert 'reelay_jobs_moved_total{provider="first",to="second"} 1.0' in metrics
    assert 'reelay_provider_cost_credits_total{provider="second"} 25.0' in metrics
    assert reelay.state(named) == "queued"
    paused = "Waiting · Lab first is paused at the moment"
    until(lambda: api.status(named)["card"]["state_line"] == paused, what="the truth on the card")

    reelay.kill()
    reelay.restart()
    api = Api(reelay.url)
    assert [each["health"] for each in api.get("/api/generators")["generators"]][:2] == ["unavailable", "ok"]
    told = [line for line in reelay.text.splitlines() if "operator alert:" in line and "unhealthy" in line]
    assert len(told) == 1, "also after a restart"
    for each in (*lost, named):
        api.cancel(each)
        reelay.wait_state(each, "cancelled")
    vendor.hidden = False
    reelay.wait_quiet()
    assert (len(vendor.paid), len(spare.paid)) == (3, 1)
    assert bills(reelay, vendor, spare) == []
    assert reelay.stop() == 0
    assert check(reelay.data, None, reelay.text) == []


def test_a_move_that_is_killed_is_made_once(make: Maker, vendor: Vendor, spare: Vendor) -> None:
    """The settings lose a generator for which thirty jobs wait; the process is killed amid the moves, twice: they go some at a time."""
    vendor.paid.clear()
    spare.paid.clear()
    reelay = make(environ=ENVIRON, generators=both(vendor, spare, most_active=0)).start()
    api = Api(reelay.url)
    jobs = [api.ordered(f"boat {n}") for n in range(30)]
    assert {reelay.state(job) for job in jobs} == {"queued"}
    reelay.kill()
    reelay.generators = [
        each | {"most_active": 0} for each in both(vendor, spare)[1:]
    ]  # no order is under way at a kill
    for _ in range(2):
        reelay.launch(kill={"moved": 1})
        reelay.wait_killed()
    reelay.generators = both(vendor, spare)[1:]
    reelay.restart()
    reelay.wait_quiet()
    for job in jobs:
        assert reelay.state(job) == "done"
        assert money(reelay, job) == [("hold", 40), ("charge", 25)]
        assert reelay.trail(job).count("moved") == 1
    assert (len(vendor.paid), len(spare.paid)) == (0, 30)
    assert bills(reelay, vendor, spare) == []
    assert reelay.stop() == 0
    assert check(reelay.data, spare, reelay.text) == []


def test_a_rejected_key_and_an_operators_choice(make: Maker, vendor: Vendor, spare: Vendor) -> None:
    """B45 and B46: whoever finds the generator closed goes on elsewhere, one alert; the chosen default outlives a restart."""
    vendor.on("revoked", Script(submits=[Refuse(401)] * 9))
    vendor.on("broke", Script(submits=[Refuse(402)] * 9))
    vendor.paid.clear()
    spare.paid.clear()
    reelay = make(environ=ENVIRON, generators=both(vendor, spare)).start()
    api = Api(reelay.url)
    for word, code in (("revoked", "AUTHENTICATION_ERROR"), ("broke", "INSUFFICIENT_FUNDS")):
        jobs = [api.ordered(f"{word} {n}") for n in range(5)]
        for job in jobs:
            assert reelay.wait_state(job) == "done"
            assert api.status(job)["applied"]["provider"] == "second"
        assert reelay.alerts() == [f"{code} first"]
        said = ask(reelay.data, "providers", {})
        assert [(each["state"], each["why"]) for each in said["generators"]][:2] == [("paused", code), ("ok", "")]
        ask(reelay.data, "resume", {"name": "first"})
        assert reelay.alerts() == []
    assert ask(reelay.data, "default", {"name": "second"})["default"] == "second"
    assert api.get("/api/generators")["default"] == "second"
    reelay.stop()
    reelay.restart()
    api = Api(reelay.url)
    job = api.ordered("a heron")
    assert reelay.wait_state(job) == "done"
    assert (api.status(job)["applied"]["provider"], api.status(job)["price"]) == ("second", 25)
    reelay.wait_quiet()
    assert (len(vendor.paid), len(spare.paid)) == (0, 11)
    assert reelay.stop() == 0
    assert check(reelay.data, spare, reelay.text, refusals=True) == []
