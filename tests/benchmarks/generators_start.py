"""What a configured generator costs before its first clip is there: start, memory, and how long the event loop is held.

Each round starts the real process once without any generator of a vendor and once with each, one right after the other, on an empty data
folder. *Start* is from the start of the process to a yes of ``/readyz``, *idle* the resident memory a second later; both are told as
ratios to the process without one. *Stall* is the longest time that the loop was held from the order of the first clip, one from words and
one from a picture, until it is there, and apart from that the longest of the start. What the loop's thread only waited for a core of this
machine is not counted; with it the times are told beside. Vendors' libraries are imported and built by a thread of their own, and a
second thread that wants the interpreter holds the loop, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import ROUNDS, Figure, median
from tests.benchmarks.generators_process import Watched, generator, kinds, nothing
from tests.benchmarks.worlds import folder
from tests.lab.billing import Script
from tests.media.hostile import photo

GENERATORS: Final = ("veo", "omni", "replicate", "ovi", "longcat", "localai", "comfyui")
NONE: Final = "none"
PICTURE: Final = (1280, 720)
SECONDS: Final = 0.3
"""Of work, at the simulator."""
GOAL_MS: Final = 50.0


@dataclass(frozen=True, slots=True)
class Stall:
    """Seconds: the longest delay, and the longest but for the wait for a core."""

    all: float
    own: float


@dataclass(frozen=True, slots=True)
class Began:
    """One start with its first clips."""

    seconds: float
    idle: int
    start: Stall
    words: Stall
    picture: Stall

    @property
    def first(self) -> float:
        """The longest own stall of both first clips, in ms."""
        return 1000 * max(self.words.own, self.picture.own)


def begin(process: Watched, picture: bytes) -> Began:
    """Look at a process that has just become ready."""
    start, idle = Stall(*process.worst()), process.idle_bytes()
    process.worst()
    process.order("A lighthouse on a cliff")
    words = Stall(*process.worst())
    process.order("A lighthouse in a storm", picture)
    return Began(process.seconds, idle, start, words, Stall(*process.worst()))


def one_round(place: Path, names: Sequence[str], picture: bytes) -> dict[str, Began]:
    """Every generator once, and none."""
    found = {}
    with nothing(place / NONE) as process:
        found[NONE] = begin(process, picture)
    for name in names:
        with generator(place / name, name, Script(seconds=SECONDS)) as (_, process):
            found[name] = begin(process, picture)
    return found


def dearest(name: str, what: str, unit: str, seen: Sequence[dict[str, float]]) -> Figure:
    """Of all generators the one whose median of ratios to none is the highest; ``unit`` is what ``seen`` is in."""
    ratios = {each: tuple(one[each] / one[NONE] for one in seen) for each in seen[0] if each != NONE}
    worst = max(ratios, key=lambda each: median(ratios[each]))
    sides = {f"{each} {unit}": median(one[each] for one in seen) for each in seen[0]}
    return Figure(
        name, f"{what}: {worst}, the dearest", median(ratios[worst]), unit="×", rounds=ratios[worst], sides=sides
    )


def worst_stall(name: str, what: str, rounds: Sequence[dict[str, float]], goal: float | None) -> Figure:
    """The worst of all rounds and generators; ``rounds`` are ms by generator, and what it is without one stands beside."""
    worst = {each: max(one[each] for one in rounds) for each in rounds[0]}
    names = [each for each in worst if each != NONE]
    longest = max(names, key=worst.__getitem__)
    return Figure(
        name,
        f"worst loop stall {what}, of all rounds: {longest}",
        worst[longest],
        goal=goal,
        unit="ms",
        rounds=tuple(max(one[each] for each in names) for one in rounds),
        sides={f"{each} ms": value for each, value in worst.items()},
    )


def figures(rounds: Sequence[dict[str, Began]]) -> list[Figure]:
    """Four figures."""
    seconds = [{name: seen.seconds for name, seen in one.items()} for one in rounds]
    idle = [{name: seen.idle / 1e6 for name, seen in one.items()} for one in rounds]
    begun = [{name: 1000 * seen.start.own for name, seen in one.items()} for one in rounds]
    first = [{name: seen.first for name, seen in one.items()} for one in rounds]
    every = [
        1000 * max(seen.words.all, seen.picture.all) for one in rounds for name, seen in one.items() if name != NONE
    ]
    stall = worst_stall("generator stall", "in a generator's first clip from words and from a picture", first, GOAL_MS)
    stall.sides["with the wait for a core, median ms"] = median(every)
    stall.sides["with the wait for a core, worst ms"] = max(every)
    return [
        dearest("generator start", "start → /readyz with one vendor's generator ÷ with none", "s", seconds),
        dearest("generator idle memory", "resident memory, nothing to do, with one vendor's generator ÷ with none", "MB", idle),
        stall,
        worst_stall("generator stall at start", "with one vendor's generator from the start to /readyz", begun, None),
    ]  # fmt: skip


def measure(scale: float = 1.0) -> list[Figure]:
    """Four figures."""
    rounds, names = (ROUNDS, GENERATORS) if scale >= 1 else (1, GENERATORS[:1])
    picture = photo(PICTURE)
    assert all(kinds()[name].text for name in names)
    with folder() as place:
        one_round(place / "warm", names[:1], picture)  # files that nobody has read yet count for nobody
        return figures([one_round(place / f"round {number}", names, picture) for number in range(rounds)])
