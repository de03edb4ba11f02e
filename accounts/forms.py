"""What people type to sign in. CSRF is the application's: every form carries its token."""

from typing import Any

from wtforms import EmailField, Form, PasswordField
from wtforms.validators import InputRequired, ValidationError

from accounts import passwords
from lib import forms


class LinkForm(Form):
    """An address to send a link to."""

    email = EmailField("Email address", [forms.Email()], id="email")


class PasswordForm(Form):
    """An address and its password."""

    email = EmailField("Email address", [forms.Email()], id="password-email")
    password = PasswordField("Password", [InputRequired("Please give your password.")], id="password")


class NewPasswordForm(Form):
    """A password to be."""

    password = PasswordField("New password", id="password")

    def validate_password(self, field: Any) -> None:
        typed = field.data or ""
        if len(typed) < passwords.SHORTEST:
            raise ValidationError(
                f"This is shorter than {passwords.SHORTEST} characters. Three or four words in a row do well."
            )
        if len(typed) > passwords.LONGEST:
            raise ValidationError(f"This is longer than {passwords.LONGEST} characters. Please choose a shorter one.")
        if len(set(typed)) < 4:
            raise ValidationError("This repeats too few characters. Three or four words in a row do well.")
