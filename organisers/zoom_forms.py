"""What the desk types about an organiser's app at Zoom."""

from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Regexp

from lib.forms import Form

LONGEST = 100
_WORD = Regexp(
    rf"^[\x21-\x7e]{{0,{LONGEST}}}$",
    message=f"This is one word of at most {LONGEST} letters, figures and signs, as Zoom shows it.",
)


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class ZoomForm(Form):
    """The four words of the app. A secret left empty stays as it is kept."""

    account_id = StringField("Account ID", [InputRequired("Please copy the account ID from Zoom."), _WORD], [_stripped])
    client_id = StringField("Client ID", [InputRequired("Please copy the client ID from Zoom."), _WORD], [_stripped])
    client_secret = PasswordField("Client secret", [_WORD], [_stripped])
    webhook_secret = PasswordField("Secret token", [_WORD], [_stripped])
