"""The part of the long proofs about films: storyboards, approvals, scenes and cuts, while the process is killed again and again."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from tests.lab.api import Api
from tests.lab.checker import check
from tests.lab.reelay import Reelay
from tests.lab.vendor import Script, Take, Vendor
from tests.lab.waiting import until

DECLINED: Final = "heron"
"""A word of scenes that the vendor declines."""
LOST: Final = "albatross"
"""A word of scenes of which the vendor loses the answer to the submit."""
IDEAS: Final = (
    "A harbour at dawn. A boat sails out. A storm comes up",
    f"A harbour at dawn. A {DECLINED} on a post. A boat sails out",
    f"A beach at noon. An {LOST} over the waves. A boat comes home",
)


class Filmgoers(threading.Thread):
    """People who order films, and approve each storyboard as soon as it is there; some stop theirs."""

    def __init__(self, reelay: Reelay, seed: int) -> None:
        super().__init__(daemon=True)
        self._reelay, self._rng = reelay, random.Random(seed)
        self._ended = threading.Event()
        self.ordered: dict[str, str] = {}
        self.cancelled = 0
        self.start()

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                self._order(f"film-{len(self.ordered)}")
                self.approve()
                if self.ordered and self._rng.random() < 0.05:
                    self._cancel(self._rng.choice(list(self.ordered.values())))
            except (OSError, http.client.HTTPException):
                pass  # it is being killed; the same is ordered again by its key
            self._ended.wait(self._rng.uniform(0.1, 0.6))

    def _order(self, key: str) -> None:
        idea = IDEAS[len(self.ordered) % len(IDEAS)]
        wish = {"idea": idea, "scenes": 3, "duration": 4, "idempotency_key": key}
        answer = Api(self._reelay.url).post("/api/films", wish)
        if answer.status == 202:
            self.ordered[key] = answer["operation_id"]

    def _cancel(self, film_id: str) -> None:
        Api(self._reelay.url).cancel(film_id)
        self.cancelled += 1

    def approve(self) -> None:
        """Approve every storyboard that waits."""
        for row in self._reelay.rows("SELECT id FROM jobs WHERE state = 'awaiting'"):
            Api(self._reelay.url).post(f"/api/films/{row['id']}/approve", {})

    def stop(self) -> None:
        """No more films."""
        self._ended.set()
        self.join(30)


def films(
    folder: Path, seconds: float, rng: random.Random, environ: dict[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """(figures, what is wrong) of so many seconds: half of them with kills, then everything is brought to its end."""
    wrong: list[str] = []
    with Vendor(default=Script(seconds=0.3)) as vendor:
        vendor.on(DECLINED, Script(seconds=0.3, fails="content"))
        vendor.on(LOST, Script(seconds=0.3, submits=[Take("cut")] * 10_000))
        generators = [{"name": "paid", "url": vendor.url, "most_active": 12, "poll_seconds": [0.1, 0.5]}]
        with Reelay(folder, environ=environ, generators=generators) as reelay:
            reelay.start()
            people = Filmgoers(reelay, rng.randrange(2**32))
            kills, ends = 0, time.monotonic() + seconds * 0.5
            while time.monotonic() < ends:
                time.sleep(rng.uniform(0.5, 5.0))
                reelay.kill()
                kills += 1
                reelay.restart()
            people.stop()
            asked = drained(reelay, people, max(120.0, seconds))
            wrong += judged(reelay)
            figures = counts(reelay) | {
                "kills": kills,
                "cancelled by their people": people.cancelled,
                "left unclear and cancelled": asked,
                "billed": len(vendor.jobs),
            }
            if reelay.stop() != 0:
                wrong.append("it did not stop with 0")
        wrong += check(reelay.data, vendor, reelay.text)
        known = {row["dedupe_key"] for row in reelay.rows("SELECT dedupe_key FROM jobs")}
        wrong += [f"a film was lost: {key}" for key in people.ordered if key not in known]
    return figures, wrong


def drained(reelay: Reelay, people: Filmgoers, seconds: float) -> int:
    """Bring everything to its end; whatever stays unclear is cancelled, as a person would. Returns how many."""
    asked: set[str] = set()

    def look() -> bool:
        people.approve()
        for row in reelay.rows("SELECT id FROM jobs WHERE state = 'unclear' AND retries > 0 AND cancel_wish IS NULL"):
            Api(reelay.url).cancel(row["id"])
            asked.add(row["id"])
        return not reelay.value("SELECT COUNT(*) FROM jobs WHERE state NOT IN ('done', 'failed', 'cancelled')")

    until(look, seconds, "the films to end")
    reelay.wait_quiet(60)
    return len(asked)


def judged(reelay: Reelay) -> list[str]:
    """What is wrong with the films: each scene made once, each film cut from what was made, no credits but its scenes'."""
    wrong = []
    for film in reelay.rows("SELECT * FROM jobs WHERE kind = 'film'"):
        takes = reelay.rows(
            "SELECT position, state, price, charged, clip_id FROM jobs WHERE kind = 'clip' AND parent_id = ?",
            film["id"],
        )
        made = [take for take in takes if take["state"] == "done"]
        per_scene = Counter(take["position"] for take in made)
        if any(n > 1 for n in per_scene.values()):
            wrong.append(f"film {film['id']} made a scene twice")
        if any(bool(take["charged"]) != (take["state"] == "done") for take in takes if take["price"]):
            wrong.append(f"film {film['id']} charged what was not made, or did not charge what was")
        cuts = reelay.value("SELECT COUNT(*) FROM clips WHERE kind = 'clip' AND job_id = ?", film["id"])
        if (film["state"] == "done") != bool(cuts) and film["state"] != "cancelled":
            wrong.append(f"film {film['id']} is {film['state']} with {cuts} cuts")
        if film["state"] == "done" and not made:
            wrong.append(f"film {film['id']} was cut from nothing")
    return wrong


def counts(reelay: Reelay) -> dict[str, int]:
    """Films and scenes by state."""
    rows = reelay.rows(
        "SELECT kind, state, COUNT(*) AS n FROM jobs WHERE kind IN ('film', 'clip') GROUP BY kind, state"
    )
    named = {"film": "films", "clip": "scenes"}
    return {f"{named[row['kind']]} {row['state']}": row["n"] for row in rows}
