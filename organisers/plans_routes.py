"""Who still has parts of a price to pay, and who is late with them. What follows is decided on the booking's page."""

from flask import Blueprint
from werkzeug.wrappers import Response as Answer

from accounts import open_to
from accounts.models import Organiser
from bookings import plan_pages
from lib import clock
from organisers.people_routes import shown
from organisers.routes import MANAGERS

bp = Blueprint("organise_plans", __name__, url_prefix="/organise/<organiser>")


@bp.get("/instalments")
@open_to.team(*MANAGERS)
def listed(organiser: Organiser) -> Answer:
    return shown("organisers/plans.html", organiser, plans=plan_pages.open_plans(organiser.id, clock.now()))
