"""The letters that arrived: one file each with the exact bytes, one line each in an index."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What the list shows of a letter; `to` are the envelope's recipients."""

    id: str
    to: tuple[str, ...]
    sender: str
    subject: str
    at: str

    def is_for(self, address: str) -> bool:
        return address.casefold() in (recipient.casefold() for recipient in self.to)


class Store:
    """Letters in `folder`, kept when the process ends."""

    def __init__(self, folder: Path) -> None:
        self._letters_folder = folder / "letters"
        self._index_file = folder / "index.jsonl"
        self._lock = Lock()
        self._letters_folder.mkdir(parents=True, exist_ok=True)
        self._letters = {letter.id: letter for letter in self._read_index()}

    def add(self, content: bytes, *, to: Sequence[str], sender: str, subject: str, at: str) -> Letter:
        """Keep a letter; it is on the disk, as far as this process can tell, when this returns."""
        letter = Letter(id=secrets.token_hex(8), to=tuple(to), sender=sender, subject=subject, at=at)
        self._file(letter.id).write_bytes(content)
        with self._lock:
            with self._index_file.open("a", encoding="utf-8") as index:
                index.write(json.dumps(asdict(letter)) + "\n")
            self._letters[letter.id] = letter
        return letter

    def newest_first(self, recipient: str | None = None) -> list[Letter]:
        with self._lock:
            letters = list(reversed(self._letters.values()))
        return [letter for letter in letters if recipient is None or letter.is_for(recipient)]

    def get(self, letter_id: str) -> tuple[Letter, bytes] | None:
        """The letter and its bytes, or None when there is none of that id."""
        with self._lock:
            letter = self._letters.get(letter_id)
        if letter is None:
            return None
        try:
            return letter, self._file(letter.id).read_bytes()
        except FileNotFoundError:
            return None

    def clear(self) -> None:
        with self._lock:
            gone = list(self._letters)
            self._letters.clear()
            self._index_file.unlink(missing_ok=True)
        for letter_id in gone:
            self._file(letter_id).unlink(missing_ok=True)

    def _file(self, letter_id: str) -> Path:
        return self._letters_folder / f"{letter_id}.eml"

    def _read_index(self) -> list[Letter]:
        if not self._index_file.exists():
            return []
        text = self._index_file.read_text(encoding="utf-8")
        if text and not text.endswith("\n"):  # killed in the middle of the last line
            text = text[: text.rfind("\n") + 1]
            self._index_file.write_text(text, encoding="utf-8")
        entries = [json.loads(line) for line in text.splitlines()]
        return [Letter(**{**entry, "to": tuple(entry["to"])}) for entry in entries]
