"""The tree of errors: as drawn, with codes that programs outside depend on, and words for each."""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import pytest

from core import errors
from core.errors import BadOption, NothingSent, ReelayError, Retry

LOCALES = Path(__file__).parents[2] / "bot" / "locale"


def classes(root: type[ReelayError] = ReelayError) -> list[type[ReelayError]]:
    """Every error of the core, parents first; other rooms' own kinds are not drawn there."""
    found = [root] if root.__module__ == "core.errors" else []
    return found + [each for child in root.__subclasses__() for each in classes(child)]


def drawn() -> dict[str, tuple[str | None, str | None]]:
    """Return name → (parent, code) as the docstring draws them."""
    tree: dict[str, tuple[str | None, str | None]] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ([│ ├└─]*)([A-Z][A-Za-z]+)(?: +([A-Z_]{4,}))?(?: |$)", line)
        if match is None:
            continue
        depth = len(match[1]) // 4
        above[depth:] = [match[2]]
        tree[match[2]] = (above[depth - 1] if depth else None, match[3])
    return tree


def test_the_tree_that_is_drawn_is_the_tree() -> None:
    real = {each.__name__: each.__mro__[1].__name__ if each is not ReelayError else None for each in classes()}
    assert {name: parent for name, (parent, _) in drawn().items()} == real


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_a_drawn_code_is_the_code(kind: type[ReelayError]) -> None:
    code = drawn()[kind.__name__][1]
    assert code is None or kind.code == code
    assert code is not None or kind.code == "INTERNAL" or kind.__subclasses__()


STABLE = {
    "BadOption": "INVALID_REQUEST", "BadPicture": "INVALID_REQUEST", "Unsupported": "INVALID_REQUEST", "QuotaExceeded": "QUOTA_EXCEEDED",
    "TooManyJobs": "RATE_LIMIT_EXCEEDED", "IntakePaused": "PROVIDER_UNAVAILABLE", "NotAllowed": "NOT_ALLOWED",
    "NotSignedIn": "AUTHENTICATION_ERROR", "NotFound": "NOT_FOUND", "Conflict": "CONFLICT", "ContentRefused": "CONTENT_POLICY_VIOLATION",
    "RateLimited": "RATE_LIMIT_EXCEEDED", "CredentialsRejected": "AUTHENTICATION_ERROR", "OutOfFunds": "INSUFFICIENT_FUNDS",
    "InvalidRequest": "INVALID_REQUEST", "ModelRetired": "MODEL_RETIRED", "Unavailable": "PROVIDER_UNAVAILABLE",
    "NothingSent": "PROVIDER_UNAVAILABLE", "TimedOut": "TIMEOUT", "Unclear": "UNCLEAR", "Garbled": "PROVIDER_UNAVAILABLE",
    "TooLarge": "TOO_LARGE", "Gone": "GONE", "Forbidden": "FORBIDDEN", "PlatformBusy": "RATE_LIMIT_EXCEEDED", "Unreachable": "UNREACHABLE",
    "UnsupportedMedia": "UNSUPPORTED_MEDIA", "CorruptMedia": "CORRUPT_MEDIA", "OversizedMedia": "OVERSIZED_MEDIA",
    "CannotFit": "CANNOT_FIT", "MediaTimedOut": "TIMEOUT", "WorkerDied": "MEDIA_WORKER",
    "DiskFull": "DISK_FULL", "SchemaFromTheFuture": "SCHEMA",
    "AlreadyRunning": "ALREADY_RUNNING", "StaleVersion": "STALE", "DatabaseFault": "STORAGE",
}  # fmt: skip
"""Programs branch on these; a change here breaks them."""


def test_codes_are_stable() -> None:
    assert {each.__name__: each.code for each in classes() if each.code != "INTERNAL"} == STABLE


def test_what_may_follow_an_error_is_decided_with_care() -> None:
    again = {each.__name__ for each in classes() if each.retry is Retry.NEW_ATTEMPT}
    assert again == {"RateLimited", "NothingSent"}  # only these are certain that nothing was begun
    assert {each.__name__ for each in classes() if each.retry is Retry.ASK} == {"Unclear"}
    assert issubclass(NothingSent, errors.Unavailable)


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_every_error_has_words(kind: type[ReelayError]) -> None:
    english = gettext.translation("reelay", LOCALES, languages=["en"])
    assert english.gettext(kind.default_message_id) != kind.default_message_id
    assert (kind.__doc__ or "").strip()


def test_an_error_carries_words_for_the_person_and_facts_for_the_log() -> None:
    error = errors.QuotaExceeded("short", values={"left": 5}, job="x")
    assert (str(error), error.message_id, error.values, error.facts) == (
        "short",
        "error.quota_exceeded",
        {"left": 5},
        {"job": "x"},
    )
    assert str(errors.NotFound()) == "No such object for this account; somebody else's object looks the same."
    assert errors.NotFound(message_id="error.clip_gone").message_id == "error.clip_gone"
    values = {"left": 1}
    errors.QuotaExceeded(values=values).values["left"] = 2
    assert values == {"left": 1}


@pytest.mark.parametrize(
    "wrote, shown",
    [
        ("x" * 40, "x" * 40),
        ("x" * 41, "x" * 39 + "…"),
        (10**5000, "a very long number"),
        ("\ud83d", "?"),
        (None, "None"),
    ],
    ids=["fits", "cut", "number", "half a character", "nothing"],
)
def test_what_was_written_is_shown_shortened(wrote: object, shown: str) -> None:
    assert BadOption("seed", wrote, "a number").values == {"field": "seed", "wrote": shown, "legal": "a number"}


def test_vendors_and_platforms_may_ask_for_time() -> None:
    assert errors.RateLimited(retry_after=1.5).retry_after == 1.5
    busy = errors.PlatformBusy(retry_after=2, was_done=errors.WasDone.UNKNOWN)
    assert (busy.retry_after, busy.was_done) == (2, errors.WasDone.UNKNOWN)
    assert errors.Gone().was_done is errors.WasDone.NO
    assert errors.TooLarge(limit=10).limit == 10
