"""Who comes when: fair admission, its caps, and that nobody waits for ever."""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from collections.abc import Iterator
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.jobs import Job
from core.states import AttemptState, JobState
from core.steps import AdmissionCaps, Step
from storage import house, intake, jobs
from storage.store import MIGRATIONS
from tests.storage.store_world import HOUR, NOON, UNLIMITED, order


class Line:
    """The queue's own functions on a database in memory: the same SQL as the store's, without a disk."""

    def __init__(self) -> None:
        self.c = sqlite3.connect(":memory:", isolation_level=None)
        self.c.row_factory = sqlite3.Row
        for file in sorted(MIGRATIONS.glob("*.sql")):
            self.c.executescript(file.read_text())
        self.c.execute("PRAGMA foreign_keys=ON").fetchall()
        self.now = NOON
        self.who: dict[str, str] = {}

    def add(self, who: str, number: int = 1, provider: str = "local") -> list[Job]:
        made = []
        for _ in range(number):
            wish = order(who, provider=provider)
            job, _ = intake.accept(self.c, wish, tombstone=None, most_waiting=10**9, defaults=UNLIMITED, now=self.now)
            self.who[job.account_id] = who
            made.append(job)
        return made

    def admit(self, per_person: int = 2, everywhere: int = 1000, **providers: int) -> list[Job]:
        caps = AdmissionCaps(per_person, everywhere, providers or {"local": 1000})
        return [job for job, _ in jobs.admit(self.c, caps, self.now)]

    def names(self, admitted: list[Job]) -> list[str]:
        return [self.who[job.account_id] for job in admitted]

    def end(self, job: Job, to: JobState = JobState.FAILED) -> Job:
        job = jobs.read(self.c, job.id)
        return jobs.apply(self.c, Step(job.id, job.version, to=to), self.now)


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    line.c.execute("BEGIN")
    yield line
    line.c.close()


def admissions(line: Line, number: int, *, per_person: int, slots: int) -> list[str]:
    """Admit one after another with jobs that all take equally long: the oldest ends when a place is needed."""
    running: deque[Job] = deque()
    order_of: list[str] = []
    while len(order_of) < number:
        came = line.admit(per_person, local=slots)
        if not came and not running:
            break
        running += came
        order_of += line.names(came)
        if len(order_of) < number:
            line.end(running.popleft())
    for job in running:
        line.end(job)
    assert len(order_of) >= number, "somebody waits and nobody is let in"
    return order_of[:number]


@settings(max_examples=20)
@given(
    st.lists(st.integers(8, 30), min_size=2, max_size=5),
    st.integers(1, 3),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_people_who_wait_come_equally_often_in_any_window(
    backlogs: list[int], cap: int, slots: int, random: object
) -> None:
    line = Line()
    turns = [who for who, number in enumerate(backlogs) for _ in range(number)]
    random.shuffle(turns)  # type: ignore[attr-defined]
    for who in turns:
        line.add(f"p{who}")
    number = min(backlogs) * len(backlogs) // 2
    order_of = admissions(line, number, per_person=cap, slots=slots)
    left = Counter({f"p{who}": backlog for who, backlog in enumerate(backlogs)}) - Counter(order_of)
    assert all(left[f"p{who}"] > 0 for who in range(len(backlogs)))  # everybody still waits: the windows count
    for begin, end in combinations(range(len(order_of) + 1), 2):
        counts = Counter(order_of[begin:end])
        shares = [counts[f"p{who}"] for who in range(len(backlogs))]
        assert max(shares) - min(shares) <= cap + 1, order_of[begin:end]
    line.c.close()


def test_five_thousand_orders_of_one_person_delay_nobody(line: Line) -> None:
    line.add("hog", 5000)
    for n in range(50):
        line.add(f"new {n}", 3)
    order_of = admissions(line, 320, per_person=2, slots=8)
    others = [place for place, who in enumerate(order_of) if who != "hog"]
    assert len(others) == 150
    assert others[-1] <= 150 + 2 * 8  # all of them before the hog's fourth or so
    assert Counter(order_of[:150])["hog"] <= 8


def test_a_newcomer_starts_where_the_queue_is_now_and_not_behind_it(line: Line) -> None:
    line.add("hog", 500)
    admissions(line, 60, per_person=2, slots=4)
    line.add("late", 2)
    assert "late" in admissions(line, 4, per_person=2, slots=4)


def test_idleness_earns_no_credit(line: Line) -> None:
    line.add("early")
    admissions(line, 1, per_person=2, slots=2)
    line.add("busy", 200)
    admissions(line, 100, per_person=2, slots=2)
    line.add("early", 50)
    order_of = admissions(line, 20, per_person=2, slots=2)
    assert abs(order_of.count("early") - order_of.count("busy")) <= 3


def test_a_person_alone_gets_every_place_that_the_cap_allows(line: Line) -> None:
    line.add("only", 10)
    assert len(line.admit(3)) == 3
    assert line.admit(3) == []


def test_what_was_cancelled_in_the_line_costs_no_place(line: Line) -> None:
    for _ in range(20):
        for job in line.add("undecided", 10):
            line.end(job, JobState.CANCELLED)
    line.add("steady", 30)
    line.add("undecided", 10)
    assert admissions(line, 8, per_person=1, slots=2).count("undecided") >= 3


def test_cancelling_and_ordering_anew_gains_no_place(line: Line) -> None:
    line.add("steady", 10)
    mine = line.add("sly", 10)
    for _ in range(10):
        line.end(mine.pop(), JobState.CANCELLED)
        mine += line.add("sly")
    order_of = admissions(line, 10, per_person=1, slots=2)
    assert abs(order_of.count("sly") - order_of.count("steady")) <= 1


def test_caps_hold_per_person_per_generator_and_everywhere(line: Line) -> None:
    for n in range(10):
        line.add(f"p{n}", 5)
        line.add(f"p{n}", 5, provider="veo")
    first = line.admit(2, everywhere=9, local=4, veo=7)
    assert Counter(job.applied.provider for job in first) == {"local": 4, "veo": 5}
    assert max(Counter(line.names(first)).values()) <= 2
    assert line.admit(2, everywhere=9, local=4, veo=7) == []
    line.end(next(job for job in first if job.applied.provider == "local"))
    assert len(line.admit(2, everywhere=9, local=4, veo=7)) == 1


def test_a_generator_that_is_not_configured_gets_nothing(line: Line) -> None:
    line.add("ann", 3, provider="gone")
    assert line.admit(local=5) == []


def test_storing_frees_the_generators_place_and_keeps_the_persons(line: Line) -> None:
    line.add("ann", 3)
    (job,) = line.admit(1, local=1)
    job = jobs.apply(line.c, Step(job.id, job.version, to=JobState.GENERATING, ticket={}), line.now)
    jobs.apply(line.c, Step(job.id, job.version, to=JobState.STORING), line.now)
    assert line.admit(1, local=1) == []
    line.add("bob")
    assert line.names(line.admit(1, local=1)) == ["bob"]


def test_unclear_frees_every_place(line: Line) -> None:
    line.add("ann", 2)
    (job,) = line.admit(1, local=1)
    jobs.apply(line.c, Step(job.id, job.version, to=JobState.UNCLEAR), line.now)
    assert line.names(line.admit(1, local=1)) == ["ann"]


def test_paused_generators_get_nothing_until_they_are_resumed_or_their_time_comes(line: Line) -> None:
    line.add("ann", 1)
    line.add("bob", 1, provider="veo")
    house.pause(line.c, "local", None, "TEST", line.now)
    house.pause(line.c, "veo", line.now + HOUR, "TEST", line.now)
    assert line.admit(local=5, veo=5) == []
    line.now += HOUR - 1
    assert line.admit(local=5, veo=5) == []
    line.now += 1
    assert line.names(line.admit(local=5, veo=5)) == ["bob"]
    assert house.resume(line.c, "local")
    assert line.names(line.admit(local=5, veo=5)) == ["ann"]


def test_a_refused_job_waits_its_time_and_keeps_its_place(line: Line) -> None:
    line.add("ann", 1)
    line.add("bob", 3)
    job = line.admit(1, local=1)[0]
    assert line.who[job.account_id] == "ann"
    until = line.now + HOUR
    refused = Step(
        job.id, job.version, to=JobState.QUEUED, attempt_state=AttemptState.FAILED, fields={"not_before": until}
    )
    jobs.apply(line.c, refused, line.now)
    assert line.names(line.admit(1, local=1)) == ["bob"]
    line.now = until - 1
    assert line.admit(1, local=2) == []
    line.now = until
    again = line.admit(1, local=2)
    assert [job.id] == [each.id for each in again]
    assert (again[0].attempts, again[0].not_before) == (2, None)


def test_a_job_that_is_to_be_cancelled_is_not_begun(line: Line) -> None:
    job = line.add("ann")[0]
    jobs.wish(line.c, job.id, "cancel", line.now)
    assert line.admit() == []


def test_one_person_of_many_at_the_front_does_not_hide_the_others(line: Line) -> None:
    line.add("hog", 400)
    assert line.names(line.admit(2, local=5)) == ["hog", "hog"]
    line.now += 1
    line.add("other", 2)
    assert line.names(line.admit(2, local=5)) == ["other", "other"]
    line.now += 1
    line.add("small", 1)  # stands level with the hog's next, and came later
    assert line.names(line.admit(2, local=5)) == ["small"]


def test_a_full_line_is_admitted_in_a_bounded_number_of_transactions(line: Line) -> None:
    for n in range(200):
        line.add(f"p{n}")
    assert [len(line.admit(local=150)) for _ in range(4)] == [64, 64, 22, 0]
