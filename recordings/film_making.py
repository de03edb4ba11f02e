"""Making a recording's films with ffmpeg, in a private folder and outside any transaction."""

import errno
import math
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from recordings import cutting, ffmpeg, film, film_plan, probing, storage
from recordings.film_plan import Step
from recordings.making import Made, Wanted
from recordings.probing import Facts

LOST = 0.02  # of a film's length may be lost at its end; more, and it was cut off on its way


class BrokenOff(Exception):
    """The film ends before it says it does."""


def make(wanted: Wanted, folder: Path, tell: Callable[[int], None]) -> Made:
    """Make what is wanted and move it into the store; `tell` hears how much is done, in per cent, about every second.

    Raises BrokenOff, ffmpeg.Failed, ffmpeg.NotInstalled, OSError, cutting.TimesBroken and what `tell` raises; nothing
    is in the store then.
    """
    with ExitStack() as held:
        work = Work(folder, tell)
        if wanted.whole:
            source = held.enter_context(storage.local(wanted.whole))
            facts = probing.facts(ffmpeg.look(source))
        else:
            parts = [(held.enter_context(storage.local(key)), found) for key, found in wanted.parts]
            work.expect(film_plan.whole(parts), *_after([found for _, found in parts], wanted))
            source = work.do(film_plan.whole(parts), film_plan.WHOLE)
            facts = probing.facts(ffmpeg.look(source))
            _refuse_broken(facts, sum(found.seconds for _, found in parts), all(found.seconds for _, found in parts))
        seconds = math.ceil(facts.seconds)
        stretches = cutting.kept(seconds, wanted.trim_from, wanted.trim_to, wanted.cuts)
        is_all = cutting.is_all(stretches, seconds)
        shown, about = source, facts
        if wanted.whole:
            work.expect(*_after([facts], wanted))
        if not is_all:
            shown = work.do(film_plan.cut(source, facts, stretches), film_plan.CUT)
            about = probing.facts(ffmpeg.look(shown))
        poster = work.do(film_plan.poster(shown, about), film_plan.POSTER)
        small = work.do(film_plan.small(shown, about), film_plan.SMALL) if film_plan.is_heavy(about) else None
        return _kept(wanted, source, shown, small, poster, seconds, about, [] if is_all else stretches)


class Work:
    """Steps done one after the other, and how much of all that is expected they are."""

    def __init__(self, folder: Path, tell: Callable[[int], None]) -> None:
        self.folder, self.tell = folder, tell
        self.done = self.expected = 0.0

    def expect(self, *steps: Step) -> None:
        self.expected = max(sum(each.share for each in steps), 1)

    def do(self, step: Step, name: str) -> Path:
        """Run one step; the file it made."""
        for file, text in step.texts:
            (self.folder / file).write_text(text, encoding="utf-8")

        def tell(seconds: int) -> None:
            part = min(seconds / max(step.seconds, 1), 1) * step.share
            self.tell(min(int(100 * (self.done + part) / self.expected), 99))

        ffmpeg.run(step.arguments, self.folder, limit=step.limit, tell=tell)
        self.done += step.share
        made = self.folder / name
        if not made.is_file() or not made.stat().st_size:
            raise ffmpeg.Failed(f"ffmpeg made no {name}")
        return made


def problem(error: Exception) -> str:
    """What the team is told: what happened, what is safe, what to do next. '' for what is nobody's to know."""
    if isinstance(error, BrokenOff):
        return str(error)
    if isinstance(error, ffmpeg.NotInstalled):
        return (
            "The program that prepares films, ffmpeg, is not installed on the server. Your film is safe and nothing "
            "else is changed. Please ask whoever runs the server to install ffmpeg, then try again."
        )
    if _has_no_room(error):
        return (
            "There is no room left on the server for the finished film. Your film is safe and nothing else is changed. "
            "Please ask whoever runs the server to make room, then try again."
        )
    if isinstance(error, ffmpeg.Failed | probing.NotAFilm):
        return (
            "The film could not be read to its end. What you sent is kept and nothing else is changed. Please try "
            "again; if it fails once more, export the film again as MP4 and upload it in its place."
        )
    if isinstance(error, cutting.TimesBroken):
        return f"{error} What you sent is kept and nothing else is changed. Please change the cuts on the review page."
    if isinstance(error, FileNotFoundError):
        return (
            "The film that you sent is not where it was kept. What is published goes on. Please upload it again; if "
            "this comes back, ask whoever runs the server."
        )
    return ""


def _has_no_room(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error, ffmpeg.Failed) and os.strerror(errno.ENOSPC) in str(error)


INTERRUPTED = (
    "The work on this film was interrupted several times, so it was stopped. Your film is safe and nothing else is "
    "changed. Please try again; if it stops once more, ask whoever runs the server, or upload a smaller film."
)


def _after(parts: list[Facts], wanted: Wanted) -> list[Step]:
    """The steps to be expected once the whole film is there, told from its parts: good enough to show progress."""
    seconds = math.ceil(sum(each.seconds for each in parts)) or 1
    stretches = cutting.kept(seconds, wanted.trim_from, wanted.trim_to, wanted.cuts)
    heavy = next((each for each in parts if film_plan.is_heavy(each)), None)
    steps = [film_plan.poster(Path("-"), parts[0])]
    if not cutting.is_all(stretches, seconds):
        steps.append(film_plan.cut(Path("-"), parts[0], stretches))
    if heavy:
        small = film_plan.small(Path("-"), heavy)
        steps.append(Step(small.arguments, cutting.length(stretches), small.weight))
    return steps


def _refuse_broken(facts: Facts, said: float, is_known: bool) -> None:
    if is_known and facts.seconds < said - max(2, said * LOST):
        raise BrokenOff(
            f"The film ends after {cutting.clock(int(facts.seconds))} though it says that it is "
            f"{cutting.clock(int(said))} long, so a piece of it was lost before it came here. Nothing else is changed. "
            "Please export it again and upload it in its place."
        )


def _kept(
    wanted: Wanted,
    source: Path,
    shown: Path,
    small: Path | None,
    poster: Path,
    seconds: int,
    about: Facts,
    stretches: list[cutting.Stretch],
) -> Made:
    size = shown.stat().st_size
    kept: list[str] = []

    def adopt(file: Path) -> str:
        kept.append(storage.adopt(file))
        return kept[-1]

    try:
        whole = wanted.whole or adopt(source)
        file = whole if shown == source else adopt(shown)
        return Made(
            whole=whole,
            whole_seconds=seconds,
            file=file,
            size=size,
            film=film.Film(
                film.WEBM if "webm" in about.container else film.MP4,
                math.ceil(about.seconds),
                adopt(small) if small else "",
                adopt(poster),
                tuple(cutting.chapters(wanted.marks, stretches)),
                tuple(stretches),
            ),
        )
    except BaseException:
        storage.forget(kept)
        raise
