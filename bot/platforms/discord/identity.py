"""Marks that we put on what comes back from Discord: signed button ids, as everywhere, and sealed interaction tokens.

An interaction token edits our message for 15 minutes: it is stored sealed, beside the message that it belongs to.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.commands import marks

TOKEN_SECONDS: Final = 14 * 60
"""An interaction token lives for 15 minutes (Discord, "Interaction Callback"); it is left a minute early."""
NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Token:
    """What answers one interaction."""

    application_id: str
    token: str = field(repr=False)


class Marks(marks.Marks):
    """Signs button ids and seals tokens with two keys of the key ring."""

    def __init__(self, button_key: bytes, token_key: bytes) -> None:
        """Both of 32 bytes, for nothing else."""
        super().__init__(button_key)
        self._box = AESGCM(token_key)

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
