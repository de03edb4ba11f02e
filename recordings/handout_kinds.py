"""What a handout is by its first bytes: papers and pictures that people open, and nothing that runs."""

import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from lib import web

MOST_BYTES = 64 * 1024 * 1024
MOST_NAMES = 2000
OFFICE = "application/vnd.openxmlformats-officedocument"
# What a zip may not hold: programs, scripts and files that open as such, here or on the machine of whoever unpacks it.
RUNS = frozenset({
    "7z", "apk", "app", "bat", "chm", "cmd", "com", "cpl", "dll", "dmg", "docm", "dotm", "exe", "hta", "htm", "html",
    "iso", "jar", "js", "jse", "lnk", "msi", "msix", "pif", "potm", "ppsm", "pptm", "ps1", "py", "rar", "reg", "scf",
    "scr", "sh", "svg", "url", "vbe", "vbs", "wsf", "xhtml", "xll", "xlsm", "xltm", "zip",
})  # fmt: skip


class HandoutRefused(web.Refusal):
    """A file that is no paper, picture or plain archive."""

    status = 422
    refusal = "handout_refused"
    title = "This file cannot be a handout"


@dataclass(frozen=True)
class Kind:
    """One kind of file: what people call it, and how it is sent."""

    name: str
    content_type: str
    words: str


KINDS = {
    each.name: each
    for each in (
        Kind("pdf", "application/pdf", "PDF"),
        Kind("png", "image/png", "Picture"),
        Kind("jpg", "image/jpeg", "Picture"),
        Kind("gif", "image/gif", "Picture"),
        Kind("webp", "image/webp", "Picture"),
        Kind("docx", f"{OFFICE}.wordprocessingml.document", "Word document"),
        Kind("pptx", f"{OFFICE}.presentationml.presentation", "Slides"),
        Kind("zip", "application/zip", "Zip archive"),
    )
}


def look(file: IO[bytes]) -> Kind:
    """The kind of a file. Names and types that were sent along prove nothing. Raises HandoutRefused."""
    size = file.seek(0, 2)
    if size > MOST_BYTES:
        raise HandoutRefused(
            f"A handout may have {MOST_BYTES // 1024 // 1024} MB and this one has more. Nothing was kept. Please make "
            "it smaller, or give it out in parts."
        )
    file.seek(0)
    head = file.read(16)
    for start, name in (
        (b"%PDF-", "pdf"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\xff\xd8\xff", "jpg"),
        (b"GIF87a", "gif"),
        (b"GIF89a", "gif"),
    ):
        if head.startswith(start):
            return KINDS[name]
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return KINDS["webp"]
    if head.startswith(b"PK\x03\x04"):
        return _packed(file)
    raise HandoutRefused(
        "We give out PDF, pictures (PNG, JPEG, GIF, WebP), Word documents (docx), slides (pptx) and zip archives of "
        "these. Please save it as one of them and upload it again."
    )


def _packed(file: IO[bytes]) -> Kind:
    """What a zip is. Its list of names is read, nothing in it is unpacked."""
    try:
        with zipfile.ZipFile(file) as packed:
            infos = packed.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeDecodeError) as problem:
        raise HandoutRefused(
            "It begins like a zip archive but is not whole. Nothing was kept. Please make it again and upload it once "
            "more."
        ) from problem
    names = [each.filename.lower() for each in infos]
    if len(names) > MOST_NAMES:
        raise HandoutRefused(f"This archive holds more than {MOST_NAMES} files. Please give it out in parts.")
    if any("vbaproject" in name for name in names):
        raise HandoutRefused("This document holds macros, which can run on people's machines. Please save it without.")
    if "[content_types].xml" in names:
        for folder, kind in (("word/", "docx"), ("ppt/", "pptx")):
            if any(name.startswith(folder) for name in names):
                return KINDS[kind]
        raise HandoutRefused("Of office documents we give out Word documents and slides. A PDF of it will do, too.")
    for info in infos:
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if path.suffix.lower().lstrip(".") in RUNS:
            raise HandoutRefused(
                f"The archive holds “{path.name[:80]}”, which can run on people's machines or hides what is in it. "
                "Please leave it out."
            )
        if path.is_absolute() or ".." in path.parts or info.flag_bits & 1:
            raise HandoutRefused("The archive is locked, or would unpack into other folders. Please make it again.")
    return KINDS["zip"]
