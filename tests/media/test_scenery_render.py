"""The finished file: stream properties, sound level, progress, pictures, errors, the same bytes for the same request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.errors import CorruptMedia, UnsupportedMedia
from media.operations.render import run
from media.scenery.ambience import composed
from media.scenery.director import direct
from media.scenery.loudness import loudness, true_peak
from media.scenery.photo import PushIn, focus, opened, saliency
from media.scenery.planes import codes, converted
from media.scenery.shot import shot
from media.scenery.words import read


def request(output: Path, **changes: Any) -> dict[str, Any]:
    return {
        "prompt": "a boat at sunset", "negative_prompt": "", "image": None, "aspect": "16:9", "resolution": "720p", "seconds": 2, "seed": 5,
        "output": str(output), "caption": True, **changes,
    }  # fmt: skip


def test_one_real_clip(tmp_path: Path) -> None:
    reports: list[tuple[str, int, int]] = []
    first = tmp_path / "first.mp4"
    result = run(request(first), lambda *report: reports.append(report))
    assert result["bytes"] == first.stat().st_size
    assert (result["width"], result["height"], result["seconds"], result["frames"]) == (1280, 720, 2.0, 48)
    assert result["drawn"] == ["boat", "sunset"]
    assert result["not_drawn"] == []
    assert list(tmp_path.iterdir()) == [first]

    done = [done / total for _, done, total in reports]
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == 1
    assert done[-2] < 1
    assert len(done) > 48

    head = first.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")
    with av.open(str(first)) as film:
        video, audio = film.streams.video[0], film.streams.audio[0]
        context = video.codec_context
        assert (context.name, context.profile, context.pix_fmt) == ("h264", "High", "yuv420p")
        assert (context.width, context.height, float(video.average_rate or 0)) == (1280, 720, 24.0)
        assert (
            int(context.color_primaries),
            int(context.color_trc),
            int(context.colorspace),
            int(context.color_range),
        ) == (1, 1, 1, 1)
        assert (audio.codec_context.name, audio.codec_context.sample_rate, audio.codec_context.layout.name) == (
            "aac",
            48_000,
            "stereo",
        )
        assert set(film.metadata) <= {"major_brand", "minor_version", "compatible_brands", "comment"}
        assert sum(1 for _ in film.decode(video)) == 48

    second = tmp_path / "second.mp4"
    run(request(second), lambda *report: None)
    assert second.read_bytes() == head


def test_colours_arrive_as_painted(tmp_path: Path) -> None:
    """The file's own tags turn its frames back into what the scene painted."""
    output = tmp_path / "clip.mp4"
    painted = direct(read("a beach at noon"), "a beach at noon", 5, (1280, 720), 2.0, caption=False).frame(1.0).rgb()
    run(request(output, prompt="a beach at noon", caption=False), lambda *report: None)
    with av.open(str(output)) as film:
        seen = next(
            Image.fromarray(frame.to_ndarray(format="rgb24"))
            for index, frame in enumerate(film.decode(video=0))
            if index == 24
        )
    small = [np.asarray(one.resize((32, 18), Image.Resampling.BOX), dtype=np.float64) for one in (painted, seen)]
    assert np.abs(small[0] - small[1]).mean() < 3.0


@pytest.mark.parametrize(
    "prompt", ["a storm over the sea", "jazz", "neon city in the rain", "campfire in the forest at night"]
)
def test_sound_is_level_and_never_clips(prompt: str) -> None:
    one = direct(read(prompt), prompt, 1, (128, 72), 4.0)
    sound = composed(one.world, one.place, one.thunder)
    assert sound.shape == (2, 4 * 48_000)
    assert abs(loudness(sound) + 16) < 1.0
    assert true_peak(sound) < -1.0
    assert float(np.abs(sound[:, 0]).max()) < 1e-3
    assert float(np.abs(sound[:, -1]).max()) < 1e-3
    again = composed(one.world, one.place, one.thunder)
    assert np.array_equal(sound, again)


def test_the_meter_reads_a_known_tone() -> None:
    time = np.arange(48_000 * 4) / 48_000
    tone = np.stack([np.sin(2 * np.pi * 997 * time)] * 2).astype(np.float32) * 0.1
    assert loudness(tone) == pytest.approx(-20.0, abs=0.15)
    assert true_peak(tone) == pytest.approx(-20.0, abs=0.1)


def photograph(path: Path, size: tuple[int, int], at: tuple[float, float]) -> Path:
    """A dull ground with one bright disc."""
    picture = Image.new("RGB", size, (70, 84, 90))
    x, y, r = at[0] * size[0], at[1] * size[1], 0.12 * min(size)
    ImageDraw.Draw(picture).ellipse((x - r, y - r, x + r, y + r), fill=(230, 60, 40))
    picture.save(path)
    return path


@pytest.mark.parametrize("frame", [(320, 180), (180, 320)])
@pytest.mark.parametrize(
    "size,at",
    [((800, 600), (0.75, 0.4)), ((600, 900), (0.4, 0.25)), ((1200, 400), (0.2, 0.5)), ((48, 36), (0.6, 0.5))],
)
def test_the_subject_of_a_picture_stays_in_frame_and_grows(
    tmp_path: Path, frame: tuple[int, int], size: tuple[int, int], at: tuple[float, float]
) -> None:
    path = photograph(tmp_path / "p.png", size, at)
    one = shot(path, read(""), "", 1, frame, 4.0)

    def reds(time: float) -> tuple[int, bool]:
        rgb = np.asarray(one.push.canvas(time).rgb(), dtype=np.int32)
        mask = (rgb[..., 0] > 140) & (rgb[..., 1] < 110)
        inside = one.push.shot
        part = mask[inside.top : inside.top + inside.height, inside.left : inside.left + inside.width]
        touches = bool(part[0].any() or part[-1].any() or part[:, 0].any() or part[:, -1].any())
        return int(part.sum()), touches

    (first, cut_first), (last, cut_last) = reds(0.0), reds(4.0)
    assert first > 0
    assert not cut_first
    assert not cut_last
    assert last > 1.08 * first


def test_focus_finds_the_subject(tmp_path: Path) -> None:
    x, y = focus(saliency(opened(photograph(tmp_path / "p.png", (800, 600), (0.7, 0.35)))))
    assert abs(x - 0.7) < 0.08
    assert abs(y - 0.35) < 0.08


def test_words_lay_weather_over_a_picture(tmp_path: Path) -> None:
    path = photograph(tmp_path / "p.png", (640, 360), (0.5, 0.5))
    plain, snowy = (shot(path, read(text), text, 1, (320, 180), 2.0, caption=False) for text in ("", "snow on a mug"))
    assert snowy.drawn == ["snow"]
    assert isinstance(snowy.push, PushIn)
    first, second = (np.asarray(one.frame(1.0).y, dtype=np.float64) for one in (plain, snowy))
    assert np.abs(first - second).max() > 40


def test_bad_pictures_and_requests_are_typed_errors(tmp_path: Path) -> None:
    text = tmp_path / "p.png"
    text.write_text("not a picture")
    good = photograph(tmp_path / "good.png", (300, 200), (0.5, 0.5)).read_bytes()
    cut = tmp_path / "cut.png"
    cut.write_bytes(good[: len(good) // 2])
    output = tmp_path / "out.mp4"
    for path, kind in ((text, UnsupportedMedia), (tmp_path / "none.png", CorruptMedia), (cut, CorruptMedia)):
        with pytest.raises(kind):
            run(request(output, image=str(path)), lambda *report: None)
    for wrong in ({"aspect": "1:1"}, {"resolution": "4k"}, {"seconds": 1}, {"seconds": 13}, {"seconds": float("nan")}):
        with pytest.raises(UnsupportedMedia):
            run(request(output, **wrong), lambda *report: None)
    assert not output.exists()


@pytest.mark.parametrize(
    "rgb,expected",
    [
        ((1.0, 1.0, 1.0), (235, 128, 128)),
        ((0.0, 0.0, 0.0), (16, 128, 128)),
        ((1.0, 0.0, 0.0), (63, 102, 240)),
        ((0.0, 1.0, 0.0), (173, 42, 26)),
        ((0.0, 0.0, 1.0), (32, 240, 118)),
    ],
)
def test_colours_are_bt709_in_video_range(rgb: tuple[float, float, float], expected: tuple[int, int, int]) -> None:
    """The codes that ITU-R BT.709 gives for full colours at 8 bits, video range."""
    assert codes(rgb) == pytest.approx(expected, abs=1)
    field = np.empty((8, 8, 3), dtype=np.float32)
    field[:] = rgb
    planes = [float(one.mean()) for one in converted(field)]
    assert planes == pytest.approx(expected, abs=1)


def test_a_clip_without_sound_has_no_sound_track(tmp_path: Path) -> None:
    run(request(tmp_path / "silent.mp4", seconds=2, sound=False), lambda *_: None)
    with av.open(str(tmp_path / "silent.mp4")) as clip:
        assert not clip.streams.audio
        assert clip.streams.video[0].frames == 48
