"""Signed button ids. One names verb and job, so it works after any restart; its signature keeps a stranger's client from making one up."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

SIGNATURE: Final = 10


class Marks:
    """Signs button ids with a key of the key ring."""

    def __init__(self, button_key: bytes) -> None:
        """32 bytes, for nothing else."""
        self._button_key = button_key

    def button(self, verb: str, job_id: str) -> str:
        """The id of a button: at most 64 ASCII characters for verbs of ours."""
        return f"v1:{verb}:{job_id}:{self._signature(verb, job_id)}"

    def read_button(self, custom_id: str) -> tuple[str, str] | None:
        """(verb, job id) of a button of ours; None for anything else."""
        words = custom_id.split(":")
        if len(words) != 4 or words[0] != "v1" or not custom_id.isascii():
            return None
        _, verb, job_id, signature = words
        if not hmac.compare_digest(signature.encode(), self._signature(verb, job_id).encode()):
            return None
        return verb, job_id

    def _signature(self, verb: str, job_id: str) -> str:
        mac = hmac.new(self._button_key, f"{verb}\0{job_id}".encode(), hashlib.sha256).digest()
        return base64.b32encode(mac).decode().lower()[:SIGNATURE]
