"""What an organiser says of itself: name, text, ways to reach it, colour and logo. For owners and managers."""

from flask import Blueprint, abort, redirect, request, url_for
from flask_wtf.csrf import validate_csrf
from werkzeug.wrappers import Response as Answer
from wtforms import BooleanField, EmailField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Regexp, ValidationError

from accounts import branding, open_to, profile
from accounts.models import Organiser
from lib import clock, db, forms
from organisers.people_routes import Problems, shown
from organisers.routes import MANAGERS, actor

bp = Blueprint("organise_settings", __name__, url_prefix="/organise/<organiser>/settings")
FORM_AROUND = 16 * 1024  # what the form says beside its file


def _colour(_form: forms.Form, field: StringField) -> None:
    try:
        field.data = branding.colour(field.data or "")
    except branding.ColourRefused as problem:
        raise ValidationError(str(problem)) from problem


class SettingsForm(forms.Form):
    """The organiser's own words and ways to reach it."""

    name = StringField(
        "Name", filters=[forms.one_line], validators=[InputRequired("Please give a name."), Length(max=120)]
    )
    about = TextAreaField(
        "About you",
        description="Markdown: **bold**, *italic*, lists, links. It stands on your public page.",
        validators=[Length(max=20_000)],
    )
    phone = StringField(
        "Telephone",
        description="Named on the page for joining, for people who cannot get in.",
        filters=[forms.one_line],
        validators=[
            Regexp(r"^$|^\+?[0-9][0-9 ()/.-]{4,38}$", message="Please write a number such as +44 20 7946 0018.")
        ],
    )
    email = EmailField("Address that answers to your letters go to", [forms.Email()])
    address = StringField("Postal address", filters=[forms.one_line], validators=[Length(max=300)])
    colour = StringField(
        "Colour",
        description="As # and six figures, such as #127694; empty for none. A band over your public pages.",
        validators=[_colour],
    )


class MoneyForm(forms.Form):
    """What happens while money is with somebody's bank."""

    holds_for_bank = BooleanField(
        "Keep places while a bank debit is under way",
        description="A debit takes some working days. Without this the places stay on sale, and the money goes back if "
        "others have them when it arrives.",
    )
    dispute_bars = BooleanField(
        "Let nobody in while a payment is disputed",
        description="The links to join and to watch stop working from the moment a payer's bank takes the money back, "
        "until it returns. We write to you either way.",
    )


@bp.get("", endpoint="settings")
@open_to.team(*MANAGERS)
def settings_page(organiser: Organiser) -> Answer:
    return _page(organiser, SettingsForm(obj=organiser))


@bp.post("/words")
@open_to.team(*MANAGERS)
def save(organiser: Organiser) -> Answer:
    form = SettingsForm(request.form)
    if not form.validate():
        return _page(organiser, form, status=422)
    typed = {name: (value or "").replace("\x00", "") for name, value in form.data.items()}
    number, by, now = organiser.id, actor(), clock.now()
    with db.writing():
        profile.save(number, profile.Profile(**typed), actor=by, now=now)
    return _back(organiser, "saved")


@bp.post("/money")
@open_to.team(*MANAGERS)
def save_money(organiser: Organiser) -> Answer:
    form = MoneyForm(request.form)
    number, by, now = organiser.id, actor(), clock.now()
    with db.writing():
        profile.set_money(
            number,
            holds_for_bank=form.holds_for_bank.data,
            dispute_bars=form.dispute_bars.data,
            actor=by,
            now=now,
        )
    return _back(organiser, "saved")


@bp.post("/logo")
@open_to.team(*MANAGERS)
def upload_logo(organiser: Organiser) -> Answer:
    request.max_content_length = branding.MOST_BYTES + FORM_AROUND
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        abort(400)
    sent = request.files.get("logo")
    try:
        if sent is None or not sent.filename:
            raise branding.LogoRefused("Please choose a picture first.")
        name = branding.keep_logo(sent.stream.read(branding.MOST_BYTES + 1))
    except branding.LogoRefused as problem:
        return _page(organiser, SettingsForm(obj=organiser), [("logo", str(problem))], 422)
    return _set_logo(organiser, name, "logo")


@bp.post("/logo/removal")
@open_to.team(*MANAGERS)
def remove_logo(organiser: Organiser) -> Answer:
    return _set_logo(organiser, "", "no-logo")


# The file is larger than other forms may be: the view sets the limit, then checks the token.
TOKEN_CHECKED_INSIDE = (upload_logo,)


def _set_logo(organiser: Organiser, name: str, done: str) -> Answer:
    number, by, now = organiser.id, actor(), clock.now()
    try:
        with db.writing():
            before = profile.set_logo(number, name, actor=by, now=now)
    except BaseException:
        branding.forget_logo(name)
        raise
    branding.forget_logo(before)
    return _back(organiser, done)


def _back(organiser: Organiser, done: str) -> Answer:
    return redirect(url_for(".settings", organiser=organiser.slug, done=done), code=303)


def _page(organiser: Organiser, form: SettingsForm, problems: Problems | None = None, status: int = 200) -> Answer:
    found = [(bound.id, str(bound.errors[0])) for bound in form if bound.errors] + (problems or [])
    return shown(
        "organisers/settings.html",
        organiser,
        status=status,
        form=form,
        money=MoneyForm(obj=organiser),
        problems=found,
        done=request.args.get("done", "") if not found else "",
    )
