"""The bare page that others are measured beside: one query and a template of 30 rows, on the same database."""

import os

from flask import Flask, render_template
from sqlalchemy import create_engine, text

ROWS = 30
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Workshops</title></head>
<body><h1>Workshops</h1><ul>
{% for row in rows %}
<li><a href="/workshops/{{ row.slug }}">{{ row.title }}</a> {{ row.starts_at }} {{ row.format }} {{ row.zone }}</li>
{% endfor %}
</ul></body></html>
"""
QUERY = text("SELECT slug, title, starts_at, format, zone FROM workshop ORDER BY starts_at DESC LIMIT :most")


def serve() -> Flask:
    app = Flask(__name__)
    template = app.jinja_env.from_string(PAGE)
    engine = create_engine(os.environ["DATABASE_URL"])

    @app.get("/")
    def page() -> str:
        with engine.connect() as connection:
            rows = connection.execute(QUERY, {"most": ROWS}).all()
        return render_template(template, rows=rows)

    return app
