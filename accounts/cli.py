"""`flask accounts`: what somebody must do before anybody can sign in."""

import re
import unicodedata

import click
from babel.numbers import is_currency
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select

from accounts import letters, signing_in
from accounts.models import Organiser
from lib import clock, db, forms, settings, zones

group = AppGroup("accounts", help="People and organisers.")


@group.command("invite-owner")
@click.argument("email")
@click.option("--organiser", "slug", help="The organiser's short name in addresses. Needed when there are several.")
@click.option("--name", help="The name of the organiser to make.")
@click.option("--zone", default=zones.LONDON, show_default=True, help="The zone of the organiser to make.")
@click.option("--currency", default="GBP", show_default=True, help="The currency of the organiser to make.")
@click.option("--print-link", is_flag=True, help="Print the link too, for where mail is not set up yet.")
def invite_owner(email: str, slug: str | None, name: str | None, zone: str, currency: str, print_link: bool) -> None:
    """Invite EMAIL to own an organiser, which is made if there is none yet."""
    posts = not print_link or "MAIL_FROM" in current_app.config["GIVEN"]
    _require(posts)
    try:
        address = forms.email(email)
    except ValueError as problem:
        raise click.BadParameter(str(problem)) from problem
    now = clock.now()
    with db.writing():
        organiser = _organiser(slug, name, zone, currency.upper(), address)
        invited = signing_in.Invited(organiser.id, "owner")
        made = signing_in.make(address, "invitation", now, next_path=f"/organise/{organiser.slug}/", invited=invited)
        if posts:
            letters.post_invitation(made, organiser, now)
        page, until = letters.page_of(made), zones.moment(made.link.expires_at, organiser.zone)
    if posts:
        click.echo(f"The invitation for {address} is posted; `flask work` sends it. It works once, until {until}.")
    if print_link:
        click.echo(f"The link, for {address} alone, once, until {until}:\n{page}")


def _require(posts: bool) -> None:
    if current_app.config["COLLOQUY_DEMO"] == "1":
        return
    given = {name: str(current_app.config[name]) for name in current_app.config["GIVEN"]}
    names = ("BASE_URL", "MAIL_FROM") if posts else ("BASE_URL",)
    try:
        settings.require(given, names, "Inviting an owner")
    except settings.SettingsRefused as problem:
        raise click.ClickException(str(problem)) from problem


def _organiser(slug: str | None, name: str | None, zone: str, currency: str, email: str) -> Organiser:
    known = {each.slug: each for each in db.session.scalars(select(Organiser).order_by(Organiser.slug))}
    if slug in known:
        return known[slug]
    if slug is None and name is None and len(known) == 1:
        return next(iter(known.values()))
    if known and name is None:
        listed = ", ".join(known)
        asked = f"There is no organiser {slug!r}." if slug else "There are several organisers."
        raise click.UsageError(f"{asked} Say --organiser with one of {listed}, or --name to make another.")
    return _make(slug, name or _name_of(email), zone, currency, email)


def _make(slug: str | None, name: str, zone: str, currency: str, email: str) -> Organiser:
    if not zones.is_zone(zone):
        raise click.BadParameter(f"{zone!r} is not a time zone. One looks like Europe/London.", param_hint="--zone")
    if not is_currency(currency):
        raise click.BadParameter(f"{currency!r} is not a currency. One looks like GBP.", param_hint="--currency")
    shown = forms.one_line(name)[:120]
    found = _slug(slug or shown)
    if db.session.scalar(select(Organiser.id).where(Organiser.slug == found)) is not None:
        raise click.UsageError(f"There is an organiser {found!r} already. Say --organiser {found} to invite to it.")
    organiser = Organiser(slug=found, name=shown, zone=zone, currency=currency, email=email, address="")
    db.session.add(organiser)
    db.session.flush()
    click.echo(f"Made the organiser {shown} ({found}): times in {zones.city(zone)}, prices in {currency}.")
    return organiser


def _name_of(email: str) -> str:
    """A first name for an organiser nobody named: Sea Street for olu@sea-street.example."""
    return email.rpartition("@")[2].partition(".")[0].replace("-", " ").title()


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80] or "organiser"
