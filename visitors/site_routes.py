"""What search engines ask for first: the map of the site, and what is not for them."""

from flask import Blueprint, Response, render_template

from accounts import open_to
from courses import bundles, shelf
from lib import clock, web

bp = Blueprint("site", __name__)


@bp.get("/sitemap.xml")
@open_to.anyone
def sitemap() -> Response:
    found = shelf.read(clock.now())
    workshops = found.workshops
    pages = [web.url("visitors.home"), web.url("courses.listed")]
    for each in workshops:
        owner = each.organiser.slug
        pages += [
            web.url("courses.workshop", slug=each.slug),
            web.url("courses.course", slug=each.course_slug),
            web.url("courses.organiser", slug=owner),
            *(web.url("courses.presenter", organiser=owner, slug=who.slug) for who in each.presenters),
        ]
    pages += [web.url("bundles.shown", slug=each.slug) for each in found.bundles if bundles.is_whole(found, each)]
    page = render_template("visitors/sitemap.xml", pages=dict.fromkeys(pages))
    return Response(page, content_type="application/xml; charset=utf-8")


@bp.get("/robots.txt")
@open_to.anyone
def robots() -> Response:
    # Pages that a link opens are kept out by their tokens and by noindex; naming them here would only advertise them.
    text = f"User-agent: *\nDisallow: /organise/\nDisallow: /zone\nSitemap: {web.url('site.sitemap')}\n"
    return Response(text, content_type="text/plain; charset=utf-8")
