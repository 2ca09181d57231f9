"""What must not be read in a log: secrets, and characters that lie to a terminal.

Two nets, because either has holes: the secrets that are configured, in each spelling they may turn up in, and the shapes of tokens that are
known. No pattern can take more than linear time, since the text may come from a stranger.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "[redacted]"
SHORTEST: Final = 4
"""Characters. A shorter secret would mask half of all words and is none."""

LONGEST: Final = 32_768
"""Characters of one text that are looked at and kept."""

MOST_ITEMS: Final = 100
DEEPEST: Final = 6

SHAPES: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:bot)?[0-9]{5,20}:[A-Za-z0-9_-]{30,}"  # Telegram, also inside /bot<token>/
    r"|AIza[A-Za-z0-9_-]{30,}"  # Google
    r"|(?<![A-Za-z0-9])ya29\.[A-Za-z0-9_-]{20,}"  # Google, OAuth
    r"|(?<![A-Za-z0-9])r8_[A-Za-z0-9]{20,}"  # Replicate
    r"|(?<![A-Za-z0-9])hf_[A-Za-z0-9]{20,}"  # Hugging Face
    r"|(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{20,}"  # OpenAI and those that copy it
    r"|(?<![A-Za-z0-9])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9a-f]{16,}"  # fal
    r"|(?<![\w-])[\w-]{23,30}\.[\w-]{6,7}\.[\w-]{27,}"  # Discord
    r"|(?<![A-Za-z0-9])reelay_[A-Za-z0-9_-]{16,}"  # Reelay's own
    r"|(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"  # JSON web tokens
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\s\\]*"
)
"""Whole tokens, known by their looks."""

NAMED: Final = re.compile(
    r"(?P<before>"
    r"(?<![A-Za-z])(?:[Bb]earer|[Bb]asic|Bot|Key|Token)[ \t]{1,8}(?=[A-Za-z0-9._~+/=:-]{16})"  # an Authorization header
    r"|/(?:webhooks|interactions)/[0-9]{5,20}/(?=[A-Za-z0-9_-]{40})"  # Discord: the token is in the path
    r"|[?&;](?i:signin|sig|signature|token|access_token|key|api_key|apikey|secret|x-goog-[a-z-]{1,30}|x-amz-[a-z-]{1,30}|hm)="
    r"|(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,20}://(?=[^\s/@\"']{1,200}@)"  # a login in an address
    r")[A-Za-z0-9._~+/=:%!$*,-]+"
)
"""What stands behind a word that says that a secret follows; the word stays readable."""

TELLING: Final = re.compile(
    r"(?:^|[_\-. ])(?:token|secret|password|passwd|api_?key|apikey|authorization|cookie|credentials?|(?:negative_)?prompt)s?$",
    re.IGNORECASE,
)
"""Names of facts whose value is never written, whatever it looks like. A prompt is private too."""

LYING: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Control characters, line separators, direction marks and halves of characters."""


class Redactor:
    """Masks secrets in text and in facts."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._spellings: set[str] = set()
        self._known: re.Pattern[str] | None = None
        for secret in secrets:
            self.register(secret)

    def register(self, secret: str) -> None:
        """Mask ``secret`` from now on, also where it is quoted, escaped or in base64. Shorter than 4 characters: ignored."""
        if len(secret) < SHORTEST:
            return
        encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
        spellings = {
            secret,
            quote(secret, safe=""),
            quote_plus(secret),
            json.dumps(secret)[1:-1],
            repr(secret)[1:-1],
            encoded,
        }
        spellings |= {line for line in secret.splitlines() if len(line) >= SHORTEST}
        self._spellings |= spellings
        longest_first = sorted(self._spellings, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first)))

    def text(self, text: str) -> str:
        """Return ``text`` without secrets, cut off after 32,768 characters."""
        if len(text) > LONGEST:
            # A secret that the cut would halve is masked first: every shape is far shorter than this margin.
            text = self._masked(text[: LONGEST + 4096])[:LONGEST] + "…"
        return self._masked(text)

    def fact(self, name: object, value: object, depth: int = 0) -> object:
        """Return ``value`` in plain JSON types without secrets; ``name`` may tell that all of it is one."""
        if value is None or isinstance(value, bool | int | float):
            return value if value is None or not TELLING.search(str(name)) else MASK
        if TELLING.search(str(name)):
            return MASK
        if isinstance(value, str):
            return self.text(value)
        if depth < DEEPEST and isinstance(value, Mapping):
            pairs = list(value.items())[:MOST_ITEMS]
            return {self.text(in_words(key)): self.fact(key, each, depth + 1) for key, each in pairs}
        if depth < DEEPEST and isinstance(value, list | tuple | set | frozenset):
            return [self.fact(name, each, depth + 1) for each in list(value)[:MOST_ITEMS]]
        return self.text(in_words(value))

    def _masked(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return NAMED.sub(rf"\g<before>{MASK}", SHAPES.sub(MASK, text))


def in_words(value: object) -> str:
    """Return ``str(value)``, or the type's name when that fails."""
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001  # a foreign __str__ may raise anything, and a log line must not
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"


def escape(text: str) -> str:
    """Return ``text`` as one line that a terminal can show: what controls or misleads it becomes its code point in hexadecimal."""
    return LYING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
