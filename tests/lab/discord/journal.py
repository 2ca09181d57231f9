"""The lab's journal, with what is Discord's own.

``what``: request, connect, heard, dispatch, close, closed, created, edited, deleted, notified, failed. A request has
``operation`` (the OpenAPI document's id), ``method path status code body answer``.
"""

from __future__ import annotations

from tests.lab import journal
from tests.lab.journal import Json


class Journal(journal.Journal):
    """See above."""

    def malformed(self) -> list[Json]:
        """Requests that Discord calls ill-formed (50035, 50006, 50109): always a bug of the program."""
        return [line for line in self.requests() if line.get("code") in {50035, 50006, 50109}]
