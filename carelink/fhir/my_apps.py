"""/apps: what a worker let apps do, and ending it; and the apps that open at a person."""

from __future__ import annotations

from uuid import UUID

from authlib.common.urls import add_params_to_uri
from flask import Blueprint, g, redirect, render_template, url_for
from werkzeug.wrappers import Response

from carelink.audit.trail import Event, append
from carelink.cases.banner import Banner
from carelink.cases.banner_of import whom
from carelink.errors import NotFound
from carelink.fhir.authorising import origin
from carelink.fhir.endpoint import endpoint
from carelink.identity import families, registering
from carelink.identity.launches import Launched
from carelink.identity.scope_words import in_words
from carelink.ids import PersonKey
from carelink.web import session as signed_in
from carelink.web.parts import parts
from carelink.web.transaction import connection

blueprint = Blueprint("my_apps", __name__, template_folder="templates")


@blueprint.get("/apps")
def listed() -> str:
    """Each app that goes on without asking, with what it may do and until when."""
    signed_in.lens()  # what the menu is made of
    held = families.held(connection(), signed_in.requester().user, signed_in.at())
    return render_template("oauth2/my_apps.html", apps=[(one, in_words(one.scope.split())) for one in held])


@blueprint.post("/apps/<uuid:family>/end")
def end(family: UUID) -> Response:
    """No more tokens for it. Raises `NotFound` for what is not theirs."""
    asks = signed_in.requester()
    client = families.end_own(connection(), asks.user, family, signed_in.at())
    append(connection(), Event("sign-out", asks, detail={"client": client}), signed_in.at())
    return redirect(url_for("my_apps.listed"), 303)


@blueprint.get("/people/<uuid:person>/apps")
def of_person(person: UUID) -> str:
    """The apps of the worker's organisation that open at this person. Raises `NotFound` for whom they may not know."""
    who = _whom(person)
    apps = registering.opened_from_here(connection(), signed_in.requester().organisation)
    g.form_goes_to = " ".join(sorted({origin(one.launch_url) for one in apps}))
    return render_template("oauth2/person_apps.html", who=who, apps=apps)


@blueprint.post("/people/<uuid:person>/apps/<client>")
def open_at(person: UUID, client: str) -> Response:
    """Off to the app, with what says whose record is open (SMART App Launch 2.2, 2.0.4). Raises `NotFound`."""
    who, asks = _whom(person), signed_in.requester()
    apps = registering.opened_from_here(connection(), asks.organisation)
    found = next((one for one in apps if one.id == client), None)
    if found is None:
        raise NotFound("There is no such app here")
    append(connection(), Event("sign-in", asks, who.person, detail={"launch": client}), signed_in.at())
    launch = endpoint().server.rim.launches.sealed(Launched(client, asks.user, who.person), signed_in.at())
    said = [("iss", endpoint().base), ("launch", launch)]
    return redirect(add_params_to_uri(found.launch_url, said), 303)


def _whom(person: UUID) -> Banner:
    found = whom(connection(), parts().place, signed_in.lens(), PersonKey(person))
    if found is None:
        raise NotFound("There is nobody here whom you may know")
    return found
