"""The zone a visitor reads times in: asked for in the address, remembered in a cookie, or not known.

Looks at the request at the door, so that everything below takes a zone as a plain value. The cookie holds the name of
a zone and nothing else; pages that a link opens keep the zone of the person they belong to and do not ask here.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from urllib.parse import urlencode

from flask import Flask, Response, current_app, has_request_context, request
from markupsafe import Markup, escape

from lib import clock, web, zones

FIELD = "zone"
A_YEAR = timedelta(days=365)
CATALOGUE = "courses"
READ_IN_A_ZONE = (CATALOGUE, "visitors")


def zone() -> str | None:
    """The zone this page is to be read in; None when the visitor has not said."""
    if not has_request_context():
        return None
    for said in (_asked(), request.cookies.get(_cookie(current_app), "")):
        if zones.is_zone(said):
            return said
    return None


def remember(answer: Response, chosen: str) -> None:
    """Keep the choice for a year."""
    answer.set_cookie(
        _cookie(current_app), chosen, max_age=A_YEAR, secure=web.is_https(current_app), samesite="Lax", path="/"
    )


def chooser() -> Mapping[str, str | Markup] | None:
    """What the chooser in the head shows; None where choosing would change nothing or could not lead back."""
    if not has_request_context() or request.method != "GET" or request.blueprint not in READ_IN_A_ZONE:
        return None
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "open_to", None) != "anyone" or "token" in (request.view_args or {}) or "key" in request.args:
        return None
    chosen = zone()
    label = (
        f"{zones.city(chosen)}, {zones.label(clock.now().replace(minute=0, second=0, microsecond=0), chosen)}"
        if chosen
        else ""
    )
    return {"zone": chosen or "", "label": label, "options": _options(chosen or ""), "next": _here()}


def init_app(app: Flask) -> None:
    """Give templates the chooser, and remember a zone that a page of the catalogue was asked for."""
    app.jinja_env.globals.update(zone_chooser=chooser, visitor_zone=zone, renamed_zones=zones.RENAMED)

    @app.after_request
    def keep(answer: Response) -> Response:
        is_page = request.blueprint == CATALOGUE and answer.mimetype == "text/html" and answer.status_code == 200
        if is_page and FIELD in request.args and zones.is_zone(_asked()):
            remember(answer, _asked())
        return answer


def _asked() -> str:
    return request.args.get(FIELD, "") if request.blueprint == CATALOGUE else ""


def _cookie(app: Flask) -> str:
    return "__Host-zone" if web.is_https(app) else "zone"


def _here() -> str:
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != FIELD]
    return request.path + (f"?{urlencode(kept)}" if kept else "")


@lru_cache(maxsize=64)
def _options(chosen: str) -> Markup:
    """The options of the chooser. Built once for each zone: there are some four hundred."""
    regions = zones.regions()
    known = {name for _, names in regions for name in names}
    parts = [] if chosen else [Markup('<option value="">Choose a city</option>')]
    if chosen and chosen not in known:
        parts.append(_option(chosen, True))
    for region, names in regions:
        inside = Markup("").join(_option(name, name == chosen) for name in names)
        parts.append(Markup('<optgroup label="{}">{}</optgroup>').format(region, inside))
    return Markup("").join(parts)


def _option(name: str, is_chosen: bool) -> Markup:
    mark = Markup(" selected") if is_chosen else Markup("")
    return Markup('<option value="{}"{}>{}</option>').format(name, mark, escape(zones.city(name)))
