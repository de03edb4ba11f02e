"""What every page has in common: addresses, headers, request ids, logs and the shape of a refusal."""

import logging
import secrets
import sys
import time
from typing import Any, ClassVar
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, current_app, g, jsonify, request

log = structlog.get_logger()


class Refusal(Exception):
    """A request we understand and will not do. Subclasses are nouns: WorkshopFull, CodeSpent, HoldLapsed.

    `title` says what happened, `message` what is safe and what to do next; `refusal` is the word for programs.
    """

    status: ClassVar[int] = 409
    refusal: ClassVar[str] = "refused"
    title: str = "This cannot be done"
    template: ClassVar[str] = "errors/refusal.html"

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


def wants_json() -> bool:
    """Whether the caller asked for JSON rather than a page."""
    accepted = request.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]


def refusal_json(refusal: str, message: str, status: int) -> Response:
    answer = jsonify({"refusal": refusal, "message": message})
    answer.status_code = status
    return answer


def url(endpoint: str, **values: Any) -> str:
    """A whole address under BASE_URL, never under the Host a request came with. Works in the worker too."""
    base = urlsplit(str(current_app.config["BASE_URL"]))
    adapter = current_app.url_map.bind(base.netloc, url_scheme=base.scheme)
    return f"{base.scheme}://{base.netloc}{adapter.build(endpoint, values)}"


def is_https(app: Flask) -> bool:
    return urlsplit(str(app.config["BASE_URL"])).scheme == "https"


def private(answer: Response) -> Response:
    """Mark a page that a link's holder alone may see: not stored, its address not passed on."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def forms_lead_to(answer: Response, *targets: str) -> None:
    """Let the forms of one page lead to `targets` as well, also through redirects."""
    answer.headers["Content-Security-Policy"] = _content_policy(current_app, *targets)


def init_app(app: Flask) -> None:
    """Give every answer its headers and every request its id and one line in the log."""
    policy = _content_policy(app)
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    }
    if is_https(app):
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    @app.before_request
    def begin() -> None:
        g.request_id = secrets.token_hex(8)
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def finish(answer: Response) -> Response:
        for name, value in headers.items():
            answer.headers.setdefault(name, value)
        answer.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        request_id = g.get("request_id", "")
        answer.headers["X-Request-Id"] = request_id
        # The route, never the path or the query: those hold people's tokens.
        log.info(
            "request",
            method=request.method,
            route=request.url_rule.rule if request.url_rule else None,
            status=answer.status_code,
            ms=round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
        )
        return answer


def configure_logs(level: str) -> None:
    """One JSON line per event on standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def _content_policy(app: Flask, *form_targets: str) -> str:
    # Browsers hold a form's target to form-action through its redirects, and ours leads on to the payment page.
    payment_page = "https://checkout.stripe.com"
    if app.config["STRIPE_API_BASE"] != "https://api.stripe.com":
        payment_page = str(app.config["STRIPE_API_BASE"])
    store = str(app.config["S3_ENDPOINT"]).rstrip("/") if app.config["MEDIA_DIRECT"] == "1" else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "font-src 'self'",
            f"media-src 'self' {store}".rstrip(),
            "connect-src 'self'",
            " ".join(("form-action 'self'", payment_page, *form_targets)),
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
