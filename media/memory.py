"""The one place where a child widens its own limit."""

from __future__ import annotations

import contextlib
import resource


def raise_for_large_pictures() -> None:
    """Raise the address space to the lane's hard limit: 4K sources need it, and nothing smaller may have it."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
