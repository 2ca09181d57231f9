"""Which generator makes a wish, and where a job goes whose generator cannot take it now. Pure: no clock, no store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from core.capabilities import Applied, Capabilities, Change, fit
from core.errors import Unsupported
from core.health import WELL, Standing
from core.jobs import Job
from core.requests import Wanted

WORTH_WAITING: Final = 60.0
"""Seconds for which a job rather waits for its own generator's rate limit than go to another one."""
MOVED: Final = "change.moved"
LEFT_OUT: Final = frozenset({"change.one_picture", "change.references_most"})


class Kind(StrEnum):
    """What kind of request a wish is; each has an order of generators of its own."""

    TEXT = "text"
    PICTURE = "picture"
    REFERENCES = "references"
    LAST_FRAME = "last frame"
    CONTINUATION = "continuation"
    SPEECH = "speech"


def kind_of(wanted: Wanted, *, goes_on: bool = False) -> Kind:
    """The kind of a wish; of several the one that the fewest generators can do. ``goes_on``: it continues a clip."""
    if goes_on:
        return Kind.CONTINUATION
    if wanted.line:
        return Kind.SPEECH
    if wanted.last_frame:
        return Kind.LAST_FRAME
    if wanted.pictures > 1:
        return Kind.REFERENCES
    return Kind.PICTURE if wanted.with_picture else Kind.TEXT


def is_made_for(kind: Kind, can: Capabilities) -> bool:
    """Whether the generator does this kind as such, and not only by leaving something out."""
    return {
        Kind.TEXT: can.text,
        Kind.PICTURE: can.image,
        Kind.REFERENCES: can.reference_images > 1,
        Kind.LAST_FRAME: can.last_frame,
        Kind.CONTINUATION: can.extend,
        Kind.SPEECH: can.speech,
    }[kind]


def preference(kind: Kind, generators: Iterable[Capabilities], default: str) -> list[Capabilities]:
    """The generators in the order in which they are asked for this kind.

    The default one comes first: nobody's choice is overruled. Then come those that are made for this kind, then the others, each in the
    order given (the registry's, best first); a stand-in comes last.
    """
    return sorted(
        generators, key=lambda can: (can.name != default, can.stand_in, not is_made_for(kind, can))
    )  # sorting keeps the order of equals


@dataclass(frozen=True, slots=True)
class Candidate:
    """A generator that can do a wish: what would be asked of it, and what has to be told of that."""

    can: Capabilities
    applied: Applied
    changes: tuple[Change, ...] = ()


def candidates(
    wanted: Wanted, generators: Iterable[Capabilities], default: str, *, seed: int, with_reference: bool = False
) -> Iterator[Candidate]:
    """The generators that can do ``wanted``, best first, each fitted when it is looked at. ``seed``: used when the person gave none.

    ``with_reference``: a picture of somebody who appears in it goes along where the generator takes one.
    """
    for can in preference(kind_of(wanted), generators, default):
        try:
            applied, changes = fit(wanted, can, seed=seed, with_reference=with_reference and can.reference_images > 0)
        except Unsupported:
            continue
        yield Candidate(can, applied, tuple(changes))


def should_leave(standing: Standing, now: int) -> bool:
    """Whether a job that waits for a generator in this standing is better off elsewhere."""
    if standing.is_usable or standing.keeps_jobs:
        return False
    if standing.state == "paused":
        return standing.until is None or standing.until - now > WORTH_WAITING * 1000
    return True


def may_move(job: Job) -> bool:
    """Whether a job's own words allow another generator: none was named, no model, and it goes on from no clip of this one."""
    return (
        not job.provider_named and job.wanted.model is None and job.applied.extends is None and job.cancel_wish is None
    )


def moves(
    job: Job,
    generators: Mapping[str, Capabilities],
    standings: Mapping[str, Standing],
    default: str,
    *,
    at_home: bool = False,
) -> Iterator[Candidate]:
    """Where ``job`` could go, best first: generators that are well and can do it; whoever asks looks at the price.

    Its pictures go along, as many as the other one uses, and its seed. It never goes from a machine of the operator's own to a company,
    of which its person has not been told, nor from a generator to a stand-in for one. ``at_home``: its generator is such a machine, also
    if it is none of ``generators`` any more.
    """
    if not may_move(job):
        return
    own = generators.get(job.applied.provider)
    starts = job.applied.pictures[: len(job.applied.pictures) - (job.applied.last_picture is not None)]
    recurring = (
        job.applied.references if job.applied.look is not None else ()
    )  # of a film: it never becomes a beginning
    if recurring:
        starts = ()
    pending = job.attachment is not None  # its pictures are not prepared yet
    pictures = job.wanted.pictures if pending else len(starts)
    wanted = replace(job.wanted, pictures=pictures)
    there = [can for name, can in generators.items() if name != job.applied.provider]
    well = [can for can in there if standings.get(can.name, WELL).is_usable and not can.stand_in]
    if at_home if own is None else own.company is None:
        well = [can for can in well if can.company is None]
    for found in candidates(wanted, well, default, seed=job.applied.seed, with_reference=bool(recurring)):
        applied = found.applied
        if not pending:
            used = found.can.pictures_used(len(starts))
            last = () if job.applied.last_picture is None else (job.applied.last_picture,)
            applied = applied.with_pictures((*starts[:used], *last), ends_with_last=bool(last))
        if job.applied.look is not None:
            applied = applied.in_film(job.applied.character, job.applied.look, recurring, found.can)
        told = [each for each in found.changes if each.message_id not in LEFT_OUT]
        told += _left_out(job.wanted.pictures, found.can.pictures_used(pictures), found.can)
        yield Candidate(found.can, applied, (*_moved(job, own, found.can), *told))


def _left_out(sent: int, used: int, can: Capabilities) -> list[Change]:
    """What is told when fewer pictures are used than the person sent, some of which an earlier generator may have left out."""
    if used >= sent:
        return []
    if used == 1:
        return [Change("change.one_picture", {"sent": sent, "generator": can.title})]
    return [Change("change.references_most", {"sent": sent, "most": used, "generator": can.title})]


def _moved(job: Job, own: Capabilities | None, to: Capabilities) -> list[Change]:
    """What is told of the move: in place of whom the person was told first. Nothing once the job is back there."""
    before = next((each for each in job.changed if each.message_id == MOVED), None)
    first = job.applied.provider if own is None else own.title
    if before is not None:
        first = str(before.values.get("instead_of", first))
    return [] if first == to.title else [Change(MOVED, {"instead_of": first, "generator": to.title})]
