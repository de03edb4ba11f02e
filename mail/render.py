"""From a letter's frozen values to its subject and the two forms of its body. No request, no database."""

import re
from functools import lru_cache

import css_inline
from flask import current_app
from jinja2 import Environment, StrictUndefined

from lib.forms import one_line
from mail.compose import Parts
from mail.models import Letter

_GAP = re.compile(r"\n{3,}")


def parts(letter: Letter) -> Parts:
    """Render templates/letters/<template>.html and .txt from `letter.values` and its address.

    Raises jinja2's TemplateError for a template or a value that is missing, KeyError for a missing subject.
    """
    letters = _environment()
    values = {"to_email": letter.to_email, "may_answer": letter.reply_to is not None, **letter.values}
    values["subject"] = one_line(str(letter.values["subject"]))
    text = letters.get_template(f"letters/{letter.template}.txt").render(values)
    html = letters.get_template(f"letters/{letter.template}.html").render(values)
    style = letters.get_template("letters/letter.css").render()
    return Parts(subject=values["subject"], text=_GAP.sub("\n\n", text), html=_inliner(style).inline(html))


def _environment() -> Environment:
    """The application's templates; a missing value is an error here, since nobody would see the gap it leaves."""
    app = current_app
    if "letters" not in app.extensions:
        app.extensions["letters"] = app.jinja_env.overlay(
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
    environment: Environment = app.extensions["letters"]
    return environment


@lru_cache(maxsize=4)
def _inliner(style: str) -> css_inline.CSSInliner:
    return css_inline.CSSInliner(extra_css=style, load_remote_stylesheets=False)
