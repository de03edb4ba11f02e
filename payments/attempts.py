"""Ways to Stripe: found, locked with their bill, and the only door to an attempt's state."""

from sqlalchemy import case, select, update

from lib import db
from payments.gateway import Checkout
from payments.models import PaymentAttempt

LIVE = ("opening", "open")


def live(bill_id: int) -> PaymentAttempt | None:
    """The one way to Stripe of a bill that may still be paid."""
    return db.session.scalars(
        select(PaymentAttempt)
        .where(PaymentAttempt.bill_id == bill_id, PaymentAttempt.state.in_(LIVE))
        .execution_options(populate_existing=True)
    ).one_or_none()


def by_key(key: str) -> PaymentAttempt:
    """The attempt of a key of ours, read again from the database."""
    return db.session.scalars(
        select(PaymentAttempt).where(PaymentAttempt.key == key).execution_options(populate_existing=True)
    ).one()


def of_page(page: str, key: str | None) -> PaymentAttempt | None:
    """The attempt a checkout page belongs to: by its id, or by our key if the page's id was not yet written down."""
    by_id = db.session.scalars(select(PaymentAttempt).where(PaymentAttempt.stripe_session == page)).one_or_none()
    if by_id or key is None:
        return by_id
    return db.session.scalars(
        select(PaymentAttempt).where(PaymentAttempt.key == key, PaymentAttempt.stripe_session.is_(None))
    ).one_or_none()


def page_of(key: str) -> str | None:
    """The id at Stripe of the page of an attempt."""
    return db.session.scalar(select(PaymentAttempt.stripe_session).where(PaymentAttempt.key == key))


def opened(key: str, made: Checkout) -> None:
    """Stripe made the page. Written only where it was not known yet: a webhook may have told us first, and in one
    statement, so that no lock is needed."""
    db.session.execute(
        update(PaymentAttempt)
        .where(PaymentAttempt.key == key, PaymentAttempt.stripe_session.is_(None))
        .values(
            stripe_session=made.session_id,
            url=made.url,
            state=case((PaymentAttempt.state == "opening", "open"), else_=PaymentAttempt.state),
        )
        .execution_options(synchronize_session=False)
    )


def refused(attempt: PaymentAttempt, error: str) -> None:
    """Stripe will not make the page: nobody can pay it."""
    if attempt.state in LIVE:
        attempt.state, attempt.last_error = "refused", error


def expired(attempt: PaymentAttempt) -> None:
    """The page has ended unpaid."""
    if attempt.state in LIVE:
        attempt.state = "expired"


def completed(attempt: PaymentAttempt) -> None:
    """Somebody went through the page to its end, whatever we thought of it before."""
    attempt.state = "completed"


def doubted(attempt: PaymentAttempt, wrong: str) -> bool:
    """Stripe says something else of the page than was asked for. True the first time it says so."""
    is_new = attempt.last_error != wrong
    attempt.last_error = wrong
    return is_new
