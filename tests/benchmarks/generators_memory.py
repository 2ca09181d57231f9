"""What a large result weighs: the peak of the real process's memory from the order to the clip on the disk ÷ what it weighs when idle.

The process knows one generator, and its first order already is the large one: what is imported and built late counts. *Idle* is the
resident memory a second after it became ready, the *peak* is reset then (Linux, proc(5)) and read when the clip is there; the media
work is done by children and is not counted. By an address or a file id the clip has 100 MB; where it comes inside a JSON answer, in
base64, it has 20 MB and no goal. The clip is a real one with a box of zeros behind it, sent by the vendor's simulator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.discord_uploads import peak_bytes, reset_peak
from tests.benchmarks.figures import ROUNDS, Figure, median
from tests.benchmarks.generators_process import generator
from tests.benchmarks.worlds import folder
from tests.lab.billing import Script

MB: Final = 1_000_000
FILES: Final = ("omni", "replicate", "ovi", "longcat", "localai by address", "comfyui")
INLINE: Final = ("veo", "omni inline", "localai")
FILE_BYTES: Final = 100 * MB
INLINE_BYTES: Final = 20 * MB
GOAL: Final = 1.3


@dataclass(frozen=True, slots=True)
class Weight:
    """Bytes."""

    idle: int
    peak: int

    @property
    def ratio(self) -> float:
        """What the goal is about."""
        return self.peak / self.idle


def weigh(place: Path, name: str, size: int) -> Weight:
    """One large clip of one generator. Raises RuntimeError when it is not there as it was sent."""
    with generator(place, name, Script(seconds=0.3, result="huge")) as (vendor, process):
        vendor.huge_bytes = size
        idle = process.idle_bytes()
        reset_peak(process.pid)
        status = process.order("A lighthouse on a cliff")
        peak = peak_bytes(process.pid)
        if status["file_size_bytes"] != size:
            raise RuntimeError(f"{name}: {status['file_size_bytes']} bytes of {size} came")
        return Weight(idle, peak)


def figure(name: str, how: str, size: int, seen: Sequence[dict[str, Weight]], goal: float | None) -> Figure:
    """The generator whose median is the highest, and what all of them weigh."""
    ratios = {each: tuple(one[each].ratio for one in seen) for each in seen[0]}
    worst = max(ratios, key=lambda each: median(ratios[each]))
    sides = {}
    for each, values in ratios.items():
        sides[f"{each}, peak MB"] = median(one[each].peak for one in seen) / MB
        sides[f"{each}, ÷ idle"] = median(values)
    what = f"peak memory of a result of {size / MB:g} MB {how} ÷ idle with that generator: {worst}, the heaviest"
    return Figure(name, what, median(ratios[worst]), goal=goal, unit="×", rounds=ratios[worst], sides=sides)


def measure(scale: float = 1.0) -> list[Figure]:
    """Two figures."""
    rounds, part = (ROUNDS, 1.0) if scale >= 1 else (1, 0.1)
    sizes = {name: int(part * FILE_BYTES) for name in FILES} | {name: int(part * INLINE_BYTES) for name in INLINE}
    with folder() as place:
        seen = [
            {name: weigh(place / f"{number} {name}", name, size) for name, size in sizes.items()}
            for number in range(rounds)
        ]
    files = [{name: one[name] for name in FILES} for one in seen]
    inline = [{name: one[name] for name in INLINE} for one in seen]
    return [
        figure("generator memory", "by address or file id", sizes[FILES[0]], files, GOAL),
        figure("generator memory, inline", "inside a JSON answer", sizes[INLINE[0]], inline, None),
    ]
