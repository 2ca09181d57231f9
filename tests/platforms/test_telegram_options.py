"""Options in a message: every way of writing them, prose that only looks like them, and texts written to break the reader."""

from __future__ import annotations

import contextlib
import time
from itertools import chain
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.engine.words import Words, languages
from bot.platforms.telegram.options import Written, read
from bot.platforms.telegram.vocabulary import FILM
from core.cards import Message
from core.errors import BadOption
from core.requests import Choices, parse_wanted

CHOICES = Choices(seconds=(4, 5, 6, 8), providers=("local", "veo", "google"))
MORE = Choices(aspects=("16:9", "9:16", "1:1"), resolutions=("720p", "1080p", "4k"), providers=("local", "veo"))
MODELS = ("local/scenery", "veo/veo-3.1", "veo/veo-3.1-Fast", "google/labs/omni")


def written(text: str, choices: Choices = CHOICES) -> Written:
    return read(text, choices, MODELS)


def fields(text: str, choices: Choices = CHOICES) -> dict[str, Any]:
    """What ``text`` says beside the lighthouse, which is all that may be left of the prompt."""
    found = written(f"a lighthouse {text}", choices)
    assert found.text == "a lighthouse"
    assert (found.private, found.asks) == (False, False)
    return found.fields


def test_a_whole_order_on_one_line() -> None:
    found = written('a lighthouse --9:16 --8s --seed 7 --no "fog, people" --1080p --model veo --private')
    assert found == Written(
        "a lighthouse",
        {
            "aspect_ratio": "9:16",
            "duration": 8,
            "seed": 7,
            "negative_prompt": "fog, people",
            "resolution": "1080p",
            "provider": "veo",
        },
        private=True,
        asks=False,
    )
    wanted = parse_wanted({"prompt": found.text, **found.fields}, CHOICES, pictures=0)
    assert (wanted.aspect_ratio, wanted.seconds, wanted.seed, wanted.provider) == ("9:16", 8, 7, "veo")


def test_the_same_order_from_a_phone() -> None:
    """As iOS sends it: every pair of hyphens an em dash, every quote a typographic one."""
    found = written("a lighthouse —9:16 —8s —seed 7 —no “fog, people” —1080p —model veo —private")
    assert found == written('a lighthouse --9:16 --8s --seed 7 --no "fog, people" --1080p --model veo --private')


SAME: dict[str, list[str]] = {
    "aspect_ratio=9:16": [
        "--9:16", "--9x16", "--9X16", "--9×16", "--9/16", "--９：１６",
        "--aspect 9:16", "--aspect=9:16", "--aspect = 9:16", "--ASPECT 9x16",
        "--ar 9:16", "--aspect:9:16", "--aspect-ratio 9:16", "--aspect_ratio=9:16", "--ratio “9:16”", "--aspect portrait", "--vertical",
        "--portrait", "--Tall", "—9:16", "–9:16", "―9:16", "—tall", "---9:16", "—-9:16", "--9:16,",
    ],
    "aspect_ratio=16:9": ["--16:9", "--horizontal", "--landscape", "--wide", "—16x9", "--aspect wide"],
    "duration=8": [
        "--8s", "--8", "--8S", "--8sec", "--8secs", "--8seconds", "--8 s", "--8 seconds", "--seconds 8", "--seconds=8", "--duration 8s",
        "--duration 8 seconds", "--duration: 8", "--DURATION 8.0", "--duration “8”", "—8s", "–8s", "—8", "―8", "—8 sec", "--8s.", "–8 s",
    ],
    "resolution=720p": ["--720p", "--720", "--720P", "--hd", "--HD", "—720", "--res 720p", "--res=720", "--resolution hd"],
    "resolution=1080p": ["--1080p", "--1080", "--fullhd", "--full-hd", "--fhd", "—1080p", "--resolution: 1080"],
    "seed=7": ["--seed 7", "--seed=7", "--SEED 7", "--seed:7", "—seed 7", "–seed=7", "--seed 7,", "--seed '7'", "--seed\t7"],
    "generate_audio=False": ["--silent", "--mute", "--no-sound", "--nosound", "--no_audio", "—silent", "--Mute."],
    "generate_audio=True": ["--sound", "—Sound"],
    "negative_prompt=fog, mist": [
        "--no fog, mist", '--no "fog, mist"', "--no=fog, mist", "--no: fog, mist", "--no “fog, mist”", "--no „fog, mist“",
        "--no «fog, mist»",
        "--no « fog, mist »", "--no »fog, mist«", "--no ”fog, mist”", "--no ‘fog, mist’", "--no 'fog, mist'", "--no ‚fog, mist‘",
        '--no "fog, mist",', "--negative fog, mist", "--not fog, mist", "--without fog, mist", "--negative-prompt fog, mist",
        "—no fog, mist",
        '--no"fog, mist"', '--no “fog, mist"',
    ],
    "line=Don’t go!": ['--say "Don’t go!"', "--say Don’t go!", "—say “Don’t go!”", "--say ‘Don’t go!’", "--line='Don’t go!'"],
    "provider=veo": ["--model veo", "--model=VEO", "--generator veo", "--with Veo", "—with veo", "--provider veo,", '--model "veo"'],
    "provider=veo model=veo-3.1": ["--model veo/veo-3.1", "--model VEO/VEO-3.1", "--model veo-3.1", "—with veo-3.1",
    "--generator “veo/veo-3.1”"],
    "provider=veo model=veo-3.1-Fast": ["--model veo/veo-3.1-fast", "--with VEO-3.1-FAST"],
    "provider=google model=labs/omni": ["--model google/labs/omni", "--model labs/omni"],
    "provider=veo model=unheard-of": ["--model veo/unheard-of"],
}  # fmt: skip


@pytest.mark.parametrize("said, text", [(said, text) for said, texts in SAME.items() for text in texts])
def test_every_way_of_writing_it(said: str, text: str) -> None:
    found = fields(text)
    assert " ".join(f"{name}={value}" for name, value in found.items()) == said
    assert parse_wanted({"prompt": "x", **found}, CHOICES, pictures=0) is not None


@pytest.mark.parametrize(
    "text, private, asks",
    [
        ("fog --private", True, False),
        ("—Private fog", True, False),
        ("fog --price", False, True),
        ("fog --ASK --private", True, True),
    ],
)
def test_words_that_are_no_field_of_an_order(text: str, private: bool, asks: bool) -> None:
    assert written(text) == Written("fog", {}, private, asks)


@pytest.mark.parametrize(
    "text",
    [
        "fog --ends",
        "--last fog",
        "—ends fog",
        "fog —ends",
        "fog —last\n",
        "—Last. fog",
        "fog —ends --8s",
        "fog —ends —8s",
    ],
)
def test_the_last_picture_is_where_it_ends(text: str) -> None:
    found = written(text)
    assert (found.text, found.ends) == ("fog", True)
    assert set(found.fields) <= {"duration"}


@pytest.mark.parametrize(
    "text, found",
    [
        ("--square", {"aspect_ratio": "1:1"}),
        ("--1:1", {"aspect_ratio": "1:1"}),
        ("—1x1", {"aspect_ratio": "1:1"}),
        ("--4k", {"resolution": "4k"}),
        ("--4K", {"resolution": "4k"}),
        ("--uhd", {"resolution": "4k"}),
        ("--res 4k", {"resolution": "4k"}),
    ],
)
def test_what_only_some_generator_can_do(text: str, found: dict[str, Any]) -> None:
    assert fields(text, MORE) == found


@pytest.mark.parametrize(
    "text, field, wrote",
    [
        ("--square", "aspect_ratio", "square"),
        ("--1:1", "aspect_ratio", "1:1"),
        ("--aspect 4:5", "aspect_ratio", "4:5"),
        ("--aspect huge", "aspect_ratio", "huge"),
        ("--1920x1080", "aspect_ratio", "1920x1080"),
        ("--9s", "duration", "9s"),
        ("—9s", "duration", "9s"),
        ("--9", "duration", "9"),
        ("--seconds long", "duration", "long"),
        ("--duration 8.5", "duration", "8.5"),
        ("--480p", "resolution", "480p"),
        ("--480", "resolution", "480"),
        ("--4k", "resolution", "4k"),
        ("--res low", "resolution", "low"),
        ("--seed -5", "seed", "-5"),
        ("--seed seven", "seed", "seven"),
        ("--seed 99999999999", "seed", "99999999999"),
        ("--model sora", "provider", "sora"),
        ("--with sora/2", "provider", "sora"),
        ("--no " + "x" * 1001, "negative_prompt", "1001 characters"),
    ],
)
def test_a_value_that_is_not_legal_is_refused_by_its_own_field(text: str, field: str, wrote: str) -> None:
    with pytest.raises(BadOption) as refused:
        parse_wanted({"prompt": "x", **fields(text)}, CHOICES, pictures=0)
    assert (refused.value.field, refused.value.values["wrote"]) == (field, wrote)


PROSE = [
    "a day — then night", "a day —then night", "twenty--three", "well-known", "-- a quote", "— a quote", "—a quote—", "a--8s", "x—8s—y",
    "-8s", "a thermometer at –8 degrees", "the year —1990", "a won game —3:2", "it is —10:30 at night", "she left —with a smile",
    "—with —with —with", "a day -- --", "---", "—", "a -private room", 'he says "use --force now"', "he says “—9:16”", "«--8s»", "« --8s »",
    "„x --seed“", "(--8s)", "'--8s", "a _--8s_", "--…", "6' tall, 5\" wide", "it's the dogs' — well", '"--8s is\nwhat he says"',
    "a\n\nb\n  c", "tab\there", "two  blanks", "--\ud800",
    "a hero —last of his kind", "it —ends, at night, in fog",
]  # fmt: skip


@pytest.mark.parametrize("text", PROSE)
def test_prose_stays_prose(text: str) -> None:
    assert written(f" {text}\n") == Written(text, {}, private=False, asks=False)


@pytest.mark.parametrize("text", [*PROSE[:16], *PROSE[20:23]])
def test_prose_does_not_hide_an_option_behind_it(text: str) -> None:
    assert written(f"{text} --seed 7").fields == {"seed": 7}
    assert written(f"--seed 7 {text}").text == text


@pytest.mark.parametrize(
    "text, rest",
    [
        ("--8s a lighthouse", "a lighthouse"),
        ("a --8s lighthouse", "a lighthouse"),
        ("a  --8s   lighthouse", "a lighthouse"),
        ("a --8s --9:16 lighthouse", "a lighthouse"),
        ("a lighthouse, --8s, at night", "a lighthouse, at night"),
        ("a lighthouse --8s\nat night", "a lighthouse\nat night"),
        ("a lighthouse\n--8s at night", "a lighthouse\nat night"),
        ("a lighthouse\n--8s --9:16\nat night", "a lighthouse\nat night"),
        ("a lighthouse\n\n--8s\n\nat night", "a lighthouse\n\nat night"),
        ("a  lighthouse\n\n  at\tnight\n--8s\n", "a  lighthouse\n\n  at\tnight"),
        ("--no fog, mist --8s a lighthouse", "a lighthouse"),
        ("--no fog, mist\na lighthouse", "a lighthouse"),
        ('--no "fog" a lighthouse', "a lighthouse"),
        ('--no "fog"--8s a lighthouse', "a lighthouse"),
        ('--no "fog\nand mist" a lighthouse', "a lighthouse"),
        ('--no fog, "old --8s cars", mist\na lighthouse', "a lighthouse"),
        ('"a --8s lighthouse" --8s', '"a --8s lighthouse"'),
        ('a 5" lighthouse --no "fog"', 'a 5" lighthouse'),
        ('a "lighthouse --8s', 'a "lighthouse'),
        ("‘tis the dogs’ --8s lighthouse", "‘tis the dogs’ lighthouse"),
        ("--8s", ""),
        ("", ""),
    ],
)
def test_what_is_left_of_the_prompt(text: str, rest: str) -> None:
    assert written(text).text == rest


@pytest.mark.parametrize(
    "text, found",
    [
        ("--no fog --no mist", {"negative_prompt": "mist"}),
        ("--9:16 --wide", {"aspect_ratio": "16:9"}),
        ("--model veo/veo-3.1 --model local", {"provider": "local"}),
        ("--silent --sound", {"generate_audio": True}),
        ("--no a day —then night —8s", {"negative_prompt": "a day —then night", "duration": 8}),
        ('--no a "--8s" sign --seed 7', {"negative_prompt": 'a "--8s" sign', "seed": 7}),
    ],
)
def test_several_options(text: str, found: dict[str, Any]) -> None:
    assert fields(text) == found


@pytest.mark.parametrize(
    "text, option, nearest",
    [
        ("--colour red", "--colour", None),
        ("--8s--9:16", "--8s--9:16", None),
        ("--été", "--été", None),
        ("--٨s", "--٨s", None),
        ("--" + "x" * 300, "--" + "x" * 37 + "…", None),
        ("--sed 7", "--sed", "--seed"),
        ("--Resolutoin 720p", "--Resolutoin", "--resolution"),
        ("--privat", "--privat", "--private"),
        ("--private=no", "--private=no", "--private"),
        ("--verticle", "--verticle", "--vertical"),
        ("--108op", "--108op", "--1080p"),
        ("--no fog --colour", "--colour", None),
        ("--seed --sed", "--sed", "--seed"),
    ],
)
def test_an_unknown_option(text: str, option: str, nearest: str | None) -> None:
    with pytest.raises(BadOption) as refused:
        written(f"a lighthouse {text}")
    error = refused.value
    assert (error.field, error.values["option"], error.values.get("nearest")) == (option, option, nearest)
    assert error.message_id == ("error.unknown_option" if nearest is None else "error.unknown_option_near")
    assert set(error.legal.split()) >= {
        "--16:9",
        "--5s",
        "--1080p",
        "--seed",
        "--no",
        "--model",
        "--private",
        "--price",
    }
    for each in error.legal.split():  # what is offered is understood
        read(f"{each} x", CHOICES)
    for language in languages():
        sentence = Words(language).text(Message(error.message_id, error.values))
        assert option in sentence
        assert (nearest or error.legal) in sentence


@pytest.mark.parametrize(
    "text, field, example",
    [
        ("--seed", "seed", "--seed 7"),
        ("--seed=", "seed", "--seed 7"),
        ("--seed\n7", "seed", "--seed 7"),
        ("--seed --8s", "seed", "--seed 7"),
        ("--seed —8s", "seed", "--seed 7"),
        ("—seed", "seed", "--seed 7"),
        ("--ar", "aspect_ratio", "--ar 16:9"),
        ("--aspect ,", "aspect_ratio", "--aspect 16:9"),
        ("--duration", "duration", "--duration 4"),
        ("--res ''", "resolution", "--res 720p"),
        ("--with", "model", "--with local"),
        ("--no", "negative_prompt", "--no fog, people"),
        ("--no --8s", "negative_prompt", "--no fog, people"),
        ('--not ""', "negative_prompt", "--not fog, people"),
        ("--say", "line", "--say “Hello!”"),
    ],
)
def test_an_option_without_its_value(text: str, field: str, example: str) -> None:
    with pytest.raises(BadOption) as refused:
        written(f"a lighthouse {text}")
    error = refused.value
    assert (error.field, error.message_id, error.values["example"]) == (field, "error.option_lacks_value", example)
    for language in languages():
        assert example in Words(language).text(Message(error.message_id, error.values))
    assert written(example).fields  # it says how it is done


def test_a_reelay_without_generators_still_reads() -> None:
    with pytest.raises(BadOption) as refused:
        read("--model", Choices())
    assert refused.value.values["example"] == "--model"
    assert read("--model veo", Choices()).fields == {"provider": "veo"}


# ---- whatever somebody writes

PIECES = [
    *chain.from_iterable(SAME.values()), *PROSE, "--", "—", "–", "-", "=", ":", '"', "“", "”", "„", "«", "»", "'", "‘", "’", " ", "\n",
    "\t",
    "\r\n", "no", "with", "seed", "8", "s", "²", "٨", "\u2028", "\ud800", "\x00", "ﷺ", ",", "--with", "—with", "--no", "--say",
]  # fmt: skip
HOSTILE = st.one_of(
    st.text(), st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=30).map("".join)
)


@given(HOSTILE)
@example("—with " * 700)
@example("--s" + "-" * 4000 + "eed")
@example("--" + "9" * 4094)
def test_arbitrary_text_is_read_or_refused(text: str) -> None:
    refused: BadOption | None = None
    found = Written("", {}, private=False, asks=False)
    try:
        found = written(text)
    except BadOption as error:
        refused = error
    if refused is not None:
        sentence = Words("en").text(Message(refused.message_id, refused.values))
        assert 0 < len(sentence.encode()) < 600
        return
    assert found.text == found.text.strip()
    assert len(found.text) <= len(text)
    if found == Written(text.strip(), {}, private=False, asks=False):
        return
    assert any(dash in text for dash in "-–—―")


@given(st.text().map(lambda text: "".join(c for c in text if c not in "-–—―")))
def test_text_without_dashes_comes_back_as_it_is(text: str) -> None:
    assert written(text) == Written(text.strip(), {}, private=False, asks=False)


UNITS = [
    "-", "—", "--", "— ", "-- ", "—a ", "—with ", "—with “", "—with «a ", "—seed", "--8s ", "--seed 7 ", "--no a ", "--no “a ",
    "--no 'a ", "--no x “a ",
    "--no «", "--no a\n", '"', ' "', ' "a', " “a", " «", "“ ", "=", ",", "--8s,,,", "--a=", " \n", "\t", "--no — ", "--no —a",
    "--model veo/", "--say ‘a’a ",
    "--8 s ", "9", "--9", "--9:", "a ", "ﷺ",
]  # fmt: skip


def cpu_seconds(text: str) -> float:
    began = time.thread_time()
    with contextlib.suppress(BadOption):
        read(text, CHOICES, MODELS)
    return time.thread_time() - began


ENDED = [(unit, '”»’"') for unit in UNITS if set(unit) & set("“«'‘\"")]
"""The same with a quote at the very end, which each of them may look for."""


@pytest.mark.parametrize("unit, tail", [*((unit, "") for unit in UNITS), *ENDED], ids=repr)
def test_a_hostile_text_costs_what_its_length_costs(unit: str, tail: str) -> None:
    """Eight times the text takes about eight times as long; a reader that looks back would take sixty-four times.

    The least of some runs counts, since whatever else this machine does only adds.
    """
    short, long = ((unit * n)[:n] + tail for n in (4096, 8 * 4096))
    before = after = float("inf")
    for _ in range(5):
        before = min(before, *(cpu_seconds(short) for _ in range(3)))
        after = min(after, cpu_seconds(long))
        if after < 20 * before + 0.002:
            return
    pytest.fail(f"{before * 1e3:.2f} ms, then {after * 1e3:.2f} ms")


# ------------------------------------------------------------------------------------------------------------------------------ films


def film(text: str) -> Written:
    return read(text, CHOICES, MODELS, FILM)


FILM_FIELDS = {
    "scenes": 6,
    "character": "silver robot, red shield",
    "duration": 6,
    "aspect_ratio": "9:16",
    "title": "Austin, TX",
    "music": "none",
    "transition": "crossfade",
    "provider": "veo",
}


@pytest.mark.parametrize(
    "text",
    [
        (
            '--scenes 6 --character "silver robot, red shield" --seconds 6 --aspect 9:16 --title "Austin, TX" --music none'
            " --transition crossfade --model veo"
        ),
        (
            "—scenes 6 —character “silver robot, red shield” —seconds 6 —aspect 9:16 —title “Austin, TX” —music none"
            " —transition crossfade —with veo"
        ),
        "--scenes=6 --character=„silver robot, red shield“ --6s --9:16 --TITLE «Austin, TX» --no-music --crossfade --model veo",
        (
            "--scenes 6\n--character silver robot, red shield\n--6 s --vertical\n--title Austin, TX\n--music off --transition fade"
            " --generator veo"
        ),
    ],
)
def test_a_films_options(text: str) -> None:
    found = film(f"a tourist in Austin {text}")
    assert (found.text, found.fields) == ("a tourist in Austin", FILM_FIELDS)


@pytest.mark.parametrize(
    "prose",
    [
        "a fight —music swells— and then rain",
        "the hero —character is fate— walks",
        "six —scenes of a marriage— in Rome",
        "a card —title in gold— fades",
        "a slow —transition of power— in Rome",
    ],
)
def test_words_of_a_film_between_long_dashes_are_its_story(prose: str) -> None:
    assert (film(prose).text, film(prose).fields) == (prose, {})


@pytest.mark.parametrize("text", ["--ends", "--say hello", "--variations 3", "--line x"])
def test_what_only_a_clip_has_no_film_has(text: str) -> None:
    with pytest.raises(BadOption):
        film(f"a robot {text}")


@pytest.mark.parametrize("text", ["--scenes 3", "--character x", "--music none"])
def test_what_only_a_film_has_no_clip_has(text: str) -> None:
    with pytest.raises(BadOption):
        written(f"a robot {text}")


def test_variations_of_a_clip() -> None:
    assert fields("--variations 3") == fields("—variants 3") == {"variations": 3}
    assert fields("--variations many") == {"variations": "many"}
    assert written("a robot —variations of grey").fields == {}


@pytest.mark.parametrize("language", languages())
def test_every_option_of_a_film_shows_an_example_that_is_read(language: str) -> None:
    for name, field in FILM.named.items():
        with pytest.raises(BadOption) as found:
            film(f"a robot --{name}")
        said = Words(language).text(Message(found.value.message_id, found.value.values))
        example = said[said.rindex(f"--{name}") :]
        assert (field if field != "model" else "provider") in film(f"a robot {example}").fields
