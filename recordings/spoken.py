"""The captions of a recording as its film is shown: what was cut out of the film is cut out of its words."""

from recordings import captions, storage
from recordings.models import Recording


def text(recording: Recording, language: str) -> str:
    """WebVTT in the times of the film that is played. Raises KeyError without that language; OSError.

    Captions are kept in the times of the whole film, until its originals are removed (`cut`).
    """
    found = recording.captions[language]
    body = b"".join(storage.read(found["key"])).decode("utf-8")
    return body if found.get("cut") else captions.cut(body, recording.kept)
