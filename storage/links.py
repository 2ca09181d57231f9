"""Signed links to clips: whoever has one may fetch that clip, in that way, until it expires."""

from __future__ import annotations

import re
from typing import Final

from storage.keys import KeyRing

_PURPOSE: Final = "clip link v1"
_EXPIRY: Final = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class ClipLinks:
    """Makes and checks the three query parameters ``kid``, ``exp`` and ``sig``.

    All three are canonical text (decimal, lower-case hex), so that no second spelling of a link is valid.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def sign(self, clip_id: str, *, expires_at_ms: int, scope: str) -> dict[str, str]:
        """Parameters that are good for this clip and scope (such as ``play`` or ``download``) before ``expires_at_ms``."""
        exp = str(expires_at_ms)
        if not _EXPIRY.fullmatch(exp):
            raise ValueError(f"expires_at_ms must be a positive UTC millisecond time, not {expires_at_ms}")
        kid, mac = self._ring.sign(_PURPOSE, _message(clip_id, exp, scope))
        return {"kid": kid, "exp": exp, "sig": mac.hex()}

    def verify(self, clip_id: str, *, kid: str, exp: str, sig: str, scope: str, now: int) -> bool:
        """Whether the link is ours, for this clip and scope, and not expired at ``now`` (UTC ms). Never raises."""
        if not (_EXPIRY.fullmatch(exp) and _SIGNATURE.fullmatch(sig)):
            return False
        genuine = self._ring.verify(_PURPOSE, kid, _message(clip_id, exp, scope), bytes.fromhex(sig))
        return genuine and now < int(exp)


def _message(*fields: str) -> bytes:
    """Fields with their lengths, so that no two lists of fields give the same bytes."""
    parts = [field.encode("utf-8", "surrogatepass") for field in fields]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
