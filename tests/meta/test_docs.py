"""The pages and the code say the same: links, commands, routes, settings, states, tables and errors."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
from babel.messages.pofile import read_po

from bot.__main__ import cli
from bot.app import open_app
from bot.commands.account import generators
from bot.commands.making import FIELDS, order
from bot.engine.film_orders import PLAN, SHAPE
from bot.engine.status import STATUS
from bot.engine.words import Words
from bot.platforms.web.answers import refusal
from bot.setting_list import BY_NAME
from bot.settings import read_settings
from core.errors import BadOption, ReelayError
from core.films import FilmPlan
from core.jobs import Actor, Job, JobKind, Place, Receipt
from core.states import (
    CALL_MOVES,
    DELIVERY_MOVES,
    ENDED,
    FILM_MOVES,
    MOVES,
    STATE_SECONDS,
    AttemptState,
    DeliveryState,
    JobState,
    Moves,
)
from core.steps import Step
from media.scenery.vocabulary import LEXICONS
from storage.jobs import CALL_SECONDS

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
REFERENCE = ROOT / "docs/reference"
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
LINK = re.compile(r"\]\(([^()\s]+)\)")
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
METHODS = "GET|POST|PUT|PATCH|DELETE"
ROOMS = ("bot", "core", "media", "providers", "storage")
OURS = tuple(f"{room}." for room in ROOMS)


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to headings."""
    headings = re.findall(r"^#+ +(.*?)\s*$", FENCE.sub("", text_of(page)), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading).lower()) for heading in headings)
    return {word.replace(" ", "-") for word in words}


def rows(page: Path, heading: str | None = None) -> list[list[str]]:
    """The cells of every table row that begins with code; of the section below ``heading`` only, when given."""
    text = text_of(page)
    if heading is not None:
        text = re.split(rf"^## {re.escape(heading)}$", text, flags=re.MULTILINE)[1]
        text = re.split(r"^## ", text, flags=re.MULTILINE)[0]
    found = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines()]
    return [[cells[0].strip("`"), *cells[1:]] for cells in found if cells[0].startswith("`") and len(cells) > 1]


def codes_in(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


# ------------------------------------------------------------------------------------------------------------------ every page


@EVERY_PAGE
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(FENCE.sub("", text_of(page))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@EVERY_PAGE
def test_every_link_stays_inside_the_repository(page: Path) -> None:
    targets = [target for target in LINK.findall(text_of(page)) if not re.match(r"[a-z]+:|#", target)]
    assert [each for each in targets if not (page.parent / each).resolve().is_relative_to(ROOT)] == []


def test_every_page_is_in_the_list_of_pages() -> None:
    index = ROOT / "docs/README.md"
    linked = {(index.parent / target.partition("#")[0]).resolve() for target in LINK.findall(text_of(index))}
    assert {page for page in PAGES if page.is_relative_to(ROOT / "docs")} - linked == {index}


def code_of(page: Path) -> Iterator[str]:
    """Code blocks and code in lines."""
    yield from FENCE.findall(text_of(page))
    yield from re.findall(r"`([^`\n]+)`", FENCE.sub("", text_of(page)))


@EVERY_PAGE
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = {name for code in code_of(page) for name in re.findall(r"\bmake ([a-z]+)\b", code)}
    assert named <= targets


@EVERY_PAGE
def test_every_variable_of_ours_exists(page: Path) -> None:
    named = set(re.findall(r"\b((?:REELAY|VIDEO)_[A-Z0-9_]*[A-Z0-9])\b", text_of(page)))
    assert {name.removesuffix("_FILE") for name in named} <= set(BY_NAME)


@EVERY_PAGE
def test_every_command_exists(page: Path) -> None:
    """``reelay admin token`` and the like are walked down the real command line, as far as words go that could be commands."""
    unknown = []
    for code in code_of(page):
        for said in re.findall(r"(?:(?:^|[\s|])reelay|python -m bot)((?: [a-z][a-z-]*\b(?![./=:]))+)", code):
            command: Any = typer.main.get_command(cli)
            for word in said.removeprefix(" reelay").split():  # `docker compose exec reelay reelay doctor`
                known = getattr(command, "commands", None)
                if known is None:  # a command, whose words after it are its own
                    break
                if word not in known:
                    unknown.append(f"reelay{said}")
                    break
                command = known[word]
    assert unknown == []


@EVERY_PAGE
def test_no_path_of_somebodys_machine_and_no_trailing_blank(page: Path) -> None:
    text = text_of(page)
    assert re.findall(r"(?:/(?:home|root|Users|work)/|C:\\)\S*", text) == []
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    assert text.endswith("\n")
    assert text.count("```") % 2 == 0


def test_every_paper_that_the_code_names_is_in_the_repository() -> None:
    """A docstring that points to a paper which only its writer had is worth nothing to a reader."""
    names = {page.name for page in PAGES}

    def known(name: str) -> bool:
        return (ROOT / name).is_file() if "/" in name else name in names

    lost: list[str] = []
    for path in [*(each for room in ROOMS for each in (ROOT / room).rglob("*")), *(ROOT / "tests").rglob("*.py")]:
        if path.suffix not in {".py", ".sql", ".js", ".css", ".html", ".po"}:
            continue
        text = path.read_text(encoding="utf-8")
        papers = re.findall(r"(?<![\w*{}./-])[\w/-]+\.md\b", text) if path != Path(__file__) else []
        lost += [f"{path.relative_to(ROOT)}: {name}" for name in papers if not known(name)]
        lost += [
            f"{path.relative_to(ROOT)}: {line.strip()}" for line in text.splitlines() if "\N{SECTION SIGN}" in line
        ]
    assert lost == []


# ------------------------------------------------------------------------------------------------------------------- reference


@pytest.mark.blocks("opens the process as at start, before anybody is served")
async def test_every_route_is_in_the_reference_and_no_other(tmp_path: Path) -> None:
    app = await open_app(read_settings({"REELAY_DATA_DIR": str(tmp_path / "data")}, None))
    try:
        served = app.server.app().router.routes()
        routes = {f"{route.method} {route.resource.canonical}" for route in served if route.resource is not None}
    finally:
        await app.close()
    heads = {route for route in routes if route.startswith("HEAD ")}
    assert {route.replace("HEAD", "GET", 1) for route in heads} <= routes
    told = re.findall(rf"^\| `((?:{METHODS}) /[^`]*)`", text_of(REFERENCE / "http.md"), re.MULTILINE)
    assert sorted(told) == sorted(routes - heads)


def fields_of(heading: str) -> set[str]:
    """The names in the first column of a table below ``### heading`` of the HTTP reference."""
    section = re.split(rf"^### {heading}$", text_of(REFERENCE / "http.md"), flags=re.MULTILINE)[1]
    section = re.split(r"^##", section, flags=re.MULTILINE)[0]
    return {name for line in section.splitlines() if line.startswith("| `") for name in codes_in(line.split("|")[1])}


def told_in(call: str) -> set[str]:
    """Every name in the reference's row of a call."""
    line = next(line for line in text_of(REFERENCE / "http.md").splitlines() if line.startswith(f"| `{call}`"))
    return codes_in(line)


def planned(film: Job) -> Step:
    """A storyboard of one scene."""
    plan = FilmPlan().with_scenes([(None, "waves", "")])
    return Step(film.id, film.version, to=JobState.AWAITING, film=plan)


@pytest.mark.blocks("opens the process as at start, before anybody is served")
async def test_what_an_order_takes_and_what_is_answered_is_in_the_reference(tmp_path: Path) -> None:
    app = await open_app(read_settings({"REELAY_DATA_DIR": str(tmp_path / "data")}, None))
    try:
        actor, place = Actor("web", "somebody"), Place("web", chat="somebody")
        job, _ = await order(app.engine, actor, place, {"prompt": "a lighthouse"}, receipt=Receipt(place, "page"))
        row = await app.store.view(job.id)
        status = await app.engine.desk.status(row, Words("en"))
        board, _ = await order(app.engine, actor, place, {"idea": "a day at sea"}, kind=JobKind.FILM)
        await app.store.apply(planned(board))
        about_film = await app.engine.desk.status(await app.store.view(board.id), Words("en"))
        me = await app.site.me(job.account_id, job.account_id)
        made = await generators(app.engine, Words("en"))
    finally:
        await app.close()
    assert fields_of("An order") == {*FIELDS[JobKind.CLIP], "idempotency_key"}
    others = {"number_of_scenes", "character_description", "idempotency_key"}
    assert fields_of("An order of a film") == {*FIELDS[JobKind.FILM], *others}
    assert set(FIELDS[JobKind.MERGE]) <= told_in("POST /api/mv/merge")
    assert {*PLAN, *SHAPE} <= told_in("PATCH /api/films/{id}")
    card = next(codes_in(line) for line in text_of(REFERENCE / "http.md").splitlines() if line.startswith("| `card`"))
    assert fields_of("A status object") == {*status, "film"} == set(about_film)
    assert fields_of("A film") == set(about_film["film"])
    scenes = next(
        codes_in(line) for line in text_of(REFERENCE / "http.md").splitlines() if line.startswith("| `scenes` | in")
    )
    assert {*about_film["film"]["scenes"][0]} <= scenes
    assert set(status["card"]) <= card
    assert {*me, *me["credits"], *me["credits"]["today"]} <= told_in("GET /api/me")
    assert set(me["settings"]) <= told_in("PATCH /api/me")
    assert {*made, *made["generators"][0], *made["generators"][0]["price"]} <= told_in("GET /api/generators")


@EVERY_PAGE
def test_every_example_of_json_is_json(page: Path) -> None:
    for block in FENCE.findall(text_of(page)):
        language, _, body = block.strip().removesuffix("```").removeprefix("```").partition("\n")
        if language == "json":
            json.loads(body)


def sentences() -> Iterator[str]:
    """Every text that people or operators can be shown: the English catalogue, and what stands in the code."""
    with (ROOT / "bot/locale/en/LC_MESSAGES/reelay.po").open("rb") as file:
        yield from (str(each.string) for each in read_po(file) if each.id)
    for path in (ROOT / "bot").rglob("*.py"):
        for node in ast.walk(ast.parse(text_of(path))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


@pytest.mark.parametrize("page", ["discord", "telegram"])
def test_every_message_that_a_chat_s_page_quotes_is_said_by_us(page: str) -> None:
    """Of the table of troubles; ``…`` stands for what differs each time."""
    text = text_of(ROOT / f"docs/how-to/{page}.md").split("## When something is wrong")[1]
    first = [line.split("|")[1] for line in text.splitlines() if line.startswith("| ")][1:]
    quoted = {code for cell in first for code in codes_in(cell) if " " in code}
    assert quoted
    said = list(sentences())
    unsaid = {
        each
        for each in quoted
        if not any(re.search(r"\{\w+[^}]*\}".join(map(re.escape, each.split("…"))), one) for one in said)
    }
    assert unsaid == set()


@EVERY_PAGE
def test_every_call_that_is_named_is_in_the_reference(page: Path) -> None:
    references = text_of(REFERENCE / "http.md") + text_of(REFERENCE / "self-hosted.md")
    told = set(re.findall(rf"^\| `((?:{METHODS}) /[^`]*)`", references, re.MULTILINE))
    named = {each for code in code_of(page) for each in re.findall(rf"^((?:{METHODS}) /[^\s?]+)$", code)}
    assert named <= told


SPANS = {120: "2 min", 900: "15 min", 3600: "1 h", 10_800: "3 h", 86_400: "24 h", 259_200: "72 h", 2_592_000: "30 days"}
CALL_SPANS = {JobState.PREPARING: STATE_SECONDS[JobState.PLANNING], JobState.SUBMITTING: CALL_SECONDS}
"""Of scripts and pictures, which wait for what came along with their film, and then for one answer."""


@pytest.mark.parametrize(
    "heading, table, spans",
    [
        ("Jobs", MOVES, STATE_SECONDS),
        ("Scripts and pictures", CALL_MOVES, CALL_SPANS),
        ("Films", FILM_MOVES, STATE_SECONDS),
    ],
)
def test_the_states_of_a_job_are_the_code_s(heading: str, table: Moves, spans: dict[JobState, int]) -> None:
    told = rows(REFERENCE / "states.md", heading)
    assert [row[0] for row in told] == [state.value for state in JobState if state in table]
    for name, _, moves, span, api in told:
        state = JobState(name)
        assert codes_in(moves) == {onward.value for onward in table[state]}
        assert (moves == "nowhere") is (not table[state])
        assert codes_in(api) == {STATUS[state]}
        if state in ENDED:
            assert span == ""
        else:
            assert span == (SPANS[spans[state]] if state in spans else "the generator's own maximum")


def test_the_states_of_attempts_and_deliveries_are_the_code_s() -> None:
    assert [row[0] for row in rows(REFERENCE / "states.md", "Attempts")] == [state.value for state in AttemptState]
    told = rows(REFERENCE / "states.md", "Deliveries")
    assert [row[0] for row in told] == [state.value for state in DeliveryState]
    for name, _, moves in told:
        assert codes_in(moves) == {onward.value for onward in DELIVERY_MOVES[DeliveryState(name)]}
        assert (moves == "nowhere") is (not DELIVERY_MOVES[DeliveryState(name)])


def test_the_tables_of_the_database_are_the_migrations() -> None:
    tables: list[str] = []
    for file in sorted((ROOT / "storage/migrations").glob("*.sql")):
        sql = file.read_text(encoding="utf-8")
        tables += re.findall(r"^CREATE TABLE (?:IF NOT EXISTS )?(\w+)", sql, re.MULTILINE)
        tables = [
            name for name in tables if name not in re.findall(r"^DROP TABLE (?:IF EXISTS )?(\w+)", sql, re.MULTILINE)
        ]
    assert len(tables) > 10
    assert [row[0] for row in rows(REFERENCE / "database.md")] == tables


def family(kind: type[ReelayError]) -> Iterator[type[ReelayError]]:
    for child in kind.__subclasses__():
        if child.__module__.startswith(OURS):
            yield child
            yield from family(child)


def test_every_error_is_told_with_the_code_and_status_that_a_caller_gets() -> None:
    told = {
        cells[0]: (cells[1].strip("`"), int(cells[2])) for cells in rows(REFERENCE / "errors.md") if len(cells) == 4
    }
    meant = {}
    for kind in family(ReelayError):
        error = kind("field", "wrote", "legal") if issubclass(kind, BadOption) else kind("text")
        meant[kind.__name__] = (kind.code, refusal(error, Words("en"), 0).status)
    assert told == meant


def test_every_element_that_the_generator_draws_is_in_english_and_every_language_names_the_same() -> None:
    by_code = {lexicon.code: lexicon for lexicon in LEXICONS}
    page = text_of(REFERENCE / "local-generator.md")
    names = {"en": "English", "de": "German", "fr": "French", "es": "Spanish"}
    assert set(by_code) == set(names)
    assert all(names[code] in page for code in by_code)
    for lexicon in LEXICONS:
        assert set(lexicon.words) <= set(by_code["en"].words)
