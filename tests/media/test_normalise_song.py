from __future__ import annotations

import asyncio
import random
from pathlib import Path

import av
import numpy as np
import pytest

from core.errors import CorruptMedia, OversizedMedia, UnsupportedMedia
from core.media import SONG_BYTES, SONG_SECONDS
from media.songs import song_sound
from media.tools import MediaTools
from tests.media.conftest import Shelf, names
from tests.media.drums import RATE, Sound, drums, heard, noise, write_song
from tests.media.hostile import claims_ten_hours, not_clips, photo

SECRET = "a secret title"


@pytest.fixture(scope="module")
def waltz() -> Sound:
    """Three four at 140."""
    return drums(140, 7, metre=3)[0]


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory, waltz: Sound) -> dict[str, Path]:
    """The same song as people have it, every file with a wrong name."""
    folder = tmp_path_factory.mktemp("songs")
    codecs = {"mp3": "libmp3lame", "m4a": "aac", "ogg": "libopus", "wav": "pcm_s16le", "flac": "flac"}
    return {
        kind: write_song(folder / f"{kind}.txt", waltz, codec, title=SECRET, comment=SECRET)
        for kind, codec in codecs.items()
    }


@pytest.mark.parametrize("kind", ["mp3", "m4a", "ogg", "wav", "flac"])
async def test_every_kind_is_told_by_its_bytes(
    tools: MediaTools, uploads: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    song = await tools.normalise_song(uploads[kind], tmp_path / "song.m4a")
    assert abs(song.seconds - 7) < 0.06
    assert song.tempo is not None
    assert abs(song.tempo - 140) <= 0.5
    written = (tmp_path / "song.m4a").read_bytes()
    assert song.bytes == len(written)
    assert written.index(b"moov") < written.index(b"mdat")
    assert SECRET.encode() not in written
    with av.open(str(tmp_path / "song.m4a")) as container:
        assert [stream.type for stream in container.streams] == ["audio"]
        assert (container.streams.audio[0].codec_context.name, container.streams.audio[0].rate) == ("aac", RATE)
        assert container.streams.audio[0].codec_context.layout.name == "stereo"


async def test_a_clip_gives_its_sound_and_a_song_its_cover_away(
    tools: MediaTools, shelf: Shelf, uploads: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "covered.mp3").write_bytes(_with_cover(uploads["mp3"].read_bytes()))
    song = await tools.normalise_song(tmp_path / "covered.mp3", tmp_path / "song.m4a")
    assert song.seconds == pytest.approx(7, abs=0.06)
    assert b"JFIF" not in (tmp_path / "song.m4a").read_bytes()
    song = await tools.normalise_song(shelf.blue, tmp_path / "tone.m4a")
    assert song.tempo is None
    assert song.seconds == pytest.approx(2, abs=0.06)
    with pytest.raises(UnsupportedMedia):
        await tools.normalise_song(shelf.silent, tmp_path / "none.m4a")


def _with_cover(mp3: bytes) -> bytes:
    """A picture in a new ID3 tag in front."""
    body = b"\x00image/jpeg\x00\x03\x00" + photo()
    frame = b"APIC" + len(body).to_bytes(4, "big") + b"\x00\x00" + body
    size = len(frame)
    return b"ID3\x03\x00\x00" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0)) + frame + mp3


async def test_strange_rates_and_layouts_become_ordinary(tools: MediaTools, tmp_path: Path, waltz: Sound) -> None:
    telephone = tmp_path / "telephone.wav"
    _wav(telephone, waltz[:1, ::6], 8_000)
    wide = tmp_path / "wide.wav"
    _wav(wide, np.repeat(np.repeat(waltz[:1], 6, axis=0), 2, axis=1), 96_000)
    for path in (telephone, wide):
        song = await tools.normalise_song(path, tmp_path / "song.m4a")
        assert song.seconds == pytest.approx(7, abs=0.06)
        assert song.tempo == pytest.approx(140, abs=0.5)


def _wav(path: Path, sound: Sound, rate: int, *, claimed: int | None = None) -> None:
    data = (np.clip(sound.T, -1, 1) * 32767).astype("<i2").tobytes()
    channels = sound.shape[0]
    head = b"fmt " + (16).to_bytes(4, "little") + (1).to_bytes(2, "little") + channels.to_bytes(2, "little")
    head += rate.to_bytes(4, "little") + (rate * channels * 2).to_bytes(4, "little")
    head += (channels * 2).to_bytes(2, "little") + (16).to_bytes(2, "little")
    size = len(data) if claimed is None else claimed
    path.write_bytes(
        b"RIFF" + (size + 36).to_bytes(4, "little") + b"WAVE" + head + b"data" + size.to_bytes(4, "little") + data
    )


async def test_a_header_that_claims_ten_hours_makes_no_hours(
    tools: MediaTools, uploads: dict[str, Path], tmp_path: Path, waltz: Sound
) -> None:
    (tmp_path / "long.m4a").write_bytes(claims_ten_hours(uploads["m4a"].read_bytes()))
    _wav(tmp_path / "long.wav", waltz, RATE, claimed=3_999_999_960)
    for name in ("long.m4a", "long.wav"):
        assert (await tools.normalise_song(tmp_path / name, tmp_path / "song.m4a")).seconds == pytest.approx(
            7, abs=0.06
        )


async def test_what_decodes_of_a_cut_file_is_kept_if_it_is_worth_it(
    tools: MediaTools, uploads: dict[str, Path], tmp_path: Path
) -> None:
    for kind in ("mp3", "ogg", "wav", "flac"):
        whole = uploads[kind].read_bytes()
        (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
        song = await tools.normalise_song(tmp_path / "cut", tmp_path / "song.m4a")
        assert 2 <= song.seconds <= 5
        (tmp_path / "stub").write_bytes(whole[: len(whole) // 8])
        with pytest.raises(CorruptMedia):
            await tools.normalise_song(tmp_path / "stub", tmp_path / "stub.m4a")
    assert not (tmp_path / "stub.m4a").exists()


async def test_silence_and_noise_are_songs_without_beats(tools: MediaTools, tmp_path: Path) -> None:
    for sound in (np.zeros((2, 5 * RATE), np.float32), noise(5)):
        song = await tools.normalise_song(write_song(tmp_path / "song.wav", sound), tmp_path / "song.m4a")
        assert (song.tempo, song.seconds) == (None, 5.0)


async def test_other_peoples_files_stay_shut(tools: MediaTools, tmp_path: Path) -> None:
    """Playlists above all, which a library would follow to any file."""
    canary = write_song(tmp_path / "canary.mp3", noise(3), "libmp3lame")
    for name, body in not_clips(canary).items():
        (tmp_path / "upload.mp3").write_bytes(body)
        with pytest.raises((UnsupportedMedia, CorruptMedia)):
            await tools.normalise_song(tmp_path / "upload.mp3", tmp_path / f"{name}.m4a")
    playlist = f"#EXTM3U\n#EXTINF:3,\nfile://{canary}\n#EXT-X-ENDLIST\n".encode()
    for magic in (
        b"ID3\x03\x00\x00\x00\x00\x00\x00",
        b"\xff\xfb\x90\x00",
        b"OggS",
        b"fLaC",
        b"RIFF\x00\x01\x00\x00WAVE",
    ):
        (tmp_path / "upload.mp3").write_bytes(magic + playlist * 40)
        with pytest.raises(CorruptMedia):
            await tools.normalise_song(tmp_path / "upload.mp3", tmp_path / "stolen.m4a")
    assert not [name for name in names(tmp_path) if name.endswith(".m4a")]


async def test_changed_bytes_give_a_song_or_a_plain_refusal(
    tools: MediaTools, uploads: dict[str, Path], tmp_path: Path
) -> None:
    chance = random.Random(6)

    async def upload(number: int) -> None:
        kind = list(uploads)[number % len(uploads)]
        body = bytearray(uploads[kind].read_bytes())
        for _ in range(chance.choice((3, 40, 400))):
            body[int(len(body) * chance.random() ** 3)] = chance.randrange(256)
        (tmp_path / f"{number}.bin").write_bytes(body)
        try:
            song = await tools.normalise_song(tmp_path / f"{number}.bin", tmp_path / f"{number}.m4a", deadline=20)
        except (UnsupportedMedia, CorruptMedia, OversizedMedia):
            assert not (tmp_path / f"{number}.m4a").exists()
        else:
            assert 2 <= song.seconds <= SONG_SECONDS

    await asyncio.gather(*(upload(number) for number in range(10)))


async def test_too_large_is_named(tools: MediaTools, tmp_path: Path, uploads: dict[str, Path]) -> None:
    with (tmp_path / "large.mp3").open("wb") as file:
        file.write(uploads["mp3"].read_bytes())
        file.truncate(SONG_BYTES + 1)
    with pytest.raises(OversizedMedia) as refused:
        await tools.normalise_song(tmp_path / "large.mp3", tmp_path / "song.m4a")
    assert refused.value.values == {"what": "bytes", "found": SONG_BYTES + 1, "most": SONG_BYTES}


def test_too_long_is_counted_to_the_end(uploads: dict[str, Path]) -> None:
    with pytest.raises(OversizedMedia) as long:
        list(song_sound(uploads["m4a"], most_seconds=3))
    assert (long.value.values["what"], long.value.values["most"]) == ("seconds", 3)
    assert long.value.values["found"] == pytest.approx(7, abs=0.2)


async def test_the_beats_stay_where_they_were(
    tools: MediaTools, uploads: dict[str, Path], tmp_path: Path, waltz: Sound
) -> None:
    """A delay of the encoder that nobody takes away again would put every cut beside its beat."""
    await tools.normalise_song(uploads["wav"], tmp_path / "song.m4a")
    after = heard(tmp_path / "song.m4a")[0]
    before = waltz[0]
    size = min(len(after), len(before))
    spectrum = np.fft.rfft(after[:size], 2 * size) * np.conj(np.fft.rfft(before[:size], 2 * size))
    shift = int(np.argmax(np.fft.irfft(spectrum)))
    assert min(shift, 2 * size - shift) <= 96
