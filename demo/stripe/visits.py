"""What a person at the pay page does, and where that leads."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs

from demo.stripe import pages, paying, sessions
from demo.stripe.account import Account
from demo.stripe.errors import Refused
from demo.stripe.exchange import Answer, Request, as_page, see_other

_PAY = re.compile(r"/pay/(?P<id>\w+)")
_ASK = re.compile(r"/pay/(?P<id>\w+)/authenticate")
_RECEIPT = re.compile(r"/receipts/(?P<id>\w+)")


def carry_on_to(session: dict[str, object]) -> str:
    """The application's address for who has paid."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", str(session["id"]))


class Visits:
    """Shows pages and takes their forms."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._routes: tuple[tuple[re.Pattern[str], Callable[[str, dict[str, str] | None], Answer]], ...] = (
            (_PAY, self._pay),
            (_ASK, self._ask),
            (_RECEIPT, self._receipt),
        )

    def answer(self, request: Request) -> Answer:
        """The page or the redirect for one request."""
        if request.path == "/style.css":
            return Answer(200, pages.STYLE.encode(), {"Content-Type": "text/css; charset=utf-8"})
        if request.path == "/favicon.ico":
            return Answer(204)
        if request.path == "/":
            return as_page(200, pages.front())
        form = _form(request) if request.method == "POST" else None
        for path, does in self._routes:
            if match := path.fullmatch(request.path):
                with self._account.store.changing():
                    try:
                        return does(match["id"], form)
                    except Refused:
                        break
        return as_page(404, pages.nothing_here())

    def _pay(self, key: str, form: dict[str, str] | None) -> Answer:
        session = sessions.find(self._account, key)
        if session["status"] != "open":
            return _closed(session)
        if form is None:
            return as_page(200, pages.pay(session))
        if "leave" in form:
            if session["cancel_url"]:
                return see_other(session["cancel_url"])
            return as_page(200, pages.left(session))
        outcome = paying.pay(self._account, session, form.get("number", ""))
        return self._next(session, outcome)

    def _ask(self, key: str, form: dict[str, str] | None) -> Answer:
        session = sessions.find(self._account, key)
        if session["status"] != "open":
            return _closed(session)
        if "_asking" not in session:
            return see_other(f"/pay/{key}")
        if form is None:
            return as_page(200, pages.authenticate(session))
        outcome = paying.authenticate(self._account, session, succeeds="complete" in form)
        return self._next(session, outcome)

    def _receipt(self, key: str, _form: dict[str, str] | None) -> Answer:
        charge = self._account.store.get("charge", key)
        if charge is None or charge["status"] != "succeeded":
            return as_page(404, pages.nothing_here())
        return as_page(200, pages.receipt(charge))

    def _next(self, session: dict[str, object], outcome: paying.Outcome) -> Answer:
        if outcome.state == "paid":
            return see_other(carry_on_to(session))
        if outcome.state == "asks":
            return see_other(f"/pay/{session['id']}/authenticate")
        return as_page(402, pages.pay(session, outcome.reason))


def _closed(session: dict[str, object]) -> Answer:
    paid = session["status"] == "complete"
    return as_page(410, pages.closed(session, carry_on_to(session) if paid else str(session["cancel_url"] or "")))


def _form(request: Request) -> dict[str, str]:
    return {k: v[0] for k, v in parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True).items()}
