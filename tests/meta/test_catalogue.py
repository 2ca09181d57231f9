"""Every word that a person sees is in the catalogue, every id of it is used, and every sentence can be filled in."""

from __future__ import annotations

import ast
import builtins
import io
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bot.commands.verbs import FILM_MUSIC, GALLERIES, SETTING_NAMES
from bot.engine.templates import BUILT_IN
from bot.engine.words import LOCALES, Words
from core import cards, errors
from core.cards import Message
from core.films import TRANSITIONS
from core.money import Period
from core.states import JobState
from tests.meta.discord_names import described, named

ROOT = Path(__file__).parents[2]
ROOMS = ("bot", "core", "media", "providers", "storage")
PAGE = ROOT / "bot/platforms/web/page"
LANGUAGES = sorted(path.parents[1].name for path in LOCALES.glob("*/LC_MESSAGES/reelay.po"))
FORMATS = {
    "": "x",
    "duration": 90,
    "ordinal": 3,
    "credits": 5,
    "jobs": 2,
    "clips": 2,
    "scenes": 4,
    "amount": "unlimited",
    "size": 5_000_000,
    "clock": 1,
    "date": 1,
}
"""Every format of ``Words`` with a value to try it on."""

NO_IDS = {"admin.sock"}
"""Strings that look like an id: a file."""
PIECE = "[a-z0-9_]+"
PUT_TOGETHER: dict[str, Iterable[str]] = {
    "action.*": (*cards._VERBS, "approve", "scenes", "retry_scenes"),
    "admin.quota_*": Period,
    "choice.*": [
        *(f"gallery.which.{which}" for which in GALLERIES),
        *(f"film.music.{music}".replace("-", "_") for music in FILM_MUSIC),
        *(f"film.transition.{transition}" for transition in TRANSITIONS),
    ],
    "gallery.*": GALLERIES,
    "note.delivery_*": ("unclear", "dead"),
    "page.example.*": "1234",
    "page.health.*": ("paused", "unavailable"),
    "page.origin.*": ("remix", "extend"),
    "page.clip_sound.*": ("duck", "keep", "drop"),
    "page.music.*": ("own", "song", "none"),
    "page.scene.*": ("up", "down", "anew", "remove", "more"),
    "page.sidebar.*": ("history", "images", "videos", "favourites", "films"),
    "page.sidebar.empty.*": ("history", "images", "videos", "favourites", "films"),
    "page.state.*": JobState,
    "page.transition.*": ("cut", "crossfade"),
    "page.verb.*": (
        "copy_link", "delete", "details", "discard", "download", "edit_prompt", "cheaper", "favourite", "other_generator", "retry",
        "unfavourite",
    ),
    "quota.*": ("today", "month"),
    "quota.*.unlimited": ("today", "month"),
    "settings.*": SETTING_NAMES,
    "template.*": BUILT_IN,
    "unit.ordinal.*": "123",
    "verb.*": [name.removeprefix("verb.") for name in described()],
    "verb.*.name": [name.removeprefix("verb.").removesuffix(".name") for name in named()],
}  # fmt: skip
"""Ids that the code puts together, each with everything that can stand for the star."""


@cache
def catalogue(language: str) -> dict[str, tuple[str, ...]]:
    """The messages of the .po by id; plurals have several forms."""
    with (LOCALES / language / "LC_MESSAGES/reelay.po").open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    found: dict[str, tuple[str, ...]] = {}
    for message in messages:
        name = message.id if isinstance(message.id, str) else message.id[0]
        forms = [message.string] if isinstance(message.string, str) else message.string or ()
        found[name] = tuple(str(form) for form in forms)
    return found


IDS = frozenset(catalogue("en"))
PREFIXES = "|".join(sorted({name.split(".", 1)[0] for name in IDS}))
EXACT = re.compile(rf"(?:{PREFIXES})(?:\.[a-z0-9_]+)+")


@cache
def trees() -> dict[str, ast.Module]:
    paths = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def wildcard(parts: list[str | None]) -> str | None:
    """The pattern of an id that is put together; None is a piece that is known only when it runs."""
    text = "".join(PIECE if part is None else re.escape(part) for part in parts)
    return text if re.match(rf"(?:{PREFIXES})\\\.", text) and None in parts else None


def said_by_python(tree: ast.Module) -> tuple[set[str], set[str]]:
    """(ids, patterns of ids) in a file."""
    exact: set[str] = set()
    patterns: set[str] = set()
    pieces: set[int] = set()
    for node in ast.walk(tree):  # a string comes before its pieces
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces:
            exact |= {node.value} if EXACT.fullmatch(node.value) else set()
        if isinstance(node, ast.JoinedStr):
            pieces |= {id(part) for part in node.values}
            parts = [str(part.value) if isinstance(part, ast.Constant) else None for part in node.values]
            patterns |= {found} if (found := wildcard(parts)) else set()
    return exact, patterns


def said_by_page() -> tuple[set[str], set[str]]:
    exact, patterns = set(), set()
    for path in (*PAGE.rglob("*.js"), *PAGE.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        exact |= set(re.findall(r"[\"'`](page\.[a-z0-9_.]*[a-z0-9_])[\"'`]", text))
        for name in re.findall(r"`(page\.[^`]*\$\{[^`]*)`", text):
            parts = re.split(r"\$\{[^{}]*\}", name)
            pieces = [piece for part in parts for piece in (part, None)][:-1]
            patterns |= {found} if (found := wildcard(pieces)) else set()
    return exact, patterns


@cache
def said() -> tuple[frozenset[str], frozenset[str]]:
    """Everything that code and page say."""
    found = [said_by_python(tree) for tree in trees().values()] + [said_by_page()]
    return frozenset().union(*(e for e, _ in found)), frozenset().union(*(p for _, p in found))


def test_english_is_here() -> None:
    assert "en" in LANGUAGES
    assert len(IDS) > 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_the_written_one(language: str) -> None:
    """Compile with: make catalogue. To the byte, also on another day: who compiles without a change has none to commit."""
    folder = LOCALES / language / "LC_MESSAGES"
    with (folder / "reelay.po").open("rb") as file:
        fresh = io.BytesIO()
        write_mo(fresh, read_po(file, locale=language))
    assert (folder / "reelay.mo").read_bytes() == fresh.getvalue()


def test_every_id_that_is_said_has_words() -> None:
    exact, patterns = said()
    assert sorted(exact - IDS - NO_IDS) == []
    assert [
        pattern for pattern in sorted(patterns) if not any(re.fullmatch(pattern, name) for name in put_together())
    ] == []
    assert sorted(put_together() - IDS) == []


def test_the_first_word_of_an_id_hides_none() -> None:
    """Also an id whose first word no catalogue knows yet is seen."""
    asked = {name for tree in trees().values() for name in asked_for(tree)}
    assert len(asked) > 120
    assert sorted(asked - IDS) == []


def test_every_verb_of_a_card_has_its_label_on_the_page() -> None:
    assert [verb for verb in cards._VERBS if f"action.{verb}" not in IDS] == []


def put_together() -> set[str]:
    found = set()
    for family, values in PUT_TOGETHER.items():
        head, _, rest = family.partition("*")
        found |= {f"{head}{value}{rest}" for value in values}
    return found


def test_every_id_of_the_catalogue_is_said() -> None:
    exact, _ = said()
    assert sorted(IDS - exact - put_together()) == []


def fields_of(text: str) -> list[tuple[str, str]]:
    return [(name, spec or "") for _, name, spec, _ in Formatter().parse(text) if name is not None]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_can_be_filled_in(language: str) -> None:
    words, wrong = Words(language), []
    for name, forms in catalogue(language).items():
        for text in forms:
            for field, spec in fields_of(text):
                known = "" if name.startswith(("page.", "unit.")) else spec
                if spec not in FORMATS or known != spec or not re.fullmatch(r"[a-z][a-z_]*", field):
                    wrong.append(f"{name}: {{{field}:{spec}}}")
            if not wrong and not name.startswith(("page.", "unit.")):
                values = {field: FORMATS[spec] for field, spec in fields_of(text)}
                filled = words.text(Message(name, values))
                if "{" in filled or "}" in filled:
                    wrong.append(f"{name}: {filled}")
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_in_what_the_english_does(language: str) -> None:
    english = catalogue("en")
    for name, forms in catalogue(language).items():
        wanted = {field for text in english[name] for field, _ in fields_of(text)}
        assert {field for text in forms for field, _ in fields_of(text)} == wanted, name


def asked_for(tree: ast.Module) -> Iterator[str]:
    """Every id that is written out where a sentence is asked for, also on either side of an ``if``."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        asked = [keyword.value for keyword in node.keywords if keyword.arg == "message_id"]
        if called in ("say", "Message", "Change") and node.args:
            asked.append(node.args[0])
        parts = [part for one in asked for part in ast.walk(one)]
        pieces = {id(piece) for part in parts if isinstance(part, ast.JoinedStr) for piece in part.values}
        for each in parts:
            if (
                isinstance(each, ast.Constant)
                and id(each) not in pieces
                and re.fullmatch(r"[a-z_]+(\.[a-z0-9_]+)+", str(each.value))
            ):
                yield str(each.value)


def given(tree: ast.Module) -> Iterator[tuple[int, str, set[str]]]:
    """(line, id, names of values) of every sentence whose id and values stand in one call."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        name = node.args[0].value
        if called == "say" and isinstance(name, str) and all(keyword.arg for keyword in node.keywords):
            yield node.lineno, name, {str(keyword.arg) for keyword in node.keywords}
        if called in ("Message", "Change") and isinstance(name, str):
            values = node.args[1] if len(node.args) > 1 else ast.Dict([], [])
            if isinstance(values, ast.Dict) and all(isinstance(key, ast.Constant) for key in values.keys):
                yield node.lineno, name, {str(key.value) for key in values.keys if isinstance(key, ast.Constant)}


def test_every_sentence_gets_the_values_that_it_names() -> None:
    short, seen = [], 0
    for file, tree in trees().items():
        for line, name, values in given(tree):
            seen += 1
            wanted = {field for text in catalogue("en").get(name, ()) for field, _ in fields_of(text)}
            if not {field.removesuffix("_in") if field.endswith("_at_in") else field for field in wanted} <= values:
                short.append(f"{file}:{line} {name} lacks {sorted(wanted - values)}")
    assert short == []
    assert seen > 40


# ---- sentences that are not in the catalogue

SENTENCE = re.compile(r"[A-Za-z][a-z]*,?(?: [a-z]+,?){2}(?!\w)")
FOR_ENGINEERS = {"debug", "info", "warning", "error", "critical", "exception", "log"}
FOR_OPERATORS = {"raise_once", "_alert_while", "tell", "pause", "audit"}
OPERATORS_FILES = {
    "bot/commands/admin.py": "the command line of the operator, who reads English as the documentation is",
    "bot/commands/admin_args.py": "as above",
    "bot/commands/admin_generators.py": "as above",
    "bot/platforms/telegram/checkup.py": "what reelay doctor prints for the operator",
    "bot/platforms/telegram/refusals.py": "Telegram's own words, compared and shown to nobody",
    "bot/platforms/telegram/transport.py": "texts of exceptions, in the library's words",
}
TRAIL = {"hop", "hop_note", "name", "why"}
"""Keywords whose text goes to the trail of a job, the name of a task or the operator's ``/readyz``."""


def sentences(tree: ast.Module) -> list[str]:
    """English in a file that is neither for engineers nor for operators, as far as one can see."""
    fine: set[int] = set()

    def excuse(node: ast.AST | None) -> None:
        fine.update(id(each) for each in ast.walk(node)) if node is not None else None

    told = {
        arg.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in FOR_OPERATORS
        for arg in node.args
        if isinstance(arg, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            names = [each for target in node.targets for each in ast.walk(target)]
            if any(getattr(each, "id", "") in told or getattr(each, "attr", "") == "msg" for each in names):
                excuse(node.value)  # told to the operator by this name, or a line of the log
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            excuse(node)  # docstrings
        elif isinstance(node, ast.Raise):
            excuse(
                node.exc
            )  # the text of an exception is for the log; what a person reads are its message id and values
        elif isinstance(node, ast.keyword) and node.arg in TRAIL:
            excuse(node)
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in FOR_ENGINEERS | FOR_OPERATORS or is_error(called):
                excuse(node)
    return [
        f"{node.lineno}: {node.value[:60]}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in fine
        and SENTENCE.search(node.value)
    ]


def is_error(name: str) -> bool:
    return isinstance(getattr(errors, name, getattr(builtins, name, None)), type)


def test_no_sentence_for_people_stands_in_the_code() -> None:
    rooms = ("bot/platforms/", "bot/engine/", "bot/commands/")
    files = {file: tree for file, tree in trees().items() if file.startswith(rooms) and file not in OPERATORS_FILES}
    found = {file: sentences(tree) for file, tree in files.items()}
    assert {file: lines for file, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "code",
    [
        "answer('Your clip is ready')",
        "x = 'Nothing to see here'",
        "web.Response(text='not so fast')",
        "f('you have got {n} left')",
    ],
)
def test_the_rule_for_sentences_sees(code: str) -> None:
    assert sentences(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "log.info('a job ended')",
        "raise NotFound('no such job')",
        "'''A doc string.'''",
        "x = 'page.sent'",
        "Step(hop='given up')",
    ],
)
def test_the_rule_for_sentences_lets_engineers_read(code: str) -> None:
    assert sentences(ast.parse(code)) == []


def test_the_page_has_no_sentence_of_its_own() -> None:
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    text = re.sub(r"<(script|style|title|noscript)\b.*?</\1>|<!--.*?-->|<[^>]+>", " ", html, flags=re.DOTALL)
    assert set(re.findall(r"[A-Za-z]{3,}", text)) <= {"Reelay"}
    spoken = r"(?:textContent|innerText|title|placeholder|ariaLabel)\s*=\s*[\"'`][A-Za-z]+ [a-z]"
    for path in PAGE.rglob("*.js"):
        assert re.findall(spoken, path.read_text(encoding="utf-8")) == [], path.name


def test_the_page_gets_its_words_and_no_others() -> None:
    sent: dict[str, Any] = Words("en").page()
    assert set(sent) == {name for name in IDS if name.startswith("page.")}
    plurals = {name for name, forms in catalogue("en").items() if len(forms) > 1 and name.startswith("page.")}
    assert {name for name, text in sent.items() if isinstance(text, list)} == plurals
