"""Files stay short, importing them does nothing, and no float comes near money."""

import ast
from collections.abc import Iterator

import pytest

from tests.house import source
from tests.house.source import Sources

LONGEST = 400
COUNTED = (".py", ".html", ".css", ".js", ".sh", ".mako")
DEFINITIONS = (
    ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign,
)  # fmt: skip
DEEDS = {
    *("open", "read_text", "read_bytes", "connect", "create_engine", "create_all"),
    *("now", "machine_now", "getenv", "run"),
}
BESIDE_MONEY = ("lib/money.py", "bookings/pricing.py", "bookings/discounts.py", "bookings/settling.py")


def too_long(sources: Sources) -> Iterator[str]:
    for path, text in sources.items():
        lines = text.count("\n")
        if lines > LONGEST and path.split("/")[0] not in ("tests", "migrations"):
            yield f"{path} has {lines} lines"


def deeds_at_import(sources: Sources) -> Iterator[str]:
    for path, text in sources.items():
        body = ast.parse(text).body
        for number, node in enumerate(body):
            if number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                continue
            if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "__name__ == '__main__'"):
                continue
            if not isinstance(node, DEFINITIONS):
                yield f"{path}:{node.lineno} {ast.unparse(node)[:60]}"
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                done = [source.dotted(call.func).split(".")[-1] for call in source.calls(node)]
                yield from (f"{path}:{node.lineno} calls {name}()" for name in done if name in DEEDS)
                if "os.environ" in ast.unparse(node):
                    yield f"{path}:{node.lineno} reads the environment"


def floats(sources: Sources) -> Iterator[str]:
    for path, text in sources.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, float):
                yield f"{path}:{node.lineno} {node.value}"
            elif isinstance(node, ast.Call) and source.dotted(node.func) in ("float", "round"):
                yield f"{path}:{node.lineno} {source.dotted(node.func)}()"
            elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
                yield f"{path}:{node.lineno} divides with /"
            elif isinstance(node, ast.Name) and node.id == "float":
                yield f"{path}:{node.lineno} float"


def test_no_file_is_longer_than_a_sitting() -> None:
    sources = {path: text for suffix in COUNTED for path, text in source.read(suffix=suffix).items()}

    assert list(too_long(sources)) == []
    assert list(too_long({"lib/x.py": "x = 1\n" * 401}))
    assert not list(too_long({"lib/x.py": "x = 1\n" * 400, "tests/x.py": "x = 1\n" * 900}))


def test_importing_a_module_defines_and_does_nothing_else() -> None:
    assert list(deeds_at_import(source.application() | source.read(under=("demo",)))) == []


@pytest.mark.parametrize(
    "text",
    [
        "print(1)",
        "for x in y: pass",
        "if DEBUG:\n    x = 1",
        "try:\n    import x\nexcept ImportError:\n    x = None",
        "event.listen(a, b, c)",
        "with open('x') as f: pass",
        "TERMS = Path('terms').read_text()",
        "NOW = clock.now()",
        "KEY = os.environ['KEY']",
        "'doc'\n'stray'",
    ],
)
def test_a_deed_at_import_is_seen(text: str) -> None:
    assert list(deeds_at_import({"lib/x.py": text}))


def test_no_float_beside_money() -> None:
    sources = source.application()
    wanted = {p: t for p, t in sources.items() if p.startswith("payments/") or p in BESIDE_MONEY}

    assert set(BESIDE_MONEY) <= set(wanted)
    assert list(floats(wanted)) == []


@pytest.mark.parametrize("text", ["x = 0.2", "float(x)", "a / b", "a /= 2", "round(x, 2)", "def f(x: float): ..."])
def test_a_float_is_seen(text: str) -> None:
    assert list(floats({"lib/money.py": text}))
