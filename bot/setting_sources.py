"""Where the text of a setting may stand: the environment, ``.env``, for a secret also the file that ``NAME_FILE`` names."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from bot.setting_list import BY_NAME
from bot.setting_values import local_path

FILE_LIMIT = 65_536
"""Bytes of ``.env`` or of a secret's file: more is a wrong path, perhaps a device that never ends."""

PREFIX = "REELAY_"
SUFFIX = "_FILE"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong with one variable. ``text`` is a whole sentence for the operator and quotes no secret."""

    variable: str
    wants: str
    example: str
    text: str


def gather(environ: Mapping[str, str], env_file: Path | None) -> tuple[dict[str, str], list[Mistake]]:
    """Return the text of every known setting that is set, stripped, and what is wrong with the places where they stand.

    ``environ`` wins over ``env_file``, which need not exist. An empty text is an unset one.
    """
    mistakes: list[Mistake] = []
    written = {**_dotenv(env_file, mistakes), **environ}
    written = {name: text.strip() for name, text in written.items() if text.strip()}
    texts = {name: text for name, text in written.items() if name in BY_NAME}
    for name, text in written.items():
        of_file = name.removesuffix(SUFFIX)
        if name in BY_NAME:
            continue
        if of_file != name and of_file in BY_NAME:
            if not BY_NAME[of_file].secret:
                mistakes.append(mistake(of_file, f"is no secret, so {name} does nothing", variable=name))
            elif of_file in texts:
                mistakes.append(mistake(of_file, f"and {name} are both set; only one may be", variable=name))
            else:
                _from_file(of_file, text, texts, mistakes)
        elif name.upper().startswith(PREFIX):
            mistakes.append(_unknown(name))
    return texts, mistakes


def mistake(name: str, reason: str, *, variable: str | None = None) -> Mistake:
    """Return "``name`` ``reason``. It wants …, for example …"; ``variable`` is what was written, if not ``name``."""
    setting = BY_NAME[name]
    example = f"{name}={setting.example}"
    text = f"{name} {reason}. It wants {setting.wants}, for example {example}"
    return Mistake(variable or name, setting.wants, example, text)


def _from_file(name: str, path: str, texts: dict[str, str], mistakes: list[Mistake]) -> None:
    try:
        text = _read(local_path(path)).strip()
    except (OSError, ValueError) as error:
        mistakes.append(
            mistake(name, f"cannot be had from its file {path!r}, which {_reason(error)}", variable=name + SUFFIX)
        )
        return
    if text:
        texts[name] = text
    else:
        mistakes.append(mistake(name, f"cannot be had from its file {path!r}, which is empty", variable=name + SUFFIX))


def _unknown(name: str) -> Mistake:
    near = difflib.get_close_matches(name.upper(), BY_NAME, n=1, cutoff=0.75)
    if not near:
        wants, example = "one of the names in docs/reference/settings.md", "REELAY_HTTP_PORT=8080"
        return Mistake(name, wants, example, f"{name} is no setting. It wants {wants}, for example {example}")
    setting = BY_NAME[near[0]]
    example = f"{setting.name}={setting.example}"
    return Mistake(
        name,
        setting.wants,
        example,
        f"{name} is no setting. Did you mean {setting.name}? That wants {setting.wants}, for example {example}",
    )


def _dotenv(path: Path | None, mistakes: list[Mistake]) -> dict[str, str]:
    """Return what ``path`` says; nothing in it is expanded, because a token may hold a dollar sign."""
    found: dict[str, str] = {}
    wants, example = "lines of the form NAME=value", "REELAY_HTTP_PORT=8080"
    try:
        text = _read(path) if path is not None else ""
    except FileNotFoundError:
        return found
    except (OSError, ValueError) as error:
        mistakes.append(
            Mistake(str(path), wants, example, f"{path} {_reason(error)}. It wants {wants}, for example {example}")
        )
        return found
    for binding in parse_stream(StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            where = f"{path}, line {binding.original.line},"
            mistakes.append(
                Mistake(str(path), wants, example, f"{where} cannot be read. It wants {wants}, for example {example}")
            )
        elif binding.key is not None and binding.value is not None:
            found[binding.key] = binding.value
    return found


def _read(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(FILE_LIMIT + 1)
    if len(content) > FILE_LIMIT:
        raise ValueError("is too long")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None


def _reason(error: OSError | ValueError) -> str:
    """Return the rest of a sentence about a file."""
    match error:
        case FileNotFoundError():
            return "does not exist"
        case PermissionError():
            return "may not be read by this user"
        case OSError():
            return f"cannot be read ({error.strerror or type(error).__name__})"
    return str(error)
