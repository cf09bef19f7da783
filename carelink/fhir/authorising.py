"""GET and POST /oauth2/authorize: an app asks the worker who is signed in, and they say yes or no (SMART App Launch 2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc9207 import IssuerParameter
from flask import Blueprint, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from carelink.audit.trail import Event, append
from carelink.cases import finding
from carelink.cases.banner import Banner
from carelink.cases.banner_of import whom
from carelink.errors import Forbidden
from carelink.fhir.endpoint import endpoint
from carelink.fhir.token_endpoint import not_too_often
from carelink.identity import app_grants, scopes
from carelink.identity.clients import Client
from carelink.identity.launches import Launched
from carelink.identity.rim import AUTHORIZE
from carelink.identity.scope_words import in_words
from carelink.ids import PersonKey
from carelink.web import session as signed_in
from carelink.web.parts import parts
from carelink.web.transaction import connection

LONGEST = 2500  # characters of a request: it must fit into the session while somebody signs in
SENT_ON = ("response_type", "client_id", "redirect_uri", "scope", "state", "aud", "launch", "nonce", "code_challenge", "code_challenge_method")  # fmt: skip

blueprint = Blueprint("authorising", __name__, template_folder="templates")
blueprint.before_request(not_too_often)


class AppRefused(Forbidden):
    """The app's request is answered by a page: where it says that it is can't be believed (RFC 6749 4.1.2.1)."""


@dataclass(frozen=True)
class Asked:
    """What an app asks for, checked."""

    grant: Any
    client: Client
    scope: str
    launched: Launched | None = None  # from a page of ours, where a person was open

    @property
    def needs_patient(self) -> bool:
        return self.launched is not None or scopes.needs_patient(self.scope.split())


@blueprint.get(AUTHORIZE)
def ask() -> str | Response:
    """The page on which the worker is asked; whoever is not signed in signs in first."""
    if len(request.full_path) > LONGEST:
        raise AppRefused("The app's request is too long", rule="oauth2-invalid_request")
    try:
        asked = _asked(request.args)
    except OAuth2Error as wrong:
        return _refused(wrong)
    if signed_in.user() is None:
        session["next"] = request.full_path
        return redirect(url_for("web.home"), 303)
    return _page(asked, request.args)


@blueprint.post(AUTHORIZE)
def answer() -> str | Response:
    """What the worker said goes back to the app, with a code where it was yes."""
    asks = signed_in.requester()
    try:
        asked = _asked(request.form)
    except OAuth2Error as wrong:
        return _refused(wrong)
    _may_use(asked.client)
    if request.form.get("answer") != "yes":
        append(connection(), _event("refusal", asked, rule="oauth2-access_denied"), signed_in.at())
        return _back(endpoint().server.create_authorization_response(grant=asked.grant, grant_user=None))
    patient = None
    if asked.needs_patient:
        found, wrong_words = _whom(asked, request.form)
        if found is None or str(found.person) != request.form.get("patient", ""):
            return _page(asked, request.form, found, wrong_words)
        patient = found.person
    append(connection(), _event("sign-in", asked, patient), signed_in.at())
    acting = app_grants.begun(asks, asked.scope, patient, request.form.get("nonce", "")[:300])
    return _back(endpoint().server.create_authorization_response(grant=asked.grant, grant_user=acting))


def _asked(given: Mapping[str, str]) -> Asked:
    """Raises `OAuth2Error` for whatever is not right; with `redirect_uri` where the app may be told of it."""
    grant = endpoint().server.get_consent_grant()
    client: Client = grant.request.client
    try:
        if given.get("aud", "").rstrip("/") != endpoint().base:
            raise InvalidRequestError(f"aud must be {endpoint().base}")
        launched = _launched(client, given.get("launch", ""))
        if given.get("prompt") == "none":
            raise OAuth2Error(error="interaction_required")
    except OAuth2Error as wrong:
        wrong.redirect_uri, wrong.state = grant.redirect_uri, given.get("state")
        raise
    return Asked(grant, client, client.get_allowed_scope(given.get("scope")), launched)


def _launched(client: Client, text: str) -> Launched | None:
    """What the app was opened with; None where it was not opened from here. Raises `InvalidRequestError`."""
    if not text:
        return None
    found = endpoint().server.rim.launches.opened(text, client.id, signed_in.at())
    if found is None or signed_in.user() not in (None, found.user):
        raise InvalidRequestError("launch was not given out for this, or is over")
    return found


def _may_use(client: Client) -> None:
    """Raises `Forbidden` where who is signed in does not work at the app's organisation, in the role of now."""
    asks, place = signed_in.requester(), parts().place
    if asks.person is not None or asks.behind is not None:
        raise Forbidden("Apps are for staff", rule="oauth2-for-staff")
    if asks.organisation != client.organisation:
        theirs = place.organisations[client.organisation].name
        told = f"This app is for people who work at {theirs}. Choose your role there, or sign in with it"
        raise Forbidden(told, rule="oauth2-organisation")


def _page(asked: Asked, given: Mapping[str, str], found: Banner | None = None, wrong: str = "") -> str:
    signed_in.lens()  # what the menu is made of
    _may_use(asked.client)
    if asked.launched is not None and found is None:
        found, wrong = _whom(asked, given)
    g.form_goes_to = origin(asked.grant.redirect_uri)
    return render_template(
        "oauth2/authorise.html",
        client=asked.client,
        organisation=parts().place.organisations[asked.client.organisation].name,
        wants=in_words(asked.scope.split()),
        needs_patient=asked.needs_patient,
        launched=asked.launched is not None,
        sent={name: given[name] for name in SENT_ON if given.get(name)},
        number=given.get("nhs_number", ""),
        found=found,
        wrong=wrong,
    )


def _whom(asked_of: Asked, form: Mapping[str, str]) -> tuple[Banner | None, str]:
    """Who was open, or the person of that NHS number whom this worker may know; or what to say: the same for none and for another's."""
    if asked_of.launched is not None:
        who = whom(connection(), parts().place, signed_in.lens(), asked_of.launched.person)
        return who, "" if who else "The person who was open is nobody that you are involved with"
    asked, wrong = finding.read({"nhs_number": form.get("nhs_number", "")})
    if wrong:
        return None, wrong["nhs_number"]
    people = finding.find(connection(), parts().place, signed_in.lens(), asked).people
    if len(people) != 1:
        return None, "Nobody that you are involved with has that number"
    return people[0], ""


def _back(answered: Response) -> Response:
    """To the app, which is told who answers (RFC 9207)."""
    _Issuer().add_issuer_parameter(endpoint().server, answered)
    answered.status_code = 303
    return answered


def _refused(wrong: OAuth2Error) -> Response:
    """Told to the app where it is certain that it is that one, else to whoever sits there."""
    words = (wrong.description or wrong.error).rstrip(".")
    if not wrong.redirect_uri:
        raise AppRefused(f"CareLink does not answer the app that sent you here: {words}", rule=f"oauth2-{wrong.error}")
    rules = (f"oauth2-{wrong.error}",)
    claimed = f"client:{request.values.get('client_id', '')}"
    event = Event("refusal", query=AUTHORIZE, outcome="refused", rules=rules, user=claimed, request=g.reference)
    append(connection(), event, signed_in.at())
    server = endpoint().server
    return _back(server.handle_error_response(None, wrong))


def _event(action: str, asked: Asked, patient: PersonKey | None = None, rule: str = "") -> Event:
    return Event(
        action,
        signed_in.requester(),
        patient,
        query=AUTHORIZE,
        rules=(rule,) if rule else (),
        outcome="refused" if rule else "success",
        detail={"client": asked.client.id, "scopes": asked.scope},
    )


def origin(uri: str) -> str:
    """Where the form may lead, as a Content-Security-Policy names it."""
    found = urlsplit(uri)
    return f"{found.scheme}://{found.netloc}" if found.netloc else f"{found.scheme}:"


class _Issuer(IssuerParameter):  # type: ignore[misc]  # Authlib carries no types
    def get_issuer(self) -> str:
        return endpoint().tokens.issuer
