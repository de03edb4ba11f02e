"""A browser for tests that inspects every page it gets, and fills in forms as a person would."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import html5lib
from flask.testing import FlaskClient
from html5lib.html5parser import ParseError
from werkzeug.test import TestResponse

LABELLED = ("input", "select", "textarea")
UNLABELLED_TYPES = ("hidden", "submit", "button", "reset", "image")
WITHIN_A_LINE = ("a", "abbr", "b", "bdi", "code", "em", "i", "mark", "small", "span", "strong", "sub", "sup", "time")
EXTERNAL = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
# A quote or a preview writes nothing and answers in place; so does a form that was asked for one more person.
ANSWERED_IN_PLACE = ("/quote", "/preview")


class PageClient(FlaskClient):
    """Raises AssertionError, with every fault it found, for a page no browser should get."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        faults = inspect(answer)
        assert not faults, f"{answer.request.method} {answer.request.path}: " + "; ".join(faults)
        return answer

    def submit(self, form: "Form", changes: Mapping[str, str | bool] | None = None, press: str = "") -> TestResponse:
        """Fill in `changes` and send what a browser would, pressing the button whose name or value is `press`."""
        form.fill(changes or {})
        data = form.sent(press)
        target = form.target(press)
        if form.method == "get":
            return self.get(target, query_string=data)
        return self.post(target, data=data)


@dataclass
class Field:
    """A control of a form. `value` is None when it would not be sent (an unticked box)."""

    name: str
    kind: str
    value: str | None
    choices: list[str] = field(default_factory=list)


@dataclass
class Button:
    """A way to send a form."""

    name: str
    value: str
    action: str


@dataclass
class Form:
    """A form as it stands on a page."""

    action: str
    method: str
    fields: list[Field]
    buttons: list[Button]

    @property
    def names(self) -> list[str]:
        """The names of its fields, each once, in their order; the token's is left out."""
        return list(dict.fromkeys(each.name for each in self.fields if each.name != "csrf_token"))

    @property
    def values(self) -> dict[str, str]:
        """What would be sent without pressing a named button."""
        return {each.name: each.value for each in self.fields if each.value is not None}

    def fill(self, changes: Mapping[str, str | bool]) -> None:
        """Type, choose, tick (True) or untick (False). Raises AssertionError for what the page does not offer."""
        for name, value in changes.items():
            found = [each for each in self.fields if each.name == name]
            assert found, f"the form has no field {name!r}, only {self.names}"
            if found[0].kind == "radio":
                assert value in [each.choices[0] for each in found], f"{name!r} offers no {value!r}"
                for each in found:
                    each.value = each.choices[0] if each.choices[0] == value else None
            elif found[0].kind == "checkbox":
                offered = found if isinstance(value, bool) else [e for e in found if e.choices[0] == value]
                assert offered, f"{name!r} offers no {value!r}"
                offered[0].value = offered[0].choices[0] if value else None
            else:
                assert isinstance(value, str), f"{name!r} takes text"
                if found[0].kind == "select":
                    assert value in found[0].choices, f"{name!r} offers no {value!r}, only {found[0].choices}"
                found[0].value = value

    def sent(self, press: str = "") -> dict[str, list[str]]:
        """What a browser sends."""
        data: dict[str, list[str]] = {}
        for each in self.fields:
            if each.value is not None:
                data.setdefault(each.name, []).append(each.value)
        if press and (button := self._button(press)).name:
            data.setdefault(button.name, []).append(button.value)
        return data

    def target(self, press: str = "") -> str:
        return (self._button(press).action if press else "") or self.action

    def _button(self, press: str) -> Button:
        found = [each for each in self.buttons if press in (each.name, each.value)]
        assert found, f"the form has no button {press!r}, only {self.buttons}"
        return found[0]


def form(answer: TestResponse, action_contains: str = "") -> Form:
    """The one form of a page whose action is the text, or else contains it. Raises AssertionError when there is none,
    or more.

    The zone chooser, which stands in the head of every page, is found only by its name.
    """
    root = tree(answer.get_data(as_text=True))
    everywhere = "" if action_contains else "/zone"
    labelled = [
        each
        for each in root.iter("form")
        if action_contains in each.get("action", "") and each.get("action") != everywhere
    ]
    whole = [each for each in labelled if action_contains and each.get("action") == action_contains]
    found = whole or [each for each in labelled if action_contains or each.get("action")]
    actions = [each.get("action") for each in root.iter("form")]
    assert len(found) == 1, f"{len(found)} forms lead to {action_contains!r}; the page's lead to {actions}"
    return _read_form(root, found[0])


def tree(html: str) -> Element:
    """A page as elements without namespaces; faults in its grammar are left to `inspect`."""
    root = html5lib.HTMLParser(namespaceHTMLElements=False).parse(html)
    assert isinstance(root, Element)
    return root


def words(element: Element | None) -> str:
    """An element's text as it is read: white space as single blanks, blocks apart."""
    return " ".join("".join(_pieces(element)).split()) if element is not None else ""


def _pieces(element: Element) -> Iterator[str]:
    if element.tag in ("script", "style", "template") or not isinstance(element.tag, str):
        return
    gap = "" if element.tag in WITHIN_A_LINE else " "
    yield gap + (element.text or "")
    for part in element:
        yield from _pieces(part)
        yield part.tail or ""
    yield gap


def main_text(answer: TestResponse) -> str:
    """The text of a page's main part, or of all of it."""
    root = tree(answer.get_data(as_text=True))
    return words(next(root.iter("main"), root))


def inspect(answer: TestResponse) -> list[str]:
    """The faults of an answer; none when it is no page."""
    is_page = answer.mimetype == "text/html" and answer.status_code != 204 and answer.request.method != "HEAD"
    if not is_page or 300 <= answer.status_code < 400:
        return _after_post(answer) if is_page else []
    return _after_post(answer) + inspect_page(answer.get_data(as_text=True))


def inspect_page(html: str) -> list[str]:
    """What is wrong with a page, a sentence each."""
    strict = html5lib.HTMLParser(namespaceHTMLElements=False, strict=True)
    try:
        strict.parse(html)
    except ParseError as fault:
        return [f"the HTML is not well formed: {fault}"]
    root = tree(html)
    checks = (_heading, _ids, _labels, _forms, _inline, _resources, _names)
    return [fault for check in checks for fault in check(root)]


def _after_post(answer: TestResponse) -> list[str]:
    in_place = answer.request.path.endswith(ANSWERED_IN_PLACE)
    if answer.request.method != "POST" or answer.status_code >= 400 or in_place:
        return []
    return [] if answer.status_code == 303 else [f"a POST is answered by {answer.status_code} instead of 303"]


def _heading(root: Element) -> Iterator[str]:
    if not root.get("lang"):
        yield "the page does not say its language"
    headings = [each for each in root.iter() if re.fullmatch(r"h[1-6]", str(each.tag))]
    first = [each for each in headings if each.tag == "h1"]
    if len(first) != 1:
        yield f"{len(first)} h1 instead of one"
        return
    title = words(root.find("head/title"))
    if not title.startswith(words(first[0])):
        yield f"the title {title!r} does not begin with the h1 {words(first[0])!r}"
    level = 0
    for each in headings:
        number = int(str(each.tag)[1])
        if level and number > level + 1:
            yield f"after h{level} comes {each.tag} {words(each)!r}"
        level = number


def _ids(root: Element) -> Iterator[str]:
    ids = [found for each in root.iter() if (found := each.get("id")) is not None]
    for twice in sorted({each for each in ids if ids.count(each) > 1}):
        yield f"the id {twice!r} is there {ids.count(twice)} times"
    for each in root.iter():
        for attribute in ("for", "aria-labelledby", "aria-describedby", "aria-controls", "list", "form"):
            for named in (each.get(attribute) or "").split():
                if named not in ids:
                    yield f"{attribute}={named!r} names nothing on the page"
        href = each.get("href") or ""
        if each.tag == "a" and href.startswith("#") and href[1:] not in (*ids, "", "top"):
            yield f"the link {href!r} leads nowhere on the page"


def _labels(root: Element) -> Iterator[str]:
    inside = {id(part) for label in root.iter("label") if words(label) for part in label.iter()}
    named = {label.get("for") for label in root.iter("label") if words(label)}
    for each in root.iter():
        if each.tag not in LABELLED or (each.tag == "input" and each.get("type", "text") in UNLABELLED_TYPES):
            continue
        spoken = each.get("aria-label") or each.get("aria-labelledby")
        if not (spoken or id(each) in inside or (each.get("id") and each.get("id") in named)):
            yield f"the {each.tag} {each.get('name')!r} has no label"


def _forms(root: Element) -> Iterator[str]:
    for each in root.iter("form"):
        action, method = each.get("action"), (each.get("method") or "").lower()
        if not action or method not in ("get", "post"):
            yield f"a form needs an action and a method, not {action!r} and {method!r}"
        tokens = [f for f in each.iter("input") if f.get("name") == "csrf_token" and f.get("value")]
        if method == "post" and action and not EXTERNAL.match(action) and len(tokens) != 1:
            yield f"the form to {action!r} has {len(tokens)} csrf_token fields instead of one"
        if method == "get" and tokens:
            yield f"the form to {action!r} would put its token into the address"
    parents = {id(part): form for form in root.iter("form") for part in form.iter()}
    for each in root.iter("button"):
        if id(each) not in parents and each.get("type") != "button" and not each.get("form"):
            yield f"the button {words(each)!r} belongs to no form"


def _inline(root: Element) -> Iterator[str]:
    for each in root.iter():
        is_data = each.tag == "script" and each.attrib == {"type": "application/ld+json"}
        if is_data and any(c in "".join(each.itertext()) for c in "<>&"):
            yield "markup in a block of data"
        if each.tag == "style" or (each.tag == "script" and not each.get("src") and not is_data):
            yield f"an inline {each.tag}"
        for attribute in each.attrib:
            if attribute == "style" or attribute.startswith("on"):
                yield f"an inline {attribute}= on {each.tag}"
        if any((each.get(a) or "").strip().lower().startswith("javascript:") for a in ("href", "src", "action")):
            yield f"a javascript: address on {each.tag}"


def _resources(root: Element) -> Iterator[str]:
    for each in root.iter():
        loaded = [each.get(name) for name in ("src", "srcset", "poster", "data") if each.get(name)]
        if each.tag == "link" and set((each.get("rel") or "").split()) - {"canonical", "alternate", "next", "prev"}:
            loaded.append(each.get("href"))
        for address in loaded:
            if address and EXTERNAL.match(address):
                yield f"{each.tag} loads {address} from elsewhere"
    for each in root.iter("img"):
        if each.get("alt") is None:
            yield f"the image {each.get('src')!r} has no alt"


def _names(root: Element) -> Iterator[str]:
    for each in root.iter():
        if each.tag not in ("a", "button") or (each.tag == "a" and each.get("href") is None):
            continue
        pictures = "".join(part.get("alt") or part.get("aria-label") or "" for part in each.iter() if part is not each)
        if not (words(each) or each.get("aria-label") or each.get("aria-labelledby") or pictures.strip()):
            yield f"a {each.tag} without words: {each.attrib}"
    if root.find(".//a[@target='_blank']") is not None:
        yield "a link opens a new window"


def _read_form(root: Element, element: Element) -> Form:
    found = list(element.iter())
    if element.get("id"):
        found += [each for each in root.iter() if each.get("form") == element.get("id")]
    fields = [read for each in found if (read := _read_field(each))]
    buttons = [
        Button(each.get("name", ""), each.get("value", ""), each.get("formaction", ""))
        for each in found
        if each.tag == "button" or (each.tag == "input" and each.get("type") == "submit")
    ]
    action = element.get("action", "")
    parts = urlsplit(action)
    local = action if parts.netloc not in ("", "localhost") else parts._replace(scheme="", netloc="").geturl()
    return Form(local, (element.get("method") or "get").lower(), fields, buttons)


def _read_field(each: Element) -> Field | None:
    name, kind = each.get("name"), each.get("type", "text")
    if not name or each.get("disabled") is not None:
        return None
    if each.tag == "textarea":
        return Field(name, "textarea", "".join(each.itertext()))
    if each.tag == "select":
        options = [(o.get("value", words(o)), o.get("selected") is not None) for o in each.iter("option")]
        chosen = next((value for value, is_chosen in options if is_chosen), options[0][0] if options else None)
        return Field(name, "select", chosen, [value for value, _ in options])
    if each.tag == "input" and kind in ("checkbox", "radio"):
        value = each.get("value", "on")
        return Field(name, kind, value if each.get("checked") is not None else None, [value])
    if each.tag == "input" and kind not in ("submit", "button", "reset", "image", "file"):
        return Field(name, kind, each.get("value", ""))
    return None
