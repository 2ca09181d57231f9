"""The prompt's first sentence in the picture: few words, soft shade under them, gone before the last frames."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from media.scenery.noise import smoothstep
from media.scenery.planes import BLACK, Canvas, codes, image_of
from media.scenery.world import World

_FONTS = (
    "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/noto/NotoSansArabic-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansHebrew-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansThai-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansDevanagari-Regular.ttf",
    "/usr/share/fonts/dejavu/DejaVuSans.ttf",
    "/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
    "C:/Windows/Fonts/arial.ttf",
)
"""After Pillow's own font: where systems keep wide ones. The first that has every glyph is taken."""

_LONGEST = 110
_LEAVES = 0.3
"""Seconds before the end at which the last trace is gone."""
_SHAPED = re.compile("[\u0590-\u08ff\u0900-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
"""Scripts that need a shaping engine: right-to-left, Indic, Thai, Khmer, Burmese."""

Font = ImageFont.FreeTypeFont


@cache
def _font(path: str, size: int) -> Font | None:
    if not path:
        font = ImageFont.load_default(size)
        return font if isinstance(font, ImageFont.FreeTypeFont) else None
    try:
        return ImageFont.truetype(path, size) if Path(path).is_file() else None
    except OSError:
        return None


def _ink(font: Font, text: str) -> bytes:
    mask = font.getmask(text, mode="L")
    return repr(mask.size).encode() + bytes(mask)


def has_glyphs(font: Font, text: str) -> bool:
    """Whether the font can draw every character (a missing one looks like a character that no font has)."""
    missing = {_ink(font, "\U0010fffe"), _ink(font, "\u0378")}
    for character in set(text):
        if character.isspace():
            continue
        if unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co", "Cs") or _ink(font, character) in missing:
            return False
    return True


def fitting_font(text: str, size: int) -> Font | None:
    """The first font that has all glyphs of ``text``, or None."""
    if _SHAPED.search(text) and not features.check("raqm"):
        return None
    for path in ("", *_FONTS):
        font = _font(path, size)
        if font is not None and has_glyphs(font, text):
            return font
    return None


def first_sentence(prompt: str) -> str:
    """What the caption says: the first sentence, one space between words, shortened at a word."""
    text = " ".join(unicodedata.normalize("NFC", prompt[:600]).split())
    text = re.split(r"(?<=[.!?…。！？])\s", text, maxsplit=1)[0].rstrip(" .,;:。")
    if len(text) > _LONGEST:
        cut = text[:_LONGEST]
        text = (cut[: cut.rfind(" ")] if " " in cut[40:] else cut).rstrip(" ,;:") + "…"
    return text


def _lines(font: Font, text: str, room: float) -> list[str]:
    """At most two lines of about equal length."""
    if font.getlength(text) <= room:
        return [text]
    pieces = text.split(" ") if " " in text else list(text)
    glue = " " if " " in text else ""
    best: list[str] | None = None
    for cut in range(1, len(pieces)):
        pair = [glue.join(pieces[:cut]), glue.join(pieces[cut:])]
        if max(font.getlength(line) for line in pair) <= room and (
            best is None or _spread(font, pair) < _spread(font, best)
        ):
            best = pair
    if best:
        return best
    lines, rest = [], pieces
    for number in range(2):
        line = rest[:]
        while line and font.getlength(glue.join(line) + ("…" if number or len(line) < len(rest) else "")) > room:
            line.pop()
        lines.append(glue.join(line))
        rest = rest[len(line) :]
        if not rest:
            return [one for one in lines if one]
    lines[1] = lines[1].rstrip(" ,;:") + "…"
    return [one for one in lines if one]


def _spread(font: Font, lines: list[str]) -> float:
    return abs(font.getlength(lines[0]) - font.getlength(lines[1]))


class Caption:
    """Words that rise one after the other beside a thin rule, over a soft dark gradient."""

    def __init__(self, world: World, text: str, font: Font) -> None:
        self.world = world
        unit = world.unit
        self.size = font.size
        left = int(world.width * 0.07)
        lines = _lines(font, text, world.width * 0.86 if world.width < world.height else world.width * 0.66)
        leading = int(font.size * 1.32)
        base = int(world.height * (0.905 if world.width > world.height else 0.90))
        top = base - leading * len(lines)
        self.words: list[tuple[Image.Image, Image.Image, int, int, float]] = []
        number = 0
        for row, line in enumerate(lines):
            cursor = 0.0
            whole = " " not in line or bool(_SHAPED.search(line))
            for word in [line] if whole else line.split(" "):
                mask = self._mask(font, word)
                self.words.append(
                    (
                        mask,
                        mask.reduce(2),
                        (left + int(cursor) - 8) & ~1,
                        (top + row * leading) & ~1,
                        0.55 + min(0.09 * number, 1.2),
                    )
                )
                cursor += font.getlength(word + " ")
                number += 1
        self.gradient = self._shade(world, top, max(font.getlength(line) for line in lines) + left)
        self.rule = (
            left - int(14 * unit),
            top + int(4 * unit),
            max(2, int(3 * unit)) & ~1 or 2,
            base - top - int(4 * unit),
        )
        self.ink = codes((1.0, 0.985, 0.95))
        self.warm = codes((1.0, 0.80, 0.50))
        self.end = world.seconds - _LEAVES

    @staticmethod
    def _mask(font: Font, word: str) -> Image.Image:
        box = font.getbbox(word)
        width, height = int(box[2]) + 18, int(font.size * 1.5)
        picture = Image.new("L", ((width + 1) & ~1, (height + 1) & ~1), 0)
        ImageDraw.Draw(picture).text((8, 2), word, font=font, fill=255)
        return picture

    @staticmethod
    def _shade(world: World, top: int, right: float) -> tuple[Image.Image, int]:
        """Darkness from the lower edge up, deepest behind the words."""
        unit = world.unit
        first = max(0, int(top - 150 * unit)) & ~1
        rows = world.height - first
        y = (np.arange(rows, dtype=np.float32)[:, None] + first - top) / (150 * unit) + 1
        x = np.arange(world.width, dtype=np.float32)[None, :]
        across = 1 - 0.55 * smoothstep(right * 0.6, right * 1.7 + 260 * unit, x)
        shade = smoothstep(0.0, 1.15, y) * across * 128
        return image_of(shade), first

    def strength(self, time: float) -> float:
        """Of the whole caption: in from 0.3 s, out just before the end."""
        return float(np.clip((time - 0.25) / 0.6, 0, 1) * np.clip((self.end - time) / 0.45, 0, 1))

    def draw(self, canvas: Canvas, time: float) -> None:
        """Write."""
        whole = self.strength(time)
        if whole <= 0:
            return
        shade, top = self.gradient
        dark = shade.point([round(level * whole) for level in range(256)])
        canvas.y.paste(BLACK, (0, top, shade.width, top + shade.height), dark)
        half = dark.reduce(2)
        for plane in (canvas.u, canvas.v):
            plane.paste(
                128, (0, top // 2, half.width, top // 2 + half.height), half.point([level // 2 for level in range(256)])
            )
        leaving = float(np.clip((self.end - time) / 0.45, 0, 1))
        grown = float(np.clip((time - 0.35) / 0.7, 0, 1))
        grown = 1 - (1 - grown) ** 3
        x, y, wide, tall = self.rule
        rows = int(tall * grown) & ~1
        if rows > 2:
            canvas.tint(self.warm, Image.new("L", (wide, rows), round(225 * leaving)), x, y)
        for mask, small, left, row, start in self.words:
            part = float(np.clip((time - start) / 0.45, 0, 1))
            if part <= 0:
                continue
            ease = 1 - (1 - part) ** 3
            fade = ease * leaving
            lift = (1 - ease) * 10 * self.world.unit
            self._word(canvas, mask, small, left, row + lift, fade)

    def _word(self, canvas: Canvas, mask: Image.Image, small: Image.Image, left: int, top: float, fade: float) -> None:
        whole = int(np.floor(top / 2)) * 2
        part = top - whole
        if part > 0.02:
            mask = mask.transform(mask.size, Image.Transform.AFFINE, (1, 0, 0, 0, 1, -part), Image.Resampling.BILINEAR)
            small = mask.reduce(2)
        if fade < 0.995:
            table = [round(level * fade) for level in range(256)]
            mask, small = mask.point(table), small.point(table)
        canvas.tint(self.ink, mask, left, whole, small)


def captioned(world: World, prompt: str) -> Caption | None:
    """The caption for a prompt, or None when there is nothing to say or no font to say it in."""
    text = first_sentence(prompt)
    if len(text) < 2 or not any(character.isalnum() for character in text):
        return None
    font = fitting_font(text, max(12, round(33 * world.unit)))
    return Caption(world, text, font) if font is not None else None
