"""What ffmpeg is asked for which film, and what ffprobe's words mean: tables."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recordings import film_plan, probing
from recordings.film_plan import COPYING, ENCODING
from recordings.probing import Facts, NotAFilm

FILE = Path("/store/a")
ZOOM = Facts(
    container="mov,mp4,m4a,3gp,3g2,mj2", seconds=3600.0, bit_rate=600_000, picture="h264", width=1280, height=720,
    pixels="yuv420p", frames="25", sound="aac", sound_at=1, channels=1, alike="one",
)  # fmt: skip


def has(arguments: tuple[str, ...], *words: str) -> bool:
    """Whether the words stand next to each other in them."""
    return f" {' '.join(words)} " in f" {' '.join(arguments)} "


@pytest.mark.parametrize(
    ("change", "picture", "sound"),
    [
        ({}, "copy", "copy"),
        ({"container": "matroska,webm"}, "copy", "copy"),
        ({"pixels": "yuv420p10le"}, "libx264", "copy"),
        ({"picture": "hevc"}, "libx264", "copy"),
        ({"turned": True}, "libx264", "copy"),
        ({"container": "mpegts"}, "libx264", "copy"),
        ({"sound": "opus"}, "copy", "aac"),
        ({"channels": 6}, "copy", "aac"),
        ({"picture": "vp9", "sound": "opus"}, "libx264", "aac"),
        ({"sound": ""}, "copy", ""),
    ],
)
def test_what_browsers_play_is_copied_and_the_rest_made_again(change: dict[str, Any], picture: str, sound: str) -> None:
    step = film_plan.whole([(FILE, replace(ZOOM, **change))])
    assert has(step.arguments, "-c:v", picture)
    assert has(step.arguments, "-c:a", sound) if sound else not has(step.arguments, "-c:a")
    assert has(step.arguments, "-movflags", "+faststart")
    assert step.weight == (COPYING if picture == "copy" else ENCODING)


@pytest.mark.parametrize(
    ("parts", "is_copied"),
    [
        ([ZOOM, ZOOM], True),
        ([ZOOM, replace(ZOOM, seconds=5.0)], True),
        ([ZOOM, replace(ZOOM, alike="two")], False),
        ([replace(ZOOM, picture="hevc"), replace(ZOOM, picture="hevc")], False),
        ([replace(ZOOM, container="matroska,webm"), replace(ZOOM, container="matroska,webm")], False),
    ],
)
def test_parts_are_joined_by_copying_only_where_their_tracks_are_the_same(parts: list[Facts], is_copied: bool) -> None:
    step = film_plan.whole([(Path(f"/store/it's {n}"), each) for n, each in enumerate(parts)])
    assert has(step.arguments, "-c", "copy") == is_copied
    assert ("-filter_complex" in step.arguments) != is_copied
    assert step.texts == (
        (("parts.txt", "file 'file:/store/it'\\''s 0'\nfile 'file:/store/it'\\''s 1'\n"),) if is_copied else ()
    )


@pytest.mark.parametrize(
    ("bit_rate", "height", "is_heavy"),
    [(1_500_000, 720, False), (1_500_001, 720, True), (100, 721, True), (0, 0, False)],
)
def test_what_is_heavy(bit_rate: int, height: int, is_heavy: bool) -> None:
    assert film_plan.is_heavy(replace(ZOOM, bit_rate=bit_rate, height=height)) == is_heavy


def test_cuts_are_exact_and_never_copied() -> None:
    step = film_plan.cut(FILE, ZOOM, [(0, 60), (90, 3600)])
    assert "copy" not in step.arguments
    assert "trim=start=90:end=3600" in " ".join(step.arguments)
    assert (step.seconds, step.weight) == (3570, ENCODING)


@pytest.mark.parametrize(
    "step",
    [
        film_plan.whole([(FILE, ZOOM)]),
        film_plan.whole([(FILE, ZOOM), (FILE, ZOOM)]),
        film_plan.whole([(FILE, ZOOM), (FILE, replace(ZOOM, alike="two", sound=""))]),
        film_plan.whole([(FILE, replace(ZOOM, picture=""))]),
        film_plan.cut(FILE, ZOOM, [(0, 60)]),
        film_plan.small(FILE, ZOOM),
        film_plan.poster(FILE, ZOOM),
    ],
)
def test_no_file_is_opened_that_names_others_or_an_address(step: film_plan.Step) -> None:
    own = [n for n, word in enumerate(step.arguments) if word == "-i"]
    for at in own:
        read = step.arguments[max(at - 6, 0) : at]
        is_ours = has(read, "-f", "lavfi")
        assert is_ours or has(read, "-protocol_whitelist", "file,pipe"), read
        assert is_ours or "-format_whitelist" in read
    assert "hls" not in " ".join(step.arguments)


def said(*streams: dict[str, Any], name: str = "mov,mp4,m4a,3gp,3g2,mj2", duration: str = "10.5") -> dict[str, Any]:
    return {"streams": list(streams), "format": {"format_name": name, "duration": duration, "bit_rate": "1000"}}


PICTURE = {"index": 0, "codec_type": "video", "codec_name": "h264", "width": 64, "height": 36, "pix_fmt": "yuv420p"}
SOUND = {"index": 1, "codec_type": "audio", "codec_name": "aac", "channels": 2}
COVER = {**PICTURE, "codec_name": "mjpeg", "disposition": {"attached_pic": 1}}


@pytest.mark.parametrize(
    ("words", "picture", "sound", "remark"),
    [
        (said(PICTURE, SOUND), "h264", "aac", ""),
        (said(PICTURE), "h264", "", "This film has no sound."),
        (said(SOUND), "", "aac", "sound without a picture"),
        (said(COVER, SOUND), "", "aac", "sound without a picture"),
        (said(COVER, PICTURE, SOUND), "h264", "aac", ""),
        (said(PICTURE, SOUND, {**PICTURE, "index": 2, "codec_name": "hevc"}), "h264", "aac", ""),
    ],
)
def test_what_ffprobe_says(words: dict[str, Any], picture: str, sound: str, remark: str) -> None:
    found = probing.facts(words)
    assert (found.picture, found.sound, found.seconds, found.bit_rate) == (picture, sound, 10.5, 1000)
    assert remark in probing.remark(found)
    assert bool(remark) == bool(probing.remark(found))
    assert Facts(**found.told()) == found


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({}, "neither a picture nor sound"),
        (said({"codec_type": "subtitle"}), "neither a picture nor sound"),
        (said(SOUND, name="mp3"), "sound and no picture"),
        (said({**SOUND, "codec_name": "mp3"}), "sound and no picture"),
        (said(COVER), "neither a picture nor sound"),
        (said(PICTURE, duration="172801"), "longer than 48 hours"),
    ],
)
def test_what_is_no_film_is_told_in_a_sentence(words: dict[str, Any], why: str) -> None:
    with pytest.raises(NotAFilm, match=why):
        probing.facts(words)


@pytest.mark.parametrize(
    ("text", "frames"), [("25/1", "25/1"), ("30000/1001", "30000/1001"), ("60/1", "30"), ("0/0", "25"), ("", "25")]
)
def test_frames_a_second(text: str, frames: str) -> None:
    assert probing.facts(said({**PICTURE, "avg_frame_rate": text})).frames == frames


def test_a_film_that_does_not_say_how_long_it_is_is_one_all_the_same() -> None:
    assert probing.facts(said(PICTURE, name="matroska,webm", duration="N/A")).seconds == 0
