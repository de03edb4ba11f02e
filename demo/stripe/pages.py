"""The pages a payer sees: plain HTML, no script, no cookie, nothing from elsewhere."""

from html import escape
from typing import Any

from demo.stripe import cards, currencies

STYLE = """\
:root { color-scheme: light; --ink: #1d2430; --quiet: #566173; --line: #c8cfda; --deep: #3d3a8c; --bad: #9b1c1c; }
* { box-sizing: border-box; }
body { margin: 0; background: #f4f5f8; color: var(--ink); font: 1.0625rem/1.5 system-ui, sans-serif; }
.test { margin: 0; padding: .625rem 1rem; background: #ffdf6b; color: #3a2c00; font-weight: 700; text-align: center; }
main { max-width: 36rem; margin: 2rem auto; padding: 1.5rem; background: #fff; border: 1px solid var(--line);
  border-radius: .75rem; }
h1 { margin: 0 0 .5rem; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 2rem 0 .5rem; font-size: 1.125rem; }
.lines { margin: 1rem 0; padding: 0; list-style: none; }
.lines li { display: flex; justify-content: space-between; gap: 1rem; padding: .375rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.lines span:last-child { flex: none; font-variant-numeric: tabular-nums; }
label { display: block; font-weight: 600; }
input { width: 100%; margin: .25rem 0 1rem; padding: .625rem .75rem; border: 1px solid #6b7688;
  border-radius: .375rem; font: inherit; }
button { margin: 0 .5rem .5rem 0; padding: .625rem 1.25rem; border: 1px solid var(--deep); border-radius: .375rem;
  font: inherit; font-weight: 600; cursor: pointer; background: #fff; color: var(--deep); }
button.first { background: var(--deep); color: #fff; }
:focus-visible { outline: 3px solid #e08a00; outline-offset: 2px; }
a { color: var(--deep); }
.reason { padding: .75rem 1rem; border-left: .25rem solid var(--bad); background: #fdf0f0; color: var(--bad); }
.quiet, .numbers { color: var(--quiet); font-size: .9375rem; }
.numbers { padding-left: 1.25rem; }
.numbers code { color: var(--ink); white-space: nowrap; }
"""


def _page(title: str, main: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{escape(title)} - test payments</title>\n<link rel="stylesheet" href="/style.css">\n</head>\n<body>\n'
        '<header class="test">TEST - no money moves</header>\n'
        f"<main>\n<h1>{escape(title)}</h1>\n{main}\n</main>\n</body>\n</html>\n"
    )


def _link(address: str, text: str) -> str:
    return f'<p><a href="{escape(address)}">{escape(text)}</a></p>' if address else ""


def _times(quantity: int) -> str:
    return f" × {quantity}" if quantity > 1 else ""


def pay(session: dict[str, Any], reason: str = "") -> str:
    """The one form: a number, pay or leave."""
    total = currencies.written(session["amount_total"], session["currency"])
    lines = "".join(
        f"<li><span>{escape(item['description'])}{_times(item['quantity'])}</span>"
        f"<span>{currencies.written(item['amount_total'], item['currency'])}</span></li>"
        for item in session["_items"]
    )
    described = "reason hint" if reason else "hint"
    numbers = "".join(
        f"<li><code>{escape(cards.in_fours(means.number))}</code> {escape(means.about)}</li>"
        for means in (*cards.CARDS, *cards.BANK_ACCOUNTS)
    )
    invalid = ' aria-invalid="true"' if reason else ""
    submit = session["custom_text"]["submit"]
    return _page(
        f"Pay {total}",
        (f'<p class="reason" id="reason" role="alert">{escape(reason)}</p>\n' if reason else "")
        + f'<ul class="lines">{lines}</ul>\n'
        + (f"<p>{escape(session['customer_email'])}</p>\n" if session["customer_email"] else "")
        + f'<form method="post" action="/pay/{session["id"]}">\n'
        '<label for="number">Card number or bank account</label>\n'
        f'<input id="number" name="number" type="text" autocomplete="off" spellcheck="false" '
        f'aria-describedby="{described}"{invalid}>\n'
        + (f'<p class="quiet">{escape(submit["message"])}</p>\n' if submit else "")
        + f'<button class="first" name="pay" value="1">Pay {total}</button>\n'
        '<button name="leave" value="1">Leave without paying</button>\n</form>\n'
        '<h2>Numbers to try</h2>\n<p class="quiet" id="hint">Only these work; spaces do not matter.</p>\n'
        f'<ul class="numbers">{numbers}</ul>',
    )


def authenticate(session: dict[str, Any]) -> str:
    """The bank's own question, as 3-D Secure asks it."""
    total = currencies.written(session["amount_total"], session["currency"])
    return _page(
        "Is this you?",
        f"<p>Your bank asks you to confirm a payment of {total}.</p>\n"
        f'<form method="post" action="/pay/{session["id"]}/authenticate">\n'
        '<button class="first" name="complete" value="1">Confirm</button>\n'
        '<button name="fail" value="1">It is not me</button>\n</form>',
    )


def closed(session: dict[str, Any], onward: str) -> str:
    """The page of a session that takes no payment any more."""
    if session["status"] == "complete":
        return _page(
            "This has been completed",
            "<p>Nothing more can be paid here.</p>\n" + _link(onward, "Go on to where you came from"),
        )
    return _page(
        "The time to pay is over",
        "<p>Nothing was charged. Go back to try again.</p>\n" + _link(onward, "Go back to where you came from"),
    )


def left(session: dict[str, Any]) -> str:
    """What somebody reads who leaves when the application named no way back."""
    return _page(
        "Nothing was paid",
        "<p>You may close this page.</p>\n" + _link(f"/pay/{session['id']}", "Pay after all"),
    )


def receipt(charge: dict[str, Any]) -> str:
    """The receipt of a charge."""
    paid = currencies.written(charge["amount"], charge["currency"])
    back = currencies.written(charge["amount_refunded"], charge["currency"])
    return _page(
        f"Receipt for {paid}",
        f"<p>{escape(charge['description'] or 'No description')}</p>\n<p>Refunded: {back}</p>",
    )


def front() -> str:
    """What this program is."""
    return _page(
        "Stand-in for Stripe",
        "<p>It answers the API that the application calls, shows the page on which a payer pays, and sends the "
        "events. It takes only test keys and only requests from this machine.</p>",
    )


def nothing_here() -> str:
    """An address that leads nowhere."""
    return _page("Nothing here", "<p>No payment page has this address.</p>")
