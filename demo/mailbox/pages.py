"""The mailbox's pages and its JSON."""

import json
import re
from io import BytesIO
from typing import Any

from flask import Flask, Response, abort, jsonify, render_template, request, send_file

from demo.mailbox import invites, letter
from demo.mailbox.faults import FaultRefused, Faults
from demo.mailbox.store import Letter, Store

MOST_LISTED = 200
OWN_PAGES = (
    "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# A letter's links open in a tab of their own; its scripts, forms and anything it would fetch stay dead.
A_LETTER = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


def create_app(store: Store, faults: Faults) -> Flask:
    """The web side of the mailbox over `store`."""
    app = Flask(__name__, static_folder=None)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    _add_pages(app, store)
    _add_programs(app, store, faults)
    app.after_request(_guard)
    app.register_error_handler(404, _not_found)
    return app


def _add_pages(app: Flask, store: Store) -> None:
    @app.get("/")
    def letters() -> str:
        recipient = _recipient()
        found = store.newest_first(recipient)
        return render_template("letters.html", letters=found[:MOST_LISTED], count=len(found), recipient=recipient or "")

    @app.get("/letters/<letter_id>")
    def one_letter(letter_id: str) -> str:
        entry, content = _find(store, letter_id)
        reading = letter.read(content)
        cards = [card for part in reading.calendars for card in invites.read(part.content)]
        return render_template(
            "letter.html", entry=entry, reading=reading, cards=cards, size=len(content), kilobytes=_kilobytes
        )

    @app.get("/letters/<letter_id>/html")
    def html_part(letter_id: str) -> Response:
        part = letter.read(_find(store, letter_id)[1]).html
        if part is None:
            abort(404)
        response = Response(_links_in_new_tabs(part.text), content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = A_LETTER
        return response

    @app.get("/letters/<letter_id>/parts/<int:number>")
    def part_file(letter_id: str, number: int) -> Response:
        part = letter.read(_find(store, letter_id)[1]).part(number)
        if part is None:
            abort(404)
        return send_file(
            BytesIO(part.content),
            mimetype=part.type,
            as_attachment=True,
            download_name=part.name or f"part-{number}",
            max_age=0,
        )

    @app.get("/room/<workshop>/<int:session>")
    def room(workshop: str, session: int) -> str:
        return render_template("room.html", workshop=workshop, session=session)

    @app.get("/style.css")
    def style() -> Response:
        return Response(render_template("style.css"), mimetype="text/css")


def _add_programs(app: Flask, store: Store, faults: Faults) -> None:
    @app.get("/letters.json")
    def letters_json() -> Response:
        return jsonify([_as_json(entry) for entry in store.newest_first(_recipient())])

    @app.get("/letters/<letter_id>.eml")
    def letter_bytes(letter_id: str) -> Response:
        return Response(_find(store, letter_id)[1], content_type="message/rfc822")

    @app.delete("/letters")
    def no_letters() -> tuple[str, int]:
        store.clear()
        return "", 204

    @app.get("/_test/faults")
    def faults_now() -> Response:
        return jsonify(faults=faults.as_json())

    @app.post("/_test/faults")
    def new_faults() -> tuple[str | Response, int]:
        try:
            faults.replace(json.loads(request.get_data()))
        except (FaultRefused, ValueError) as error:
            return jsonify(error=str(error)), 400
        return "", 204


def _guard(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", OWN_PAGES)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def _not_found(_error: Exception) -> tuple[str, int]:
    return render_template("not_found.html"), 404


def _find(store: Store, letter_id: str) -> tuple[Letter, bytes]:
    found = store.get(letter_id)
    if found is None:
        abort(404)
    return found


def _links_in_new_tabs(html: str) -> str:
    base = '<base target="_blank">'
    changed, count = re.subn(r"<head\b[^>]*>", lambda head: head[0] + base, html, count=1, flags=re.IGNORECASE)
    return changed if count else html + base


def _recipient() -> str | None:
    """The address asked for; a plus that was not escaped in the query has become a space."""
    asked = request.args.get("to", "").strip().replace(" ", "+")
    return asked or None


def _as_json(entry: Letter) -> dict[str, Any]:
    return {
        "id": entry.id,
        "to": list(entry.to),
        "from": entry.sender,
        "subject": entry.subject,
        "at": entry.at,
    }


def _kilobytes(size: int) -> str:
    return f"{size} bytes" if size < 1024 else f"{size / 1024:,.1f} kB"
