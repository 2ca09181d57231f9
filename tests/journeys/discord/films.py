"""What somebody does with a film on Discord, for the journeys about films."""

from __future__ import annotations

from typing import Any

from tests.journeys.discord.house import CARD_SECONDS, EDIT_SECONDS, House
from tests.lab.discord import Person, Seen, Use
from tests.lab.waiting import until

AWAITING = "The storyboard is ready"
MADE = "A film made with"


def ordered(home: House, idea: str, person: Person | None = None, **options: Any) -> Use:
    """``/film``, and wait for its storyboard."""
    use = home.answered((person or home.ada).slash("film", home.room, idea=idea, **options))
    home.in_time(lambda: AWAITING in use.text, EDIT_SECONDS, what="the storyboard")
    return use


def card(use: Use) -> Seen:
    """The message, as it is now."""
    assert use.message is not None
    return use.message


def words(use: Use) -> str:
    """What the message says, without the backslashes that keep it from being markup."""
    return use.text.replace("\\", "")


def pressed(person: Person, seen: Seen, button: str) -> Use:
    """Press the button whose label begins so, and wait for the answer."""
    label = next((each for each in seen.labels if each.startswith(button)), button)
    return answered(person.press(seen, label))


def answered(use: Use) -> Use:
    """Wait for the answer."""
    until(lambda: use.acknowledged or use.failed, what="the answer")
    assert use.failed is None
    return use


def scene(home: House, use: Use, place: int) -> Use:
    """Open the panel of a film's scenes, and choose one by its place."""
    shown = pressed(home.ada, card(use), "Scenes")
    assert card(shown).ephemeral
    return chosen(home, shown, place)


def chosen(home: House, shown: Use, place: int) -> Use:
    """Choose a scene from the menu of the panel."""
    (menu,) = card(shown).menus
    return answered(home.ada.choose(card(shown), menu.custom_id, menu.options[place - 1][1]))


def written(home: House, page: Use, button: str, text: str) -> Use:
    """Press a button that asks for words, and give them; the panel as it is then."""
    form = pressed(home.ada, card(page), button)
    assert form.modal is not None
    return answered(home.ada.submit(form, {"description": text}))


def becomes_film(home: House, use: Use, says: str = MADE) -> Seen:
    """Wait until the message is the film and says so."""
    home.in_time(lambda: use.message and use.message.clip and says in use.text, EDIT_SECONDS, CARD_SECONDS, "the film")
    return card(use)


def state(home: House, use: Use) -> str:
    """Of the film that a command or a press ordered."""
    return str(home.job_of(use)["state"])
