"""The built-in film music: from words a mood, from the clips' lengths a tempo at which scenes change on beats, and from both an
arrangement that grows from scene to scene and ends with its film. Streamed bar by bar; its beats are known, not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from media import instruments as play
from media.mastering import Row
from media.reels import RATE, Samples
from media.scenery.hours import hour_of, place_of
from media.scenery.words import read

Chord = tuple[int, tuple[int, ...]]
"""Bass and voices in semitones above the root; neighbours share tones, so that hands would hardly move."""

_I, _IV, _V, _VI = (0, (4, 7, 11, 14)), (5, (4, 7, 9, 12)), (7, (2, 7, 9, 11)), (9, (4, 7, 9, 12))
_MIN_I, _MIN_III, _MIN_IV, _MIN_VI, _MIN_VII = (
    (0, (3, 7, 10, 14)),
    (3, (2, 7, 10, 12)),
    (5, (3, 5, 8, 12)),
    (8, (3, 7, 8, 12)),
    (10, (2, 5, 10, 12)),
)


@dataclass(frozen=True, slots=True)
class Mood:
    """What a mood plays. Tempo in beats a minute."""

    root: int
    slowest: float
    usual: float
    fastest: float
    rows: tuple[tuple[Chord, ...], ...]
    scale: tuple[int, ...]
    glass: float
    """Plucked strings (0) or bells (1)."""
    hard: float
    """Of the drums."""
    drums: float
    """How much of the drums plays: a space film floats."""


_MAJOR, _MINOR = (0, 2, 4, 7, 9), (0, 3, 5, 7, 10)
MOODS: Final[dict[str, Mood]] = {
    "warm": Mood(50, 74, 88, 104, ((_I, _V, _VI, _IV), (_VI, _IV, _I, _V)), _MAJOR, 0.1, 0.35, 1.0),
    "bell": Mood(53, 84, 100, 118, ((_I, _IV, _VI, _V), (_IV, _I, _V, _VI)), _MAJOR, 0.8, 0.3, 1.0),
    "night": Mood(
        45,
        70,
        82,
        98,
        ((_MIN_I, _MIN_VI, _MIN_III, _MIN_VII), (_MIN_I, _MIN_IV, _MIN_VI, _MIN_VII)),
        _MINOR,
        0.4,
        0.4,
        0.9,
    ),
    "synth": Mood(
        45,
        92,
        108,
        126,
        ((_MIN_I, _MIN_VI, _MIN_VII, _MIN_I), (_MIN_VI, _MIN_VII, _MIN_I, _MIN_III)),
        _MINOR,
        0.2,
        0.9,
        1.0,
    ),
    "space": Mood(
        43,
        62,
        74,
        90,
        ((_MIN_I, _MIN_VI, _MIN_IV, _MIN_VII), (_MIN_VI, _MIN_III, _MIN_I, _MIN_IV)),
        _MINOR,
        0.9,
        0.2,
        0.7,
    ),
}
_TAIL: Final = 8 * RATE
_ENDING: Final = 2.2
"""Seconds at least that the last chord rings."""
_MOTIFS: Final = ((0.0, 1.5, 2.0, 3.0), (0.0, 1.0, 1.5, 2.5), (0.5, 1.0, 2.0, 3.5), (0.0, 0.75, 1.5, 3.0))


def mood_of(words: str, seed: int) -> str:
    """Return the mood that the built-in generator would give such a clip; a seeded one where it understands no word."""
    reading = read(words)
    place = place_of(reading)
    random = np.random.default_rng([seed & 0xFFFFFFFF, 5])
    if not place and not reading.matches:
        return ("warm", "bell", "night", "synth")[int(random.integers(0, 4))]
    return hour_of(reading, place, random).mood


def fitting_tempo(mood: str, lengths: Sequence[float]) -> float:
    """Return the tempo at which scenes of ``lengths`` seconds lose least by ending on a beat, best of all on a whole bar."""
    kind = MOODS[mood]
    options = {kind.usual}
    for length in sorted(set(lengths))[:16]:
        options |= {60 * beats / length for beats in range(1, int(length * kind.fastest / 60) + 1)}
    within = [tempo for tempo in options if kind.slowest <= tempo <= kind.fastest]
    return min(within, key=lambda tempo: (_lost(tempo, lengths, kind), tempo))


def _lost(tempo: float, lengths: Sequence[float], kind: Mood) -> float:
    """What a tempo costs: seconds cut off, scenes that end within a bar, distance from the mood's own pace."""
    beat = 60 / tempo
    lost = 0.0
    for length in lengths:
        beats = int(length / beat + 0.03)
        lost += max(0.0, length - beats * beat) + (0.0 if beats % 4 == 0 else 0.06 if beats % 2 == 0 else 0.12)
    return lost / max(1, len(lengths)) + 0.5 * abs(float(np.log2(tempo / kind.usual)))


@dataclass(frozen=True, slots=True)
class _Bar:
    begins: int
    """The beat of the film with which it begins."""
    beats: int
    scene: int
    number: int
    of: int
    """Its place in its scene, and how many bars that has."""


class FilmScore:
    """The music of one film. ``cuts`` are its scenes' beginnings besides the first, in seconds, near beats."""

    def __init__(self, mood: str, seed: int, tempo: float, cuts: Sequence[float], seconds: float) -> None:
        """Plans every bar; plays nothing yet."""
        self.mood, self._seconds = MOODS[mood], seconds
        self._beat = 60 / tempo
        random = np.random.default_rng([seed & 0xFFFFFFFF, 9])
        self._root = self.mood.root + int(random.integers(-2, 3))
        self._row = self.mood.rows[int(random.integers(0, len(self.mood.rows)))]
        self._motif = _MOTIFS[int(random.integers(0, len(_MOTIFS)))]
        self._steps = [int(step) for step in random.integers(0, 5, size=8)]
        marks = sorted({0, *(round(cut / self._beat) for cut in cuts)})
        self._scenes = len(marks)
        self._last = self._final_beat(marks)
        self._bars = self._planned(marks)

    @property
    def seconds(self) -> float:
        """As long as its film."""
        return self._seconds

    @property
    def repeats(self) -> bool:
        """It is written for the whole film."""
        return True

    def play(self, samples: int) -> Iterator[Samples]:
        """Yield the music bar by bar, as many samples as are asked for."""
        dry, send = (np.zeros((2, _TAIL + 12 * RATE), np.float32) for _ in range(2))
        wet = np.zeros((2, _TAIL + 12 * RATE), np.float32)
        sent = 0
        for place, bar in enumerate(self._bars):
            self._score(bar, place, dry, send)
            ends = self._sample(bar.begins + bar.beats) if place + 1 < len(self._bars) else samples
            while sent < min(ends, samples):
                size = min(ends - sent, samples - sent, 5 * RATE)
                _answer(send[:, :size], wet)
                yield dry[:, :size] + np.float32(0.30) * wet[:, :size]
                for buffer in (dry, send, wet):
                    _shift(buffer, size)
                sent += size

    def _sample(self, beat: float) -> int:
        return round(beat * self._beat * RATE)

    def _final_beat(self, marks: Sequence[int]) -> int:
        """The downbeat of the last chord: the last of its scene that leaves it time to ring."""
        latest = int((self.seconds - _ENDING) / self._beat)
        begins = marks[-1]
        return begins + max(0, latest - begins) // 4 * 4 if latest > begins else max(1, latest)

    def _planned(self, marks: Sequence[int]) -> list[_Bar]:
        bars: list[_Bar] = []
        for scene, begins in enumerate(marks):
            ends = marks[scene + 1] if scene + 1 < len(marks) else self._last
            sizes = [4] * max(0, (ends - begins) // 4)
            rest = (ends - begins) % 4
            if rest:
                sizes = [*sizes, rest] if rest > 1 or not sizes else [*sizes[:-1], 5]
            at = begins
            for number, size in enumerate(sizes):
                bars.append(_Bar(at, size, scene, number, len(sizes)))
                at += size
        return [*bars, _Bar(self._last, 4, self._scenes - 1, -1, 1)]

    def _level(self, bar: _Bar) -> float:
        """How full it sounds, from 0 to 1: it grows from scene to scene, breathes once in a long film, and is fullest before the end."""
        part = (bar.scene + 0.6 * bar.number / max(1, bar.of)) / max(1.0, self._scenes - 0.4)
        level = 0.30 + 0.70 * part**0.85
        if self._scenes >= 7 and 0.52 < part < 0.66:
            level *= 0.55
        return float(min(1.0, level))

    def _chord(self, place: int) -> Chord:
        return self._row[place % len(self._row)]

    def _score(self, bar: _Bar, place: int, dry: Samples, send: Samples) -> None:
        """Play one bar into the buffers, which begin with it."""
        if bar.number < 0:
            self._finish(dry, send)
            return
        level = self._level(bar)
        low, voices = self._chord(place)
        notes = tuple(self._root + 12 + voice for voice in voices)
        length = bar.beats * self._beat
        pad = play.pad(notes, length, 0.7, level, bar.begins * self._beat)
        drums = self.mood.drums if level >= 0.28 else 0.0
        kicks = self._kicks(bar, level)
        _pump(pad, [self._sample(beat) for beat in kicks], 0.30 * level * drums)
        _add(dry, pad, 0)
        _add(send, pad, 0, 0.8)
        if bar.number == 0 and bar.scene:
            _add(dry, play.impact(), 0, 0.55 + 0.25 * level)
        self._bass(bar, level, self._root - 12 + (low if low <= 7 else low - 12), dry)
        self._drums(bar, level, kicks, dry, send)
        self._plucks(bar, level, place, notes, dry, send)
        if level >= 0.62:
            self._melody(bar, level, place, voices, dry, send)
        if bar.number == bar.of - 1 and place + 2 < len(self._bars):
            rising = min(2.0, bar.beats) * self._beat
            _add(dry, play.swell(rising), self._sample(bar.beats) - round(rising * RATE), 0.4 + 0.6 * level)

    def _kicks(self, bar: _Bar, level: float) -> list[float]:
        if level < 0.42:
            return [beat for beat in range(bar.beats) if beat % 2 == 0]
        beats: list[float] = list(range(bar.beats))
        if level >= 0.75 and bar.number % 2 and bar.beats == 4:
            beats.append(3.5)
        return beats

    def _bass(self, bar: _Bar, level: float, note: int, dry: Samples) -> None:
        steps = (
            [0.0, 2.0]
            if level < 0.5
            else [0.0, 1.5, 2.0, 3.5]
            if self.mood.hard < 0.6
            else [half / 2 for half in range(8)]
        )
        for number, step in enumerate(steps):
            if step < bar.beats:
                until = steps[number + 1] if number + 1 < len(steps) else float(bar.beats)
                held = max(0.25, min(until, bar.beats) - step) * self._beat * 0.92
                octave = 12 if self.mood.hard >= 0.6 and number % 2 else 0
                _add(dry, play.bass(note + octave, held, self.mood.hard * 0.7), self._sample(step), 0.55 + 0.3 * level)

    def _drums(self, bar: _Bar, level: float, kicks: list[float], dry: Samples, send: Samples) -> None:
        share = self.mood.drums
        for beat in kicks:
            strong = 1.0 if beat == 0 else 0.86
            _add(dry, play.kick(self.mood.hard), self._sample(beat), (0.42 + 0.33 * level) * strong * share)
        for half in range(bar.beats * 2):
            if half % 2 == 1 and level >= 0.34:
                _add(dry, play.hat(half % 4), self._sample(half / 2), (0.45 + 0.4 * level) * share)
            if half % 2 == 0 and level >= 0.5:
                _add(dry, play.hat(half % 4 + 4), self._sample(half / 2), 0.28 * share)
        if level >= 0.68:
            for quarter in range(1, bar.beats * 4, 2):
                _add(dry, play.hat(8 + quarter % 4), self._sample(quarter / 4), 0.17 * share)
        if level >= 0.55 and self.mood.drums > 0.75:
            for beat in range(1, bar.beats, 2):
                _add(dry, play.clap(1 - self.mood.hard), self._sample(beat), 0.45 + 0.2 * level)
                _add(send, play.clap(1 - self.mood.hard), self._sample(beat), 0.3)
            if bar.number == bar.of - 1 and bar.beats >= 2:
                for quarter in range(4):
                    _add(
                        dry,
                        play.clap(1 - self.mood.hard),
                        self._sample(bar.beats - 1 + quarter / 4),
                        0.16 + 0.09 * quarter,
                    )

    def _plucks(
        self, bar: _Bar, level: float, place: int, notes: tuple[float, ...], dry: Samples, send: Samples
    ) -> None:
        """A figure over the chord in eighths, the same shape every bar, so that it is remembered."""
        shape = (0, 2, 1, 3, 2, 1, 3, 2) if place % 2 == 0 else (3, 1, 2, 0, 1, 2, 3, 1)
        every = 1 if level >= 0.38 else 2
        for step in range(0, bar.beats * 2, every):
            note = notes[shape[step % 8] % len(notes)] + (12 if step % 8 in (3, 6) and level > 0.5 else 0)
            loud = (0.85 if step % 4 == 0 else 0.55) * (0.62 + 0.3 * level)
            voice = play.panned(play.pluck(note + 12, self.mood.glass), 0.5 + 0.34 * float(np.sin(step * 1.9 + place)))
            _add(dry, voice, self._sample(step / 2), loud)
            _add(send, voice, self._sample(step / 2), 0.75 * loud)

    def _melody(
        self, bar: _Bar, level: float, place: int, voices: tuple[int, ...], dry: Samples, send: Samples
    ) -> None:
        """Two bars of question and answer over the scale; strong moments take a tone of the chord."""
        moments = [step for step in self._motif if step < bar.beats]
        for number, step in enumerate(moments):
            until = moments[number + 1] if number + 1 < len(moments) else float(bar.beats)
            if step in (0.0, 2.0):
                tone = sorted(voices)[(self._steps[number] + place // 2) % len(voices)]
            else:
                tone = self.mood.scale[(self._steps[number + 4 * (place % 2)] + number) % len(self.mood.scale)] + 12
            note = self._root + 24 + tone % 12
            voice = play.panned(play.lead(note, (until - step) * self._beat * 0.9, self.mood.hard), 0.46)
            _add(dry, voice, self._sample(step), 0.5 + 0.35 * level)
            _add(send, voice, self._sample(step), 0.6)

    def _finish(self, dry: Samples, send: Samples) -> None:
        """The last chord: home, struck once, left to ring."""
        home = self._row[0] if self._row[0][0] == 0 else (_I if self.mood.scale is _MAJOR else _MIN_I)
        notes = tuple(self._root + 12 + voice for voice in (*home[1], 12))
        rings = min(5.0, max(_ENDING, self.seconds - self._last * self._beat))
        pad = play.pad(notes, rings - 0.8, 0.8, 0.6, 0.0)
        fall = np.exp(-np.arange(pad.shape[1], dtype=np.float32) / RATE * 0.3)
        _add(dry, pad * fall, 0, 1.1)
        _add(send, pad * fall, 0, 1.0)
        _add(dry, play.impact(), 0, 0.8)
        _add(dry, play.kick(self.mood.hard), 0, 0.7 * self.mood.drums)
        _add(dry, play.bass(self._root - 12, rings - 0.3, 0.2), 0, 0.8)
        for number, note in enumerate(notes):
            voice = play.panned(play.pluck(note + 12, self.mood.glass, 2.5), 0.3 + 0.1 * number)
            _add(dry, voice, round(0.035 * number * RATE), 0.8)
            _add(send, voice, round(0.035 * number * RATE), 0.9)


def beat_grid(tempo: float, seconds: float) -> Row:
    """Seconds of the beats of music with this tempo, from its first on."""
    return np.arange(0, int(seconds * tempo / 60) + 1, dtype=np.float64) * (60 / tempo)


def _add(buffer: Samples, sound: Samples, at: int, level: float = 1.0) -> None:
    """Mix ``sound`` in at sample ``at``; what would lie before or behind the buffer is left out."""
    skip = max(0, -at)
    size = min(sound.shape[1] - skip, buffer.shape[1] - max(0, at))
    if size > 0:
        first = max(0, at)
        buffer[:, first : first + size] += sound[:, skip : skip + size] * np.float32(level)


def _pump(pad: Samples, kicks: Sequence[int], depth: float) -> None:
    """Let the pad step back where the drum strikes."""
    shape = 1 - depth * np.exp(-np.arange(RATE // 2, dtype=np.float32) / RATE * 9)
    for at in kicks:
        size = min(len(shape), pad.shape[1] - at)
        if size > 0:
            pad[:, at : at + size] *= shape[:size]


def _answer(send: Samples, wet: Samples) -> None:
    """Add the room's answer to ``send`` to what is still ringing."""
    spectrum, length = play.room()
    size = send.shape[1] + length
    heard = np.fft.irfft(np.fft.rfft(send, 1 << 19, axis=1) * spectrum, axis=1)[:, :size]
    wet[:, :size] += heard.astype(np.float32)


def _shift(buffer: Samples, size: int) -> None:
    buffer[:, :-size] = buffer[:, size:].copy()
    buffer[:, -size:] = 0
