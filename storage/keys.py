"""The secrets that Reelay makes for itself: a key in the data folder, made on the first start.

Every purpose (links, cookies, pseudonyms …) has its own key, derived from that one by HMAC-SHA256, so that a
signature made for one purpose is worth nothing for another.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from core.errors import DatabaseFault
from storage.upkeep import sync_folder

KEYS_NAME: Final = "keys.json"
_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Key:
    """One secret with its public name; ``created_at`` in UTC milliseconds."""

    kid: str
    secret: bytes = field(repr=False)
    created_at: int


class KeyRing:
    """The first key of the file signs; every key in it verifies."""

    def __init__(self, path: Path, keys: list[Key]) -> None:
        """Use :meth:`open`. ``keys``: the one that signs first."""
        self._path = path
        self._keys = keys
        self._derived: dict[tuple[str, str], bytes] = {}

    @classmethod
    def open(cls, folder: Path, *, now: int) -> KeyRing:
        """Read ``keys.json`` (0600) of ``folder``, or make it, durably, with one new key. Blocks: call it at start.

        Raises DatabaseFault for a damaged file. It is never replaced by itself: all links and cookies would end.
        """
        path = folder / KEYS_NAME
        try:
            text = _read(path)
            if text is None:
                ring = cls(path, [_new(now)])
                ring._write()
                return ring
        except OSError as error:
            raise DatabaseFault(f"cannot use the key file {path}: {error.strerror}") from error
        return cls(path, _parse(text, path))

    @property
    def kid(self) -> str:
        """Name of the key that signs now."""
        return self._keys[0].kid

    def sign(self, purpose: str, message: bytes) -> tuple[str, bytes]:
        """Key id and HMAC-SHA256 of ``message`` for this purpose."""
        key = self._keys[0]
        return key.kid, self._mac(key, purpose, message)

    def verify(self, purpose: str, kid: str, message: bytes, mac: bytes) -> bool:
        """Whether ``mac`` is ours for this purpose, key and message; takes the same time for a wrong one."""
        key = next((key for key in self._keys if key.kid == kid), None)
        expected = self._mac(key or self._keys[0], purpose, message)
        return hmac.compare_digest(expected, mac) and key is not None

    def derive(self, purpose: str) -> bytes:
        """32 bytes for this purpose from the present key, for ciphers and keyed hashes."""
        return self._derive(self._keys[0], purpose)

    def _mac(self, key: Key, purpose: str, message: bytes) -> bytes:
        return hmac.digest(self._derive(key, purpose), message, hashlib.sha256)

    def _derive(self, key: Key, purpose: str) -> bytes:
        known = self._derived.get((key.kid, purpose))
        if known is None:
            known = hmac.digest(key.secret, b"reelay key for\0" + purpose.encode(), hashlib.sha256)
            self._derived[key.kid, purpose] = known
        return known

    def _write(self) -> None:
        """Temporary name, fsync, rename, fsync of the folder."""
        rows = [{"kid": key.kid, "secret": key.secret.hex(), "created_at": key.created_at} for key in self._keys]
        partial = self._path.with_name(f".{KEYS_NAME}.{secrets.token_hex(8)}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o600)
                file.write(json.dumps({"keys": rows}, indent=1).encode())
                file.flush()
                os.fsync(descriptor)
            partial.replace(self._path)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
        sync_folder(self._path.parent)


def _new(now: int) -> Key:
    return Key(secrets.token_hex(4), secrets.token_bytes(_BYTES), now)


def _read(path: Path) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
        os.fchmod(descriptor, 0o600)  # a restored or copied file may have come with wider rights
        return file.read(1 << 16)


def _parse(text: str, path: Path) -> list[Key]:
    try:
        rows: list[dict[str, Any]] = json.loads(text)["keys"]
        keys = [Key(str(row["kid"]), bytes.fromhex(row["secret"]), int(row["created_at"])) for row in rows]
        if not keys or any(len(key.secret) != _BYTES for key in keys):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise DatabaseFault(
            f"the key file {path} is damaged. Restore it from a backup; without one, move it away and start again: "
            "new keys are made, and links and sign-ins made so far end."
        ) from None  # the cause might quote the secret
    return keys
