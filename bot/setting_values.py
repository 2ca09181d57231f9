"""What the text of one setting means: credits, addresses, people, secrets.

Each function takes the stripped, non-empty text of an environment variable and returns its typed value, or raises
``ValueError`` with the *rest of a sentence* whose subject is the variable ("is not a whole number"). Nothing in here
quotes what was written: ``bot.settings`` does, where it is no secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

Credits = int | Literal["unlimited"]
"""An amount as the operator wrote it. Unset is ``None`` beside it, and 0 means none at all: three different things."""

GENERATORS = ("local", "veo", "omni", "replicate", "ovi", "longcat", "comfyui", "google", "gemini")
"""Names that a person may write for a generator; google and gemini: the first configured of veo and omni."""

PLACEHOLDER = re.compile(
    r"<.*>|\[.*\]|\{.*\}|\$.*|\.{2,}|…|x{3,}|\*+|"
    r"(?:change|replace|fill|insert|put|paste|set|add|enter)[-_ ]?(?:me|this|it|in|here|your.*|[-_ a-z]*here)|"
    r"(?:your|my|example|sample)[-_ ](?:.*[-_ ])?(?:token|key|secret|password|id)(?:[-_ ]here)?|"
    r"(?:api|bot|discord|telegram|secret)?[-_ ]?(?:token|key|secret|password)(?:[-_ ]here)?|"
    r"todo|tbd|none|null|nil|undefined|example|placeholder",
    re.IGNORECASE,
)
"""What templates write where a secret belongs. A word like test-token is left alone: somebody means it."""

ALLOWED_ENTRY = re.compile(
    r"(discord):(guild|user):(\d{1,20})|(telegram):(chat):(-?\d{1,20})|(telegram):(user):(\d{1,20})"
)
ADMIN_ENTRY = re.compile(r"(discord|telegram):(\d{1,20})")


@dataclass(frozen=True, slots=True)
class Circle:
    """One person, or everybody in one place, who may use Reelay. ``external_id`` is the platform's own id, as text."""

    platform: Literal["discord", "telegram"]
    kind: Literal["guild", "chat", "user"]
    external_id: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.kind}:{self.external_id}"


@dataclass(frozen=True, slots=True)
class Admin:
    """A person who may use the admin verbs. ``external_id`` is the platform's own id, as text."""

    platform: Literal["discord", "telegram"]
    external_id: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.external_id}"


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of decimal digits from ``least`` to ``most``."""

    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,12}", text):
            raise ValueError("is not a whole number")
        if not least <= int(text) <= most:
            raise ValueError("is out of range")
        return int(text)

    return read


def credits_amount(text: str) -> Credits:
    """Read a whole number of credits, or the word ``unlimited``."""
    if text.lower() == "unlimited":
        return "unlimited"
    return whole_number(0, 1_000_000_000)(text)


def one_of(*words: str) -> Callable[[str], str]:
    """Return a reader of one of ``words``, in any case."""

    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError("is none of the words it knows")
        return text.lower()

    return read


def yes_or_no(text: str) -> bool:
    """Read true or false in the usual spellings."""
    return one_of("1", "true", "yes", "on", "0", "false", "no", "off")(text) in {"1", "true", "yes", "on"}


def allowed(text: str) -> Literal["open"] | tuple[Circle, ...]:
    """Read ``open``, or a list of discord:guild:ID, discord:user:ID, telegram:chat:ID and telegram:user:ID."""
    if text.lower() == "open":
        return "open"
    circles: list[Circle] = []
    for number, entry in _entries(text):
        match = ALLOWED_ENTRY.fullmatch(entry)
        if match is None:
            raise ValueError(f"cannot be read at entry {number}")
        platform, kind, external_id = (part for part in match.groups() if part is not None)
        circles.append(Circle(platform, kind, external_id))  # type: ignore[arg-type]  # as in the pattern
    return tuple(dict.fromkeys(circles))


def admins(text: str) -> tuple[Admin, ...]:
    """Read ``discord:ID`` and ``telegram:ID``, with commas between them."""
    people: list[Admin] = []
    for number, entry in _entries(text):
        match = ADMIN_ENTRY.fullmatch(entry)
        if match is None:
            raise ValueError(f"cannot be read at entry {number}")
        people.append(Admin(match[1], match[2]))  # type: ignore[arg-type]  # as in the pattern
    return tuple(dict.fromkeys(people))


def _entries(text: str) -> list[tuple[int, str]]:
    return [(number, entry.strip().lower()) for number, entry in enumerate(text.removesuffix(",").split(","), 1)]


def secret(text: str) -> str:
    """Read a token or key; what a template wrote in its place is refused."""
    if PLACEHOLDER.fullmatch(text):
        raise ValueError("still holds a placeholder")
    if not all(33 <= ord(letter) < 127 for letter in text):
        raise ValueError("holds blanks, line breaks or letters that no token has")
    return text


def webhook_secret(text: str) -> str:
    """Read what Telegram accepts as ``secret_token`` (https://core.telegram.org/bots/api#setwebhook)."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret(text)):
        raise ValueError("holds letters that Telegram does not take")
    return text


def public_key(text: str) -> str:
    """Read an Ed25519 public key in hexadecimal."""
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ValueError("is not a public key")
    return text.lower()


def word(text: str) -> str:
    """Read an id of somebody else's, such as a model's: one word of plain letters."""
    if not re.fullmatch(r"[!-~]{1,200}", text):
        raise ValueError("holds blanks or letters that no id has")
    return text


def host(text: str) -> str:
    """Read what a socket is bound to: an IP address or a host name, without scheme and port."""
    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        if re.fullmatch(r"(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*\.?", text) and not re.fullmatch(
            r"[0-9.]+", text
        ):
            return text.lower()
    raise ValueError("is neither an IP address nor a host name")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a socket that is bound to ``host``."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def address(*schemes: str, path: bool = False, login: bool = False) -> Callable[[str], str]:
    """Return a reader of absolute addresses, which takes off a slash at the end.

    ``path`` and ``login`` tell whether it may have one.
    """

    def read(text: str) -> str:
        parts = _split(text)
        if parts.scheme not in schemes:
            raise ValueError(f"does not begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        if not parts.hostname or re.search(r"\s", text):
            raise ValueError("names no host")
        if parts.query or parts.fragment or (parts.path.strip("/") and not path):
            raise ValueError("has something behind the host that does not belong there")
        if "@" in parts.netloc and not login:
            raise ValueError("carries a login, which does not belong there")
        return text.rstrip("/")

    return read


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  # reading it is the check: a port that is no number raises
    except ValueError:
        raise ValueError("is not an address") from None
    return parts


def without_version(text: str) -> str:
    """Read an OpenAI-compatible root. Other programs write it with ``/v1`` behind it, so that is taken off."""
    return address("https", "http", path=True)(text).removesuffix("/v1").rstrip("/")


def database(text: str) -> Path:
    """Return the file that an address like ``sqlite:///folder/reelay.db`` names."""
    if text.lower().startswith(("postgres://", "postgresql://", "postgresql+")):
        raise ValueError("names PostgreSQL, which this release does not bring yet")
    file = text.removeprefix("sqlite:///")
    if file == text or not file or file.endswith("/") or "?" in file or ":memory:" in file:
        raise ValueError("does not name an SQLite file")
    return local_path(file)


def local_path(text: str) -> Path:
    """Read a path; ``~`` is the home."""
    if not text.isprintable():
        raise ValueError("holds letters that no path has")
    try:
        path = Path(text).expanduser()
        path.exists()
    except RuntimeError:
        raise ValueError("begins with ~ and the name of nobody here") from None
    except OSError as error:
        raise ValueError(f"is a path that cannot be looked at ({error.strerror})") from None
    return path


def folder(text: str) -> Path:
    """Read the path of a folder, which need not exist yet."""
    path = local_path(text)
    if path.exists() and not path.is_dir():
        raise ValueError("is there, but is not a folder")
    return path


def json_file(text: str) -> Path:
    """Read the path of a file that exists."""
    path = local_path(text)
    if not path.is_file():
        raise ValueError("names no file")
    return path
