"""Opening CareLink from another system: GET /launch, the round trip to that system, and the person's page."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from carelink.audit.trail import Event, append
from carelink.cases import finding
from carelink.consent.lens import Lens
from carelink.errors import Forbidden
from carelink.identity import ehr_users, requesters
from carelink.identity.smart_app import Attempt
from carelink.place import Ehr
from carelink.web import session as signed_in
from carelink.web.parts import parts
from carelink.web.sign_in import SignInDenied
from carelink.web.transaction import connection

REMEMBERED = "launch"
LONGEST = 2000  # characters of `launch`, which means nothing to us

blueprint = Blueprint("launching", __name__, template_folder="templates")


@blueprint.get("/launch")
def launch() -> Response:
    """From a system of the pack, with `launch` where it has a patient open; off to it for who asks."""
    ehr = _known(request.args.get("iss", ""))
    token = request.args.get("launch", "")
    if len(token) > LONGEST:
        raise Forbidden("The other system's request is too long", rule="launch-request")
    url, attempt = parts().smart_app.begin(ehr, token, _redirect_uri(), signed_in.at())
    session[REMEMBERED] = [attempt.iss, attempt.state, attempt.nonce, attempt.verifier]
    return redirect(url, 303)


@blueprint.get("/launched")
def launched() -> Response | str:
    """Back from there: the worker is signed in, and the person's page opens where they may see it."""
    remembered = session.pop(REMEMBERED, None)
    if remembered is None:
        raise Forbidden(
            "This was already used or took too long; open CareLink from there again", rule="launch-no-attempt"
        )
    attempt = Attempt(*remembered)
    ehr = _known(attempt.iss)
    told = parts().smart_app.finish(ehr, request.url, attempt, _redirect_uri(), signed_in.at())
    lens = _sign_in(ehr, told.claims)
    if not told.nhs_number:
        return redirect(url_for("web.home"), 303)
    asked, wrong = finding.read({"nhs_number": told.nhs_number})
    people = () if wrong else finding.find(connection(), parts().place, lens, asked).people
    if len(people) == 1:
        return redirect(url_for("dashboard.person", person=people[0].person), 303)
    return render_template("dashboard/launch_nobody.html", ehr=ehr)


def _sign_in(ehr: Ehr, claims: object) -> Lens:
    """As the worker who that user is. Raises `SignInDenied`."""
    conn, place = connection(), parts().place
    try:
        worker, assignment = ehr_users.worker_of(conn, ehr, claims)  # type: ignore[arg-type]
        asks = requesters.requester(conn, place, worker, request=g.reference, assignment=assignment.id)
    except Forbidden as refused:
        raise SignInDenied(refused, signed_in.user() or "") from refused  # type: ignore[arg-type]
    session.pop("next", None)
    signed_in.begin(worker, assignment.id)
    g.pop("requester", None)
    g.pop("lens", None)
    append(conn, Event("sign-in", asks, detail={"from": ehr.iss}), signed_in.at())
    return signed_in.lens()


def _known(iss: str) -> Ehr:
    """The system of the pack at that address. Raises `Forbidden` for any other: nothing is asked of it."""
    found = next((one for one in parts().place.ehrs if one.iss == iss.rstrip("/")), None)
    if found is None:
        raise Forbidden("CareLink is not opened from that system here", rule="launch-unknown-system")
    return found


def _redirect_uri() -> str:
    return parts().settings.base_url + url_for("launching.launched")
