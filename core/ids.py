"""Names for things: random, and for jobs also sortable by time."""

from __future__ import annotations

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]


def new_job_id(now_ms: int) -> str:
    """Return 26 lower-case characters: 48 bits of ``now_ms``, then 80 random bits; sorts by time."""
    value = (now_ms & ((1 << 48) - 1)) << 80 | secrets.randbits(80)
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(120, -10, -10)])


def first_job_id(now_ms: int) -> str:
    """Return the smallest name that a job ordered at ``now_ms`` could have: every earlier job sorts before it."""
    value = (now_ms & ((1 << 48) - 1)) << 80
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(120, -10, -10)])


def new_secret_id() -> str:
    """Return 32 hexadecimal characters, 128 random bits: clips, attempts, accounts, and whatever a stranger must not guess."""
    return secrets.token_hex(16)
