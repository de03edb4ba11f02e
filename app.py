"""The application: settings, extensions, rooms, error pages and commands. Knows all rooms, decides nothing."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import click
from flask import Flask, Response, has_request_context, render_template, request
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError

from accounts import cli as accounts_cli
from accounts import login as accounts_login
from accounts import routes as accounts_routes
from bookings import adding_routes as bookings_adding_routes
from bookings import answering_routes as bookings_answering_routes
from bookings import bundle_routes as bookings_bundle_routes
from bookings import change_routes as bookings_change_routes
from bookings import cli as bookings_cli
from bookings import correcting_jobs as bookings_correcting_jobs
from bookings import correcting_routes as bookings_correcting_routes
from bookings import credit_routes as bookings_credit_routes
from bookings import invoice_jobs as bookings_invoice_jobs
from bookings import invoice_routes as bookings_invoice_routes
from bookings import jobs as bookings_jobs
from bookings import joining_routes as bookings_joining_routes
from bookings import payment_routes as bookings_payment_routes
from bookings import plan_jobs as bookings_plan_jobs
from bookings import plan_routes as bookings_plan_routes
from bookings import routes as bookings_routes
from bookings import same_card_jobs as bookings_same_card_jobs
from bookings import waiting_jobs as bookings_waiting_jobs
from bookings import waiting_routes as bookings_waiting_routes
from bookings import webhook as bookings_webhook
from courses import bundles_routes as courses_bundles_routes
from courses import routes as courses_routes
from courses import shelf, window, window_words
from lib import cli as lib_cli
from lib import clock, db, limits, money, references, settings, visitor, web, zones
from mail import jobs as mail_jobs
from meetings import webhook as meetings_webhook
from newsletter import jobs as newsletter_jobs
from newsletter import routes as newsletter_routes
from organisers import behalf_routes as organisers_behalf_routes
from organisers import bundles_routes as organisers_bundles_routes
from organisers import codes_routes as organisers_codes_routes
from organisers import dates_routes as organisers_dates_routes
from organisers import handout_routes as organisers_handout_routes
from organisers import invoices_routes as organisers_invoices_routes
from organisers import meeting_routes as organisers_meeting_routes
from organisers import money_routes as organisers_money_routes
from organisers import newsletter_routes as organisers_newsletter_routes
from organisers import papers_routes as organisers_papers_routes
from organisers import people_acts_routes as organisers_people_acts_routes
from organisers import people_routes as organisers_people_routes
from organisers import plans_routes as organisers_plans_routes
from organisers import policies_routes as organisers_policies_routes
from organisers import proofs_routes as organisers_proofs_routes
from organisers import recordings_routes as organisers_recordings_routes
from organisers import review_routes as organisers_review_routes
from organisers import routes as organisers_routes
from organisers import settings_routes as organisers_settings_routes
from organisers import stored_routes as organisers_stored_routes
from organisers import tickets_routes as organisers_tickets_routes
from organisers import upload_routes as organisers_upload_routes
from organisers import waiting_routes as organisers_waiting_routes
from organisers import watching_routes as organisers_watching_routes
from organisers import workshop_routes as organisers_workshop_routes
from organisers import zoom_routes as organisers_zoom_routes
from payments import jobs as payments_jobs
from policies import cli as policies_cli
from recordings import handout_routes as recordings_handout_routes
from recordings import jobs as recordings_jobs
from recordings import making_jobs as recordings_making_jobs
from recordings import note_routes as recordings_note_routes
from recordings import routes as recordings_routes
from recordings import stored_jobs as recordings_stored_jobs
from recordings import upload_jobs as recordings_upload_jobs
from recordings import window_jobs as recordings_window_jobs
from recordings import zoom_jobs as recordings_zoom_jobs
from visitors import components_routes as visitors_components_routes
from visitors import health as visitors_health
from visitors import jobs as visitors_jobs
from visitors import place_routes as visitors_place_routes
from visitors import routes as visitors_routes
from visitors import site_routes as visitors_site_routes

ROOMS = (
    accounts_routes.bp,
    courses_routes.bp,
    courses_bundles_routes.bp,
    bookings_routes.bp,
    bookings_bundle_routes.bp,
    bookings_joining_routes.bp,
    bookings_payment_routes.bp,
    bookings_invoice_routes.bp,
    bookings_waiting_routes.bp,
    bookings_change_routes.bp,
    bookings_adding_routes.bp,
    bookings_answering_routes.bp,
    bookings_correcting_routes.bp,
    bookings_correcting_routes.addresses,
    bookings_credit_routes.bp,
    bookings_plan_routes.bp,
    bookings_webhook.bp,
    meetings_webhook.bp,
    recordings_routes.bp,
    recordings_note_routes.bp,
    recordings_handout_routes.bp,
    newsletter_routes.bp,
    visitors_routes.bp,
    visitors_place_routes.bp,
    visitors_site_routes.bp,
    visitors_components_routes.bp,
    organisers_routes.bp,
    organisers_bundles_routes.bp,
    organisers_codes_routes.bp,
    organisers_newsletter_routes.bp,
    organisers_plans_routes.bp,
    organisers_policies_routes.bp,
    organisers_proofs_routes.bp,
    organisers_workshop_routes.bp,
    organisers_dates_routes.bp,
    organisers_tickets_routes.bp,
    organisers_meeting_routes.bp,
    organisers_recordings_routes.bp,
    organisers_review_routes.bp,
    organisers_handout_routes.bp,
    organisers_upload_routes.bp,
    organisers_watching_routes.bp,
    organisers_waiting_routes.bp,
    organisers_people_routes.bp,
    organisers_people_acts_routes.bp,
    organisers_money_routes.bp,
    organisers_invoices_routes.bp,
    organisers_behalf_routes.bp,
    organisers_papers_routes.bp,
    organisers_settings_routes.bp,
    organisers_zoom_routes.bp,
    organisers_stored_routes.bp,
    visitors_health.bp,
)
COMMANDS = (accounts_cli.group, policies_cli.group, bookings_cli.group, bookings_cli.payments_group)
HANDLERS = {
    **mail_jobs.HANDLERS,
    **payments_jobs.HANDLERS,
    **bookings_jobs.HANDLERS,
    **bookings_correcting_jobs.HANDLERS,
    **bookings_invoice_jobs.HANDLERS,
    **bookings_waiting_jobs.HANDLERS,
    **bookings_same_card_jobs.HANDLERS,
    **bookings_plan_jobs.HANDLERS,
    **visitors_jobs.HANDLERS,
    **recordings_jobs.HANDLERS,
    **recordings_zoom_jobs.HANDLERS,
    **recordings_stored_jobs.HANDLERS,
    **recordings_making_jobs.HANDLERS,
    **recordings_upload_jobs.HANDLERS,
    **recordings_window_jobs.HANDLERS,
    **newsletter_jobs.HANDLERS,
}
NIGHTLY = (*bookings_jobs.NIGHTLY, *recordings_upload_jobs.NIGHTLY, *recordings_making_jobs.NIGHTLY)
LONG = (
    *recordings_making_jobs.LONG,
    *recordings_upload_jobs.LONG,
    *recordings_zoom_jobs.LONG,
    *recordings_stored_jobs.LONG,
)
MINUTELY = recordings_window_jobs.MINUTELY

csrf = CSRFProtect()


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Build the application from the environment, `instance/settings.env` and `config`, which wins.

    Raises SettingsRefused for combinations that must not start, and when `flask run` lacks what serving needs.
    """
    app = Flask(__name__, instance_path=str(settings.instance_folder().resolve()))
    given = {**settings.read(), **(config or {})}
    if given.get("COLLOQUY_DEMO") != "1" and _command() == "run":
        settings.require(given, settings.SERVING, "Serving")
    app.config.from_mapping(settings.with_defaults(given))
    settings.check(app.config)
    app.config["GIVEN"] = frozenset(given)
    _configure(app)
    clock.follow(settings.instance_folder() / "clock" if app.config["COLLOQUY_DEMO"] == "1" else None)
    web.configure_logs(app.config["LOG_LEVEL"])
    db.init_app(app)
    Migrate(app, db.extension, directory=str(settings.ROOT / "migrations"), render_as_batch=True)
    web.init_app(app)
    visitor.init_app(app)
    csrf.init_app(app)
    limits.limiter.init_app(app)
    accounts_login.init_app(app)
    shelf.init_app(app)
    app.url_map.converters["reference"] = references.ReferenceConverter
    for room in ROOMS:
        app.register_blueprint(room)
    csrf.exempt(bookings_webhook.bp)
    csrf.exempt(meetings_webhook.bp)
    csrf.exempt(newsletter_routes.ONE_CLICK)
    for view in (
        *organisers_recordings_routes.TOKEN_CHECKED_INSIDE,
        *organisers_handout_routes.TOKEN_CHECKED_INSIDE,
        *organisers_settings_routes.TOKEN_CHECKED_INSIDE,
    ):
        csrf.exempt(view)
    for upload in organisers_upload_routes.ORIGIN_CHECKED_INSIDE:
        csrf.exempt(upload)
    for command in COMMANDS:
        app.cli.add_command(command)
    app.cli.add_command(lib_cli.work_command(HANDLERS, NIGHTLY, LONG, MINUTELY))
    app.extensions["handlers"] = HANDLERS
    _add_words(app)
    _add_error_pages(app)
    return app


def serve() -> Flask:
    """The application as a server loads it. Exits with one sentence when a secret that serving needs is missing."""
    given = settings.read()
    try:
        if given.get("COLLOQUY_DEMO") != "1":
            settings.require(given, settings.SERVING, "Serving")
        return create_app()
    except settings.SettingsRefused as refusal:
        raise SystemExit(f"Error: {refusal.message}") from None


def _command() -> str | None:
    context = click.get_current_context(silent=True)
    return context.info_name if context else None


def _configure(app: Flask) -> None:
    is_https = web.is_https(app)
    base_host = urlsplit(app.config["BASE_URL"]).hostname or "localhost"
    defaults = {
        "SQLALCHEMY_DATABASE_URI": app.config["DATABASE_URL"],
        "SQLALCHEMY_ENGINE_OPTIONS": {"pool_size": 10, "max_overflow": 20},
        "TRUSTED_HOSTS": [base_host, "localhost", "127.0.0.1"],
        "SESSION_COOKIE_NAME": "__Host-session" if is_https else "session",
        "SESSION_COOKIE_SECURE": is_https,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": timedelta(days=30),
        "WTF_CSRF_TIME_LIMIT": None,
        "MAX_CONTENT_LENGTH": 512 * 1024,
        "MAX_FORM_MEMORY_SIZE": 512 * 1024,
        "MAX_FORM_PARTS": 2000,
        "RATELIMIT_ENABLED": True,
        "RATELIMIT_STORAGE_URI": "memory://",
        "SEND_FILE_MAX_AGE_DEFAULT": timedelta(hours=1),
    }
    # Flask sets most of these names itself, to None or to more than we want: only what was given stands against ours.
    app.config.update({name: value for name, value in defaults.items() if name not in app.config["GIVEN"]})
    app.config["SQLALCHEMY_DATABASE_URI"] = app.config["DATABASE_URL"]
    app.config["SESSION_COOKIE_NAME"] = defaults["SESSION_COOKIE_NAME"]
    app.config["SESSION_COOKIE_SECURE"] = is_https
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _add_words(app: Flask) -> None:
    app.jinja_env.filters.update(money=money.text, z=zones.z, day=zones.day, moment=zones.moment, city=zones.city)
    app.jinja_env.filters.update(
        catch_up_days=window_words.days,
        catch_up_span=window_words.span,
        catch_up_from_publication=window_words.from_publication,
        catch_up_rule=window_words.rule,
        catch_up_shared=window.is_shared,
    )
    app.jinja_env.globals.update(times_line=zones.line, span=zones.span, unusual=zones.unusual, address=web.url)


def _add_error_pages(app: Flask) -> None:
    def refused(refusal: web.Refusal) -> Response | tuple[str, int]:
        if web.wants_json():
            return web.refusal_json(refusal.refusal, refusal.message, refusal.status)
        return render_template(refusal.template, refusal=refusal), refusal.status

    def failed(error: HTTPException) -> Response | tuple[str, int, dict[str, str]]:
        status = error.code or 500
        headers = {k: v for k, v in error.get_headers() if k in ("Retry-After", "Allow")}
        if error.response is not None:
            headers |= {k: v for k, v in error.response.headers if k == "Retry-After"}
        if web.wants_json():
            answer = web.refusal_json(f"http_{status}", error.description or error.name, status)
            answer.headers.update(headers)
            return answer
        if isinstance(error, InternalServerError):
            db.session.rollback()
        known = status if status in (400, 403, 404, 405, 413, 429, 500, 503) else 400 if status < 500 else 500
        return render_template(f"errors/{known}.html", error=error), status, headers

    def not_our_host(_error: SecurityError) -> tuple[str, int, dict[str, str]]:
        # No page: under a Host that is not ours no address of ours can be built.
        return "This is not an address of this site.\n", 400, {"Content-Type": "text/plain; charset=utf-8"}

    app.register_error_handler(web.Refusal, refused)
    app.register_error_handler(SecurityError, not_our_host)
    app.register_error_handler(HTTPException, failed)
    app.context_processor(lambda: {"here": request.path if has_request_context() else "/"})
