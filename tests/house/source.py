"""The application's own files, read as text and as syntax."""

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    *("lib", "history", "mail", "accounts", "policies", "courses", "meetings", "payments", "bookings", "recordings"),
    *("certificates", "directory", "articles", "newsletter", "visitors", "organisers", "api"),
)
NOT_OURS = {".git", ".venv", "instance", "__pycache__", "node_modules", ".hypothesis"}

Sources = dict[str, str]  # a path from the root, and what the file says


@lru_cache(maxsize=1)
def files() -> tuple[str, ...]:
    """Every file of the checkout that is ours, by its path from the root."""
    return tuple(sorted(_below(ROOT)))


def _below(folder: Path) -> Iterator[str]:
    for each in folder.iterdir():
        if each.name in NOT_OURS or each.name.endswith("_cache"):
            continue
        if each.is_dir():
            yield from _below(each)
        else:
            yield each.relative_to(ROOT).as_posix()


def read(*, under: tuple[str, ...] = (), suffix: str = ".py") -> Sources:
    """The files with a suffix below some folders, or all of them."""
    wanted = [p for p in files() if p.endswith(suffix) and (not under or p.split("/")[0] in under)]
    return {path: (ROOT / path).read_text(encoding="utf-8") for path in wanted}


def application() -> Sources:
    """app.py and all rooms."""
    return read(under=("app.py", *ROOMS))


def room(path: str) -> str:
    return path.split("/")[0].removesuffix(".py")


def stem(path: str) -> str:
    return path.rsplit("/", 1)[-1].removesuffix(".py")


def is_door(path: str) -> bool:
    """Where requests, commands and jobs come in."""
    return "/" in path and (
        stem(path) in ("routes", "webhook", "cli", "jobs") or stem(path).endswith(("_routes", "_jobs"))
    )


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each imported module with its line: `from courses import places` is courses.places."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def dotted(node: ast.AST) -> str:
    """`db.session.execute` for that chain of names, with () where a call is gone through."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return f"{dotted(node.func)}()"
    return ""


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))
