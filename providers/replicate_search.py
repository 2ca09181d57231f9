"""Looks an attempt up in Replicate's list of predictions, after the answer to its submit was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, urlsplit

from core.errors import Garbled, Unavailable
from core.jobs import Attempt
from core.ports import Clock
from providers.replicate_inputs import Inputs
from providers.replicate_line import ReplicateLine

SECONDS: Final = 25.0
PAGE_BYTES: Final = 32 << 20
"""A page repeats what was sent with each prediction, pictures included."""
PAGES: Final = 10
"""Of a hundred predictions each."""
CLOCKS_MS: Final = 60_000
"""By how much Replicate's clock may differ from ours, beyond what its own ``Date`` says."""
SURE_MS: Final = 10_000
"""What was made longer than this before the intent, by those clocks, is rather of an earlier attempt with the same seed."""

Prediction = Mapping[str, Any]
SearchAnswer = Prediction | Literal["certainly not", "cannot tell"]


@dataclass(slots=True)
class Search:
    """One look through the list, newest first, back to before the attempt was meant.

    ``wanted`` is what the attempt sent, without pictures: each attempt has a seed of its own, so the same input is the same attempt. The
    predictions in ``known`` belong to other attempts. A model without a seed is only found by an address that names the attempt.
    """

    attempt: Attempt
    inputs: Inputs
    wanted: Mapping[str, Any]
    known: AbstractSet[str]
    _matches: dict[str, Prediction] = field(default_factory=dict)
    _is_unsure: bool = False

    async def through(self, line: ReplicateLine, clock: Clock) -> SearchAnswer:
        """Return the attempt's prediction, "certainly not" when the list shows that there is none, else "cannot tell"."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self._through(line, clock)
        except (Unavailable, Garbled, TimeoutError):
            return "cannot tell"

    async def _through(self, line: ReplicateLine, clock: Clock) -> SearchAnswer:
        params: dict[str, str] = {}
        for _ in range(PAGES):
            answer = await line.ask("GET", "/v1/predictions", most=PAGE_BYTES, params=params)
            results = answer.data.get("results")
            if not isinstance(results, list):
                raise Garbled("the list of predictions is none")
            skew = _skew(clock.now(), answer.headers)
            found, older = self._look(results, self.attempt.intent_at, skew)
            if found is not None:
                return found
            # Only what the next page is called is taken from the answer: the key goes to no address that an answer names.
            params = dict(parse_qsl(urlsplit(str(answer.data.get("next") or "")).query))
            if older or not params:
                break
        else:
            self._is_unsure = True
        if len(self._matches) == 1 and not self._is_unsure and "seed" in self.inputs.slots:
            return next(iter(self._matches.values()))
        return "cannot tell" if self._matches or self._is_unsure else "certainly not"

    def _look(self, results: list[Any], intent_at: int, skew: float) -> tuple[Prediction | None, bool]:
        """The prediction that names the attempt, if one does, and whether the page reaches back far enough."""
        since, sure = intent_at + min(0.0, skew) - CLOCKS_MS, intent_at + skew - SURE_MS
        older = False
        for each in results:
            made = read_moment(each.get("created_at")) if isinstance(each, dict) else None
            if made is None:
                self._is_unsure = True
            elif made < since:
                older = True
            elif self.attempt.id in str(each.get("webhook") or ""):
                return each, older
            elif self._may_be(each):
                given = each.get("input")
                if each.get("data_removed") or not isinstance(given, dict):  # an hour has passed
                    self._is_unsure = True
                elif all(given.get(key) == value for key, value in self.wanted.items()):
                    self._matches[str(each.get("id"))] = each  # a page may repeat what the last one said
                    self._is_unsure |= made < sure
        return None, older

    def _may_be(self, prediction: Prediction) -> bool:
        """Whether it is of the same model, which older answers name by its version alone, and of no other attempt.

        One whose webhook goes to any address but the attempt's is another's, whatever it was sent.
        """
        if prediction.get("webhook"):
            return False
        version = self.inputs.version
        is_same = prediction.get("model") == self.inputs.model or bool(version and prediction.get("version") == version)
        return is_same and prediction.get("id") not in self.known


def read_moment(text: Any) -> float | None:
    """UTC milliseconds of a date and time; None when it is none."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp() * 1000


def _skew(now: int, headers: Mapping[str, str]) -> float:
    """By how many milliseconds Replicate's clock is ahead of ours; 0 where it does not say."""
    try:
        return parsedate_to_datetime(headers.get("Date", "")).timestamp() * 1000 - now
    except (TypeError, ValueError):
        return 0.0
