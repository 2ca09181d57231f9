"""The door: what a file is and how large, before any library sees it. Standard library only, so that a refusal costs
little.
"""

from __future__ import annotations

import stat
from pathlib import Path

from core.errors import CorruptMedia, OversizedMedia, UnsupportedMedia
from media.sniff import HEAD_BYTES, Looks, sniff


def read_head(path: Path, most_bytes: int) -> tuple[Looks, int, bytes]:
    """Return what ``path`` looks like, its size and its first bytes; raises ``UnsupportedMedia`` when it is no plain
    file.
    """
    try:
        facts = path.stat()
    except FileNotFoundError as error:
        raise CorruptMedia("the file is gone") from error
    if not stat.S_ISREG(facts.st_mode):
        raise UnsupportedMedia("not a plain file", values={"found": "something that is no file", "kind": "special"})
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    looks = sniff(head)
    if facts.st_size > most_bytes:
        raise oversized("bytes", facts.st_size, most_bytes)
    return looks, facts.st_size, head


def oversized(what: str, found: float, most: float) -> OversizedMedia:
    """Return the error that says which limit was passed, by how much."""
    return OversizedMedia(f"{what}: {found} is above {most}", values={"what": what, "found": found, "most": most})


def unsupported(looks: Looks) -> UnsupportedMedia:
    """Return the error that says what the file really is."""
    return UnsupportedMedia(f"looks like {looks.kind}", values={"found": looks.found, "kind": looks.kind})
