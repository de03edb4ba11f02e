"""A policy as people write it: YAML or JSON in, YAML out. Pure.

Data that is sent in may come from anybody with a desk, so nothing in it may stand for more than is written: YAML's
references, with which a few lines become gigabytes, are refused.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from policies.rules import PolicyRefused

_ENDLESS = 10_000  # columns: a rule stays on its line


class _Reader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise PolicyRefused(["References (*name) are not understood here. Write it out where it is meant."])
        return super().compose_node(parent, index)


def read(text: str) -> Mapping[str, Any]:
    """The data somebody wrote. Raises PolicyRefused with a sentence that names the line."""
    try:
        found = yaml.load(text, _Reader)  # noqa: S506 - a SafeLoader that understands less
    except PolicyRefused:
        raise
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise PolicyRefused([f"This cannot be read as YAML or JSON{where}: {problem.problem}."]) from None
    except yaml.reader.ReaderError as problem:
        raise PolicyRefused([f"This cannot be read as YAML or JSON: {problem.reason}."]) from None
    except (ValueError, RecursionError):
        raise PolicyRefused(["This cannot be read as YAML or JSON."]) from None
    if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
        raise PolicyRefused(["A policy is a mapping with `rules`, as in the example."])
    return found


def write(data: Mapping[str, Any]) -> str:
    """Data as text for somebody to change, a rule and an example a line; the name has a field of its own."""
    lines = []
    for key, value in data.items():
        if key == "name":
            continue
        if key in ("rules", "examples") and value:
            lines += [f"{key}:", *(f"- {_one_line(each)}" for each in value)]
        else:
            lines.append(f"{key}: {_one_line(value)}")
    return "\n".join(lines) + "\n"


def _one_line(value: Any) -> str:
    written = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=_ENDLESS)
    return written.removesuffix("\n").removesuffix("\n...")
