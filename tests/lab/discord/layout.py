"""Components: what a message may be built of, and how it looks afterwards (components/reference.mdx)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from tests.lab.discord.refusal import wrong
from tests.lab.discord.world import Attachment

Json = dict[str, Any]

ROW, BUTTON, SELECT, INPUT = 1, 2, 3, 4
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = 9, 10, 11, 12, 13, 14, 17
SELECTS: Final = frozenset({3, 5, 6, 7, 8})
LINK, PREMIUM = 5, 6
MOST, MOST_TEXT, MOST_ROWS = 40, 4000, 5
DEFAULTS: Final[dict[int, Json]] = {
    CONTAINER: {"accent_color": None, "spoiler": False},
    THUMBNAIL: {"description": None, "spoiler": False},
    FILE: {"spoiler": False, "name": None, "size": None},
    SEPARATOR: {"divider": True, "spacing": 1},
    **{kind: {"min_values": 1, "max_values": 1, "disabled": False} for kind in SELECTS},
}


def walk(components: Sequence[Json], path: str = "components") -> Iterator[tuple[str, Json]]:
    """Every component with its path, parents first."""
    for number, component in enumerate(components):
        here = f"{path}.{number}"
        yield here, component
        yield from walk(component.get("components") or (), f"{here}.components")
        if isinstance(component.get("accessory"), dict):
            yield f"{here}.accessory", component["accessory"]
            continue
        if isinstance(component.get("component"), dict):
            yield f"{here}.component", component["component"]


def shown(part: Any) -> Iterator[Json]:
    """Every media object in built components and embeds; ``attachment_id`` says which file of the message it shows."""
    if isinstance(part, list):
        for each in part:
            yield from shown(each)
    elif isinstance(part, dict):
        if "proxy_url" in part:
            yield part
        yield from shown(list(part.values()))


def check(components: Sequence[Json], *, v2: bool) -> None:
    """Everything about a message's components that the OpenAPI document lets pass. Raises 50035."""
    found = list(walk(components))
    if len(found) > MOST:
        raise wrong("components", f"a message has at most {MOST} components, these are {len(found)}", "TOO_MANY")
    if not v2:
        strange = next((path for path, each in found if each["type"] >= SECTION), None)
        if strange is not None:
            raise wrong(strange, "needs the flag IS_COMPONENTS_V2", "UNION_TYPE_CHOICES")
        if len(components) > MOST_ROWS:
            raise wrong("components", f"Must be {MOST_ROWS} or fewer in length.", "BASE_TYPE_BAD_LENGTH")
    texts = sum(len(each["content"]) for _, each in found if each["type"] == TEXT)
    if texts > MOST_TEXT:
        raise wrong("components", f"all texts together have at most {MOST_TEXT} characters", "BASE_TYPE_MAX_LENGTH")
    _check_names(found)
    for path, each in found:
        _check_one(path, each)


def _check_names(found: Sequence[tuple[str, Json]]) -> None:
    names = Counter(each["custom_id"] for _, each in found if each.get("custom_id"))
    numbers = Counter(each["id"] for _, each in found if each.get("id"))
    for path, each in found:
        if names[each.get("custom_id")] > 1:
            raise wrong(f"{path}.custom_id", "is there twice", "COMPONENT_CUSTOM_ID_DUPLICATED")
        if numbers[each.get("id")] > 1:
            raise wrong(f"{path}.id", "is there twice", "COMPONENT_ID_DUPLICATED")


def _check_one(path: str, each: Json) -> None:
    kind = each["type"]
    if kind == ROW:
        selects = sum(child["type"] in SELECTS for child in each["components"])
        if selects > 1 or (selects and len(each["components"]) > 1):
            raise wrong(f"{path}.components", "a select stands alone in its row", "COMPONENT_LAYOUT_WIDTH_EXCEEDED")
    elif kind == BUTTON:
        _check_button(path, each)
    elif kind in SELECTS:
        _check_select(path, each)


def _check_button(path: str, each: Json) -> None:
    style = each["style"]
    wanted = {LINK: "url", PREMIUM: "sku_id"}.get(style, "custom_id")
    for name in ("custom_id", "url", "sku_id"):
        if bool(each.get(name)) != (name == wanted):
            raise wrong(
                f"{path}.{name}", f"a button of style {style} has {wanted} and no other target", "BUTTON_COMPONENT"
            )
    if style != PREMIUM and not each.get("label") and not each.get("emoji"):
        raise wrong(path, "a button needs a label or an emoji", "BUTTON_COMPONENT_INVALID")
    if style == LINK and urlsplit(each["url"]).scheme not in {"http", "https", "discord"}:
        raise wrong(f"{path}.url", "is not a web address", "URL_TYPE_INVALID_SCHEME")


def _check_select(path: str, each: Json) -> None:
    least, most = each.get("min_values"), each.get("max_values")
    options = each.get("options") or []
    if (1 if least is None else least) > (most or 1) or (options and (most or 1) > len(options)):
        raise wrong(f"{path}.max_values", "does not fit min_values and the options", "SELECT_COMPONENT_VALUES")
    values = [option["value"] for option in options]
    if len(set(values)) < len(values):
        raise wrong(f"{path}.options", "two options have the same value", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED")


@dataclass(slots=True)
class Media:
    """Finds what an address in a component or an embed means among a message's files."""

    attachments: Sequence[Attachment]
    new_id: Callable[[], str]
    shown: set[str] = field(default_factory=set)
    """Ids of the attachments that were referred to."""

    def find(self, url: str) -> Attachment | None:
        """The uploaded file behind ``attachment://name`` or behind a link to it."""
        parts = urlsplit(url)
        if parts.scheme == "attachment":
            return next((each for each in self.attachments if each.filename == parts.netloc), None)
        return next((each for each in self.attachments if f"/{each.id}/" in parts.path), None)

    def unfurl(self, path: str, media: Json, *, uploads_only: bool = False) -> Json:
        """The media object of the answer. Raises 50035 for what cannot be shown."""
        url = media["url"]
        scheme = urlsplit(url).scheme
        own = self.find(url)
        if own is None and (scheme not in {"http", "https"} or not urlsplit(url).netloc or uploads_only):
            raise wrong(f"{path}.url", f"no such file: {url!r}", "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND")
        if own is None:
            said: Json = {"id": self.new_id(), "url": url, "proxy_url": url, "content_type": None}
            return said | {"width": None, "height": None}
        self.shown.add(own.id)
        return {
            "id": self.new_id(),
            "url": "",
            "proxy_url": "",
            "content_type": own.mime,
            "width": own.width,
            "height": own.height,
            "attachment_id": own.id,
        }


def build(components: Sequence[Json], media: Media) -> list[Json]:
    """The components as answers have them: numbered, defaults filled in, media looked up."""
    taken = {each["id"] for _, each in walk(components) if each.get("id")}
    numbers = (number for number in range(1, 10_000) if number not in taken)
    return [_built(f"components.{n}", each, media, numbers) for n, each in enumerate(components)]


def _built(path: str, each: Json, media: Media, numbers: Iterator[int]) -> Json:
    kind = each["type"]
    said = DEFAULTS.get(kind, {}) | {name: value for name, value in each.items() if value is not None}
    said["id"] = each.get("id") or next(numbers)
    if kind == CONTAINER:
        said["accent_color"] = each.get("accent_color")
    if "components" in each:
        said["components"] = [
            _built(f"{path}.components.{n}", child, media, numbers) for n, child in enumerate(each["components"])
        ]
    if "accessory" in each:
        said["accessory"] = _built(f"{path}.accessory", each["accessory"], media, numbers)
    if kind == THUMBNAIL:
        said["media"] = media.unfurl(f"{path}.media", each["media"])
    elif kind == FILE:
        said["file"] = media.unfurl(f"{path}.file", each["file"], uploads_only=True)
        own = media.find(each["file"]["url"])
        said |= {"name": own.filename, "size": own.size} if own is not None else {}
    elif kind == GALLERY:
        said["items"] = [
            {"description": item.get("description"), "spoiler": bool(item.get("spoiler"))}
            | {"media": media.unfurl(f"{path}.items.{n}.media", item["media"])}
            for n, item in enumerate(each["items"])
        ]
    return said
