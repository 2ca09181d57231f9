"""Marks that we put on what comes back from Discord: signed button ids and sealed interaction tokens.

A button's id names the verb and the job, so it works after any restart; its signature keeps a stranger's client from making one up.
An interaction token edits our message for 15 minutes: it is stored sealed, beside the message that it belongs to.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN_SECONDS: Final = 14 * 60
"""An interaction token lives for 15 minutes (Discord, "Interaction Callback"); it is left a minute early."""
SIGNATURE: Final = 10
NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Token:
    """What answers one interaction."""

    application_id: str
    token: str = field(repr=False)


class Marks:
    """Signs button ids and seals tokens with two keys of the key ring."""

    def __init__(self, button_key: bytes, token_key: bytes) -> None:
        """Both of 32 bytes, for nothing else."""
        self._button_key, self._box = button_key, AESGCM(token_key)

    def button(self, verb: str, job_id: str) -> str:
        """The custom id of a button: at most 100 characters."""
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

    def seal(self, token: Token) -> str:
        """The token as it may be stored."""
        nonce = os.urandom(NONCE_BYTES)
        text = json.dumps([token.application_id, token.token]).encode()
        return base64.b64encode(nonce + self._box.encrypt(nonce, text, None)).decode()

    def unseal(self, sealed: str | None) -> Token | None:
        """The token again; None when it was sealed with a key that is gone, or is damaged."""
        if sealed is None:
            return None
        try:
            data = base64.b64decode(sealed, validate=True)
            text = self._box.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], None)
            application_id, token = json.loads(text)
        except (ValueError, InvalidTag):
            return None
        return Token(application_id, token)
