"""kill -9 at every named point of a film in the real process: no scene is made twice, the film is cut, and the ledger is exact."""

from __future__ import annotations

import http.client
from typing import Any

import pytest

from tests.journeys.conftest import Maker
from tests.lab.api import Api
from tests.lab.checker import check
from tests.lab.reelay import Reelay
from tests.lab.vendor import Script, Vendor
from tests.prove_films import judged

pytestmark = pytest.mark.journey

ENVIRON = {"REELAY_DAILY_CREDITS": "unlimited", "REELAY_GLOBAL_DAILY_CREDITS": "unlimited"}
PLANNING = ("calling", "called", "planned")
MAKING = ("approved", "merging", "cut")
SCENES = 2
PRICE = 40


def ordered(reelay: Reelay, key: str) -> str | None:
    """Order a film as a careful program does: with a key. None when the connection broke before the answer."""
    wish = {"idea": "A harbour. A boat sails out", "scenes": SCENES, "duration": 4, "idempotency_key": key}
    return _asked(reelay, "/api/films", wish)


def approved(reelay: Reelay, film_id: str) -> str | None:
    return _asked(reelay, f"/api/films/{film_id}/approve", {"price": SCENES * PRICE})


def _asked(reelay: Reelay, path: str, data: dict[str, Any]) -> str | None:
    try:
        answer = Api(reelay.url).post(path, data)
    except (http.client.HTTPException, OSError):
        return None
    assert answer.status == 202, answer.body
    return str(answer["operation_id"])


@pytest.mark.parametrize("point", [*PLANNING, *MAKING])
def test_a_film_that_dies_at_a_point_goes_on(make: Maker, vendor: Vendor, point: str) -> None:
    vendor.on("harbour", Script(seconds=0.2))
    vendor.on("boat", Script(seconds=0.2))
    reelay = make(environ=ENVIRON, generators=[{"name": "paid", "url": vendor.url, "poll_seconds": [0.1, 0.3]}])
    reelay.start(kill={point: 1})
    before = len(vendor.jobs)
    first = ordered(reelay, point)
    if point in PLANNING:
        reelay.wait_killed()
        reelay.restart()
        film_id = ordered(reelay, point)
        assert film_id is not None
        assert first in (None, film_id)
        reelay.wait_state(film_id, "awaiting")
        approved(reelay, film_id)
    else:
        film_id = first
        assert film_id is not None
        reelay.wait_state(film_id, "awaiting")
        approved(reelay, film_id)
        reelay.wait_killed()
        reelay.restart()
        approved(reelay, film_id)  # whoever got no answer asks again; that orders nothing twice
    assert reelay.wait_state(film_id, seconds=60) == "done"
    reelay.wait_quiet()
    assert judged(reelay) == []
    assert len(vendor.jobs) - before == SCENES
    charged = reelay.value("SELECT SUM(charged) FROM jobs WHERE parent_id = ?", film_id)
    cuts = reelay.value("SELECT COUNT(*) FROM clips WHERE job_id = ? AND kind = 'clip'", film_id)
    assert (charged, cuts) == (SCENES * PRICE, 1)
    assert reelay.stop() == 0
    assert check(reelay.data, None, reelay.text) == []
