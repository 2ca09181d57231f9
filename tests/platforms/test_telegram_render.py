"""A card as Telegram shows it: nothing stands out in it but what we marked, it is within the limits, and its buttons carry what fits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.commands.films import Step, priced_verb, read_priced
from bot.commands.marks import Marks
from bot.engine.words import Bookshelf
from bot.platforms.telegram.render import (
    CAPTION_MOST,
    COPY_MOST,
    JOINER,
    SIGNS,
    TEXT_MOST,
    bar,
    card_html,
    cut,
    defuse,
    escape,
    job_of_button,
    keyboard,
    link,
    plain,
    rows,
    titled,
    titled_pages,
    units,
)
from core.capabilities import Change
from core.cards import _VERBS, Action, Card, JobView, Message, card_of
from core.ids import new_job_id
from core.jobs import Failure
from core.requests import Wanted
from core.states import ENDED, MOVES, JobState
from tests.core.examples import NOON, job, view, wanted
from tests.lab.telegram.entities import formatted, part
from tests.lab.telegram.markup import inline

SHELF = Bookshelf()
WORDS = SHELF.words("en")
MARKS = Marks(b"k" * 32)
NOW = NOON + 30_000
JOB = new_job_id(NOON)
LIVE = sorted(set(MOVES) - ENDED)
OF_A_FILM = ("approve", "scenes", "retry_scenes")
WIDEST = (
    priced_verb(Action("retry_scenes", Message("action.retry_scenes_for", {"credits": 99_999}))),
    Step("on", 120, 99_999, "replicate").verb,
    "scenes_2",
    "scene_120",
    "character",
)
NASTY = [
    "@everybody come",
    "/start@reelay_bot",
    "/stop now",
    "see https://evil.example/a?b=1&c=2",
    "http://x.y",
    "www.evil.example/path",
    "evil.example",
    "tg://resolve?domain=x",
    "#fox and $TSLA",
    "mail ann@example.org",
    "<b>bold</b> <a href='https://evil.example'>here</a>",
    "&lt;b&gt; &amp; &#64;ann &commat;",
    "a < b > c & d",
    "@ann@bob//x.y#z",
    "@\u200bann",
    "狐 @狐狸 #狐狸 /狐",
    "👨\u200d👩\u200d👧 @a_b_c_d #１２ #тег",
]


def seen(html: str) -> tuple[str, list[dict[str, Any]]]:
    """The text as it is read, and what stands out in it. Raises what Telegram would say to HTML that it cannot read."""
    return formatted(html, "HTML", None)


def kinds(html: str) -> set[str]:
    return {each["type"] for each in seen(html)[1]}


def card(state: JobState = JobState.DONE, **fields: Any) -> Card:
    return replace(card_of(view(state)), job_id=JOB, **fields)


# ------------------------------------------------------------------------------------------------------------------- foreign words


@pytest.mark.parametrize("text", NASTY)
def test_foreign_words_stand_there_as_they_are_and_ring_at_nobodys(text: str) -> None:
    shown, entities = seen(escape(text))
    assert entities == []
    assert shown.replace(JOINER, "") == text
    assert seen(f"<b>{escape(text)}</b>")[1] == [{"type": "bold", "offset": 0, "length": units(shown)}]


@pytest.mark.parametrize("text", [NASTY[0], NASTY[1], NASTY[3], NASTY[8], "<b>bold</b>"])
def test_what_stands_out_is_seen_here(text: str) -> None:
    """The lab marks by itself what clients mark; otherwise nothing here would prove anything."""
    assert seen(text)[1] != []


@pytest.mark.parametrize(
    "text", ["evil.example", "ann@example.org", "$TSLA", "tg://x", "www.evil.example", "狐.example"]
)
def test_what_only_real_clients_mark_is_broken_up_too(text: str) -> None:
    assert JOINER in escape(text)


def test_only_the_command_for_help_stays_one() -> None:
    assert [part("ask /help or /stop", each) for each in seen(escape("ask /help or /stop"))[1]] == ["/help"]


@pytest.mark.parametrize("text", NASTY)
def test_it_can_be_done_twice(text: str) -> None:
    assert defuse(defuse(text)) == defuse(text)


@pytest.mark.parametrize("text", ["dusk. A fox", "3.5 s", "a/b", "half a $", "e. g.", "Hello.", "9:16, 1/2", "fox…"])
def test_what_is_harmless_reads_the_same(text: str) -> None:
    assert seen(escape(text))[0].replace(JOINER, "") == text
    assert seen(escape(text))[1] == []


@pytest.mark.parametrize("place", ["headline", "changed", "error", "generator"])
@pytest.mark.parametrize("text", NASTY)
def test_nothing_stands_out_in_a_card_but_what_we_marked(text: str, place: str) -> None:
    failed = view(of=job(JobState.FAILED, failure=Failure("X", "error.unsupported", {"wrote": text, "legal": text})))
    shown = {
        "headline": card(headline=text),
        "changed": card(changed=(Message("change.ignored", {"field": text, "generator": text}),)),
        "error": card_of(failed),
        "generator": card_of(view(JobState.DONE, generator_title=text)),
    }[place]
    for caption in (False, True):
        html = card_html(shown, WORDS, NOW, caption=caption)
        assert kinds(html) <= {"bold", "italic"}
        assert text in seen(html)[0].replace(JOINER, "")


# -------------------------------------------------------------------------------------------------------------------------- limits

LONG = "a fox 🦊 runs @home.x. " * 190
MANY = tuple(Message("change.ignored", {"field": f"{n} {LONG[:300]}", "generator": "狐🦊" * 20}) for n in range(12))


@pytest.mark.parametrize("caption, most", [(True, CAPTION_MOST), (False, TEXT_MOST)])
@pytest.mark.parametrize("headline", ["a fox", LONG[:4000], "🦊" * 4000, "<&>" * 1333, "@a" * 2000, "a.b" * 1333])
@pytest.mark.parametrize("changed", [(), MANY, MANY * 4])
@pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED, JobState.GENERATING])
def test_a_card_is_within_the_limit(
    caption: bool,
    most: int,
    headline: str,
    changed: tuple[Message, ...],
    state: JobState,
) -> None:
    many = card(state, headline=headline, changed=changed)
    html = card_html(many, WORDS, NOW, caption=caption)
    text, entities = seen(html)
    assert units(text) <= most
    assert "\ufffd" not in text, "no character is cut in two"
    lines = WORDS.card(many, NOW)
    assert str(lines["state_line"]) in text.replace(JOINER, ""), "what is the matter is never cut"
    assert str(lines["facts_line"]) in text.replace(JOINER, "")
    assert {each["type"] for each in entities} == {"bold", "italic"}


@pytest.mark.parametrize("prompt", ["a lighthouse " * 300, "灯台" * 2000, "🦊" * 4000])
def test_a_long_prompt_is_a_short_headline(prompt: str) -> None:
    shown = card_of(view(of=job(JobState.DONE, wanted=wanted(prompt=prompt))))
    text, entities = seen(card_html(shown, WORDS, NOW, caption=True))
    head = part(text, entities[0])
    assert entities[0]["type"] == "bold"
    assert head.endswith("…")
    assert units(head) <= 200


@pytest.mark.parametrize("changed", [MANY, (Message("change.ignored", {"field": "a.b" * 2000, "generator": "x"}),)])
def test_what_was_changed_is_shortened_before_what_went_wrong_is_lost(changed: tuple[Message, ...]) -> None:
    failed = replace(card_of(view(JobState.FAILED)), changed=changed)
    text = seen(card_html(failed, WORDS, NOW, caption=True))[0].replace(JOINER, "")
    assert str(WORDS.card(failed, NOW)["error_line"]) in text
    assert "…" in text
    assert units(text) > CAPTION_MOST / 3, "and not more than it has to be"


@pytest.mark.parametrize(
    "text, most, wanted",
    [
        ("fox", 3, "fox"),
        ("foxes", 3, "fo…"),
        ("🦊🦊", 4, "🦊🦊"),
        ("🦊🦊", 3, "🦊…"),
        ("a🦊", 2, "a…"),
        ("a b", 2, "a…"),
        ("", 0, ""),
        ("fox", 1, "…"),
    ],
)
def test_a_text_is_cut_in_units_of_two_bytes(text: str, most: int, wanted: str) -> None:
    assert cut(text, most) == wanted
    assert units(cut(text, most)) <= most


# -------------------------------------------------------------------------------------------------------------------------- states

CHANGED = (Change("change.seconds", {"wanted": 6, "applied": 8, "generator": "Fake"}),)
CARDS: dict[str, tuple[JobView, list[str]]] = {
    "in line": (
        view(JobState.QUEUED, queue_position=3, queue_seconds=80.0, left_today=460),
        ["a lighthouse at dusk", "3rd in line · about 1 min 20 s", "FACTS", "40 credits held · 460 left today"],
    ),
    "rendering": (
        view(of=job(JobState.GENERATING, progress=0.42), gives_fraction=True),
        ["a lighthouse at dusk", "Rendering · 42 % · about 28 s left", "▰▰▰▰▱▱▱▱▱▱", "FACTS", "40 credits held"],
    ),
    "changed": (
        view(of=job(JobState.QUEUED, changed=CHANGED)),
        ["a lighthouse at dusk", "In line", "Fake makes no 6 s clips, so I made it 8 s.", "FACTS", "40 credits held"],
    ),
    "done": (
        view(JobState.DONE),
        ["a lighthouse at dusk", "Made with Fake in 30 s · AI-generated", "FACTS", "40 credits"],
    ),
    "failed": (
        view(JobState.FAILED),
        ["a lighthouse at dusk", "This clip was not made.", "ERROR", "FACTS", "You were not charged"],
    ),
    "a picture": (
        view(of=job(JobState.CANCELLED, wanted=Wanted(pictures=1))),
        ["A picture, set in motion", "Cancelled.", "FACTS", "You were not charged"],
    ),
}


@pytest.mark.parametrize("name", CARDS)
def test_a_card_reads_well(name: str) -> None:
    shown, wanted_lines = CARDS[name]
    found = card_of(shown)
    said = WORDS.card(found, NOW)
    named = {"FACTS": "8 s · 16:9 · 720p · Fake · seed 7", "ERROR": str(said["error_line"])}
    html = card_html(found, WORDS, NOW, caption=False)
    text, entities = seen(html)
    assert text.replace(JOINER, "").split("\n") == [named.get(each, each) for each in wanted_lines]
    assert [each["type"] for each in entities] == ["bold", "italic", "italic"]
    assert plain(html) == text, "also where Telegram cannot read HTML"


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
@pytest.mark.parametrize("state", list(MOVES))
@pytest.mark.parametrize("more", [{}, {"cancel_wish": "cancel"}, {"cancel_wish": "stop_waiting"}, {"price": 0}])
def test_every_state_has_its_lines_and_buttons(language: str, state: JobState, more: dict[str, Any]) -> None:
    words = SHELF.words(language)
    shown = card_of(view(of=job(state, id=JOB, **more)))
    lines = seen(card_html(shown, words, NOW, caption=True))[0].split("\n")
    assert all(line.strip() for line in lines), "no empty line"
    assert all("?" not in line for line in lines), "no gap"
    keys = keyboard(shown, words, MARKS, prompt="a fox")
    if keys is None:
        assert not any(each.verb in SIGNS for each in shown.actions)
    else:
        inline(keys.to_dict())
        assert all(len(row) <= 3 for row in keys.inline_keyboard)


@pytest.mark.parametrize(
    "fraction, wanted", [(-1.0, 0), (0.0, 0), (0.04, 0), (0.06, 1), (0.5, 5), (0.949, 9), (1.0, 10), (7.0, 10)]
)
def test_the_bar_has_ten_steps(fraction: float, wanted: int) -> None:
    assert bar(fraction) == "▰" * wanted + "▱" * (10 - wanted)


# ------------------------------------------------------------------------------------------------------------------------- buttons


def labels(shown: Card, **more: Any) -> list[str]:
    keys = keyboard(shown, WORDS, MARKS, **more)
    return [] if keys is None else [each.text for row in keys.inline_keyboard for each in row]


@pytest.mark.parametrize("verb", [*SIGNS, *_VERBS, "delete_now", "resend", "with_twelve_chars", *WIDEST])
def test_a_buttons_data_fits(verb: str) -> None:
    data = MARKS.button(verb, JOB)
    assert len(data.encode()) <= 64
    assert MARKS.read_button(data) == (verb, JOB)


def test_every_button_names_its_verb_and_its_job() -> None:
    verbs = [*_VERBS, *OF_A_FILM]
    everything = card(actions=tuple(Action(verb, Message(f"action.{verb}", {"credits": 4})) for verb in verbs))
    keys = keyboard(everything, WORDS, MARKS)
    assert keys is not None
    inline(keys.to_dict())
    buttons = [each for row in keys.inline_keyboard for each in row if each.callback_data]
    found = [MARKS.read_button(str(each.callback_data)) for each in buttons]
    assert [each and job_of_button(each) for each in found] == [JOB] * len(SIGNS)
    priced = [(read_priced(each[0])[:2], each[1]) for each in found if each is not None]
    assert {verb for (verb, _), _ in priced} == set(SIGNS)
    assert {verb: credits for (verb, credits), _ in priced if credits} == {"approve": 4, "retry_scenes": 4}
    assert all(each.text.startswith(SIGNS[verb]) for each, ((verb, _), _) in zip(buttons, priced, strict=True))
    left_out = {"download", "copy_link"}
    assert set(verbs) - set(SIGNS) == left_out, "a message has them by itself"
    assert [[each.text for each in row] for row in keys.inline_keyboard[:2]] == [
        ["🎬 Make it"],
        ["🔁 Try ? again"],
    ], "what costs something has a row of its own"


SCENES = tuple(Message("film.planned", {"place": n, "text": f"A <fox> @number {n}. {'x' * 380}"}) for n in range(1, 6))
MANY = tuple(Message("film.declined", {"place": n, "text": "y" * 56}) for n in range(1, 21))


@pytest.mark.parametrize("lines, caption, shown", [(SCENES, False, 5), (MANY, False, 20), (MANY, True, 20)])
def test_a_films_scenes_stand_whole_in_a_text_and_shortened_in_a_caption(
    lines: tuple[Message, ...], caption: bool, shown: int
) -> None:
    error = Message("note.failover", {"before": "veo", "generator": "omni"})
    text = card_html(replace(card(), lines=lines, error=error), WORDS, NOW, caption=caption)
    said, _ = formatted(text, "HTML", None)
    assert units(said) <= (CAPTION_MOST if caption else TEXT_MOST)
    assert sum(f"{n}. " in said for n in range(1, 21)) == shown
    assert "@number" not in said, "nothing in a scene comes alive"
    assert ("x" * 380 in said) is (lines is SCENES)


def test_where_the_scenes_have_no_room_the_card_says_the_rest() -> None:
    lines = tuple(Message("film.planned", {"place": n, "text": "z" * 56}) for n in range(100))
    said, _ = formatted(card_html(replace(card(), lines=lines), WORDS, NOW, caption=True), "HTML", None)
    assert "zzz" not in said
    assert str(WORDS.card(card(), NOW)["state_line"]) in said


@pytest.mark.parametrize(
    "shown, has_it",
    [
        (view(JobState.DONE), True),
        (view(JobState.FAILED), True),
        (view(JobState.CANCELLED), True),
        (view(of=job(JobState.FAILED, failure=Failure("CONTENT_POLICY_VIOLATION", "error.content_refused"))), False),
        (view(JobState.UNCLEAR), False),
        *((view(state), False) for state in LIVE),
        *((view(of=job(state, cancel_wish="stop_waiting")), False) for state in LIVE),
    ],
)
def test_a_clip_that_has_ended_can_be_made_with_other_settings(
    shown: JobView,
    has_it: bool,
) -> None:
    found = labels(card_of(shown))
    assert ("🎛 Other settings" in found) is has_it
    if has_it:
        assert found[found.index("🎛 Other settings") - 1] == "🎲 Again"


@pytest.mark.parametrize(
    "prompt, has_it",
    [("", False), ("a", True), ("a" * COPY_MOST, True), ("a" * (COPY_MOST + 1), False), ("🦊" * COPY_MOST, True)],
)
def test_a_prompt_is_copied_where_it_fits(prompt: str, has_it: bool) -> None:
    keys = keyboard(card(), WORDS, MARKS, prompt=prompt)
    assert keys is not None
    inline(keys.to_dict())
    copied = [each.copy_text.text for row in keys.inline_keyboard for each in row if each.copy_text]
    assert copied == ([prompt] if has_it else [])


def test_only_who_may_write_another_prompt_copies_it() -> None:
    assert "📋" not in "".join(labels(card(JobState.QUEUED), prompt="a fox"))


@pytest.mark.parametrize(
    "address, has_it",
    [
        ("https://clips.example/f/1", True),
        ("http://localhost:8080/f/1", False),
        ("http://127.0.0.1:8080/f/1", True),
        ("", False),
    ],
)
def test_a_link_is_a_button_where_telegram_takes_it(address: str, has_it: bool) -> None:
    shown = card(changed=(Message("change.ignored", {"field": "x", "generator": "y", "link": address}),))
    keys = keyboard(shown, WORDS, MARKS)
    assert keys is not None
    inline(keys.to_dict())
    assert [each.url for row in keys.inline_keyboard for each in row if each.url] == ([address] if has_it else [])


def test_a_card_without_a_button_has_no_keyboard() -> None:
    assert keyboard(card(actions=()), WORDS, MARKS) is None
    assert rows([]) is None


# -------------------------------------------------------------------------------------------------------------------- other texts

ADDRESS = 'https://t.me/reelay_bot?start=a&lt=1&q="b"'


@pytest.mark.parametrize("text", NASTY)
def test_titles_lines_and_links_are_text(text: str) -> None:
    shown, entities = seen(titled(text, [text, text]))
    assert [(each["type"], part(shown, each).replace(JOINER, "")) for each in entities] == [("bold", text)]
    shown, entities = seen(link(text, ADDRESS))
    assert [(each["type"], each.get("url")) for each in entities] == [("text_link", ADDRESS)]
    assert shown.replace(JOINER, "") == text
    assert plain(titled(text, [text])).replace(JOINER, "") == f"{text}\n{text}"


@pytest.mark.parametrize(
    "lines",
    [
        ["short", "and short"],
        ["one", "🦊" * 4000, "last"],
        ["#a " * 2000],
        ["&<>" * 3000, "<b>", ""],
        ["x" * 4095],
        ["one\ntwo", "", "y" * 4096, "three"],
    ],
    ids=["short", "two units each", "defused", "markup", "a page", "breaks"],
)
def test_pages_are_within_the_limit_and_leave_nothing_out(lines: list[str]) -> None:
    told = [seen(page) for page in titled_pages("A <title>", lines)]
    assert all(0 < units(text) <= TEXT_MOST for text, _ in told)
    assert [(each["type"], part(told[0][0], each)) for each in told[0][1]] == [("bold", "A <title>")]
    assert all(entities == [] for _, entities in told[1:])
    said = "".join(text for text, _ in told).replace(JOINER, "").replace("\n", "").replace(" ", "")
    assert said == "".join(["A <title>", *lines]).replace("\n", "").replace(" ", "")
    assert len(told) <= 1 + sum(units(defuse(line)) for line in lines) // TEXT_MOST + 1
