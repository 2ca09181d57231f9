"""How a film is to be: its scenes, who recurs in them, and how their clips are cut together. Pure, and plain JSON when it is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from core.attachments import Attachment
from core.errors import BadOption
from core.fields import clean_text
from core.media import ClipSound, Transition
from core.requests import NEGATIVE_CHARACTERS, PROMPT_CHARACTERS

MOST_SCENES: Final = 20
USUAL_SCENES: Final = 4
SCENE_CHARACTERS: Final = 1500
CHARACTER_CHARACTERS: Final = 2000
RULES_CHARACTERS: Final = 2000
TITLE_CHARACTERS: Final = 120
MOST_CLIPS: Final = 64
"""Clips that one merge joins."""
HERE: Final = "{prompt}"
"""Where a template of rules has the words of the scene; without it the rules follow behind them."""

Music = Literal["built-in", "song", "none"]
MUSIC: Final[tuple[Music, ...]] = ("built-in", "song", "none")
TRANSITIONS: Final[tuple[Transition, ...]] = ("cut", "crossfade")
CLIP_SOUNDS: Final[tuple[ClipSound, ...]] = ("keep", "duck", "drop")


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene of a storyboard. ``number`` is its own for ever, wherever it is moved."""

    number: int
    description: str
    negative_description: str = ""


@dataclass(frozen=True, slots=True)
class FilmPlan:
    """All of a film but its idea, its shape and its generator, which are its job's wish. Keys are the clip store's."""

    scenes_wanted: int = USUAL_SCENES
    scenes: tuple[Scene, ...] = ()
    next_number: int = 1
    character: str = ""
    """Who or what recurs in every scene, in words."""
    picture: Attachment | None = None
    """The person's own picture of it, until it is prepared."""
    picture_key: str | None = None
    """The picture of it that all scenes share: the person's own one, or a painted one."""
    own_picture: bool = False
    rules: str = ""
    """A template that is applied to the words of every scene."""
    song: Attachment | None = None
    """The person's song, until it is prepared."""
    song_key: str | None = None
    song_seconds: float | None = None
    song_tempo: float | None = None
    music: Music = "built-in"
    clip_sound: ClipSound = "duck"
    transition: Transition = "cut"
    title: str = ""
    fit_to_song: bool = False
    look: int = 0
    """A seed that the clips share, for a common style."""
    writer: str = ""
    """Who wrote the scenes."""
    cut_from: tuple[str, ...] = ()
    """Ids of the clips that the film was cut from last."""
    cut_at: tuple[float, ...] = ()
    """Seconds of that film at which another clip is seen; where it has a title, the first clip as well."""
    answered: tuple[str, ...] = ()
    """Scripts and pictures (job ids) whose answer is in its place already, or came to nothing."""
    clips: tuple[str, ...] = ()
    """Ids of clips that are there already and come before the scenes: what a merge joins, what an extension goes on from."""

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON that ``from_json`` reads back."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain["scenes"] = [[each.number, each.description, each.negative_description] for each in self.scenes]
        for name in ("picture", "song"):
            plain[name] = None if plain[name] is None else plain[name].as_json()
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FilmPlan:
        """Read what ``as_json`` wrote; fields of a later version are ignored."""
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        known["scenes"] = tuple(Scene(*each) for each in data.get("scenes", ()))
        known |= {name: tuple(data.get(name, ())) for name in ("clips", "answered", "cut_from", "cut_at")}
        for name in ("picture", "song"):
            if known.get(name) is not None:
                known[name] = Attachment.from_json(known[name])
        return cls(**known)

    @property
    def uploads(self) -> tuple[str, ...]:
        """Keys of what lies in the clip store as it came."""
        return tuple(key for each in (self.picture, self.song) if each is not None for key in each.uploads)

    @property
    def is_prepared(self) -> bool:
        """Whether nothing that came along has still to be fetched and opened."""
        return self.picture is None and self.song is None

    def scene(self, number: int) -> Scene:
        """The scene of that number. Raises BadOption."""
        found = next((each for each in self.scenes if each.number == number), None)
        if found is None:
            legal = ", ".join(str(each.number) for each in self.scenes) or "none"
            raise BadOption("scene", number, f"one of {legal}")
        return found

    def with_scenes(self, scenes: Sequence[tuple[int | None, str, str]]) -> FilmPlan:
        """The same with these scenes in this order, each (number, description, negative description); a new one has no number yet.

        Raises BadOption for too many or none, for words that are too long or missing, and for a number that is not there.
        """
        if not 1 <= len(scenes) <= MOST_SCENES:
            raise BadOption("scenes", len(scenes), f"from 1 to {MOST_SCENES} scenes")
        known = {each.number for each in self.scenes}
        found: list[Scene] = []
        next_number = self.next_number
        for number, description, negative in scenes:
            if number is not None and (number not in known or any(each.number == number for each in found)):
                raise BadOption("scenes", number, "each scene once, by its number")
            if number is None:
                number, next_number = next_number, next_number + 1  # noqa: PLW2901 - it gets its number here
            found.append(Scene(number, scene_words(description), _negative(negative)))
        return replace(self, scenes=tuple(found), next_number=next_number)

    def edited(self, number: int, description: str, negative: str | None = None) -> FilmPlan:
        """The same with another wording of one scene."""
        old = self.scene(number)
        fresh = Scene(number, scene_words(description), old.negative_description if negative is None else negative)
        return replace(self, scenes=tuple(fresh if each.number == number else each for each in self.scenes))

    def added(self, description: str, after: int | None = None) -> FilmPlan:
        """The same with one scene more, behind the scene ``after`` or at the end."""
        scenes = self._listed()
        at = len(scenes) if after is None else 1 + self.scenes.index(self.scene(after))
        return self.with_scenes([*scenes[:at], (None, description, ""), *scenes[at:]])

    def removed(self, number: int) -> FilmPlan:
        """The same without one scene; the last one stays."""
        gone = self.scene(number)
        return self.with_scenes([each for each in self._listed() if each[0] != gone.number])

    def moved(self, number: int, to: int) -> FilmPlan:
        """The same with one scene at another place, counted from 1; beyond the ends is at the end."""
        gone = self.scene(number)
        scenes = [each for each in self._listed() if each[0] != gone.number]
        at = max(0, min(len(scenes), to - 1))
        return self.with_scenes(
            [*scenes[:at], (gone.number, gone.description, gone.negative_description), *scenes[at:]]
        )

    def _listed(self) -> list[tuple[int | None, str, str]]:
        return [(each.number, each.description, each.negative_description) for each in self.scenes]

    def prompt_of(self, scene: Scene) -> str:
        """What the generator is told of a scene: its words, who recurs where they do not say it, and the rules."""
        words = scene.description
        if self.character and self.character.lower() not in words.lower():
            words = f"{words.rstrip(' .')}. {self.character}"
        return with_rules(words, self.rules)


def scene_words(description: object) -> str:
    """The words of a scene, cleaned. Raises BadOption when there are none, or too many."""
    if not isinstance(description, str) or len(description) > SCENE_CHARACTERS or not clean_text(description):
        shown = f"{len(description)} characters" if isinstance(description, str) and description else description
        raise BadOption("description", shown, f"what is seen, in up to {SCENE_CHARACTERS} characters")
    return clean_text(description)


def _negative(text: object) -> str:
    if not isinstance(text, str) or len(text) > NEGATIVE_CHARACTERS:
        raise BadOption("negative_description", text, f"text of up to {NEGATIVE_CHARACTERS} characters")
    return clean_text(text)


def with_rules(prompt: str, template: str) -> str:
    """A prompt with a template of rules applied: at the template's ``{prompt}``, or followed by it. At most as long as a prompt may be."""
    if not template:
        return prompt[:PROMPT_CHARACTERS]
    room = max(0, PROMPT_CHARACTERS - len(template) - 1)
    if HERE in template:
        return template.replace(HERE, prompt[:room], 1)[:PROMPT_CHARACTERS]
    return f"{prompt[:room]}\n{template}"
