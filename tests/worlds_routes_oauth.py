"""How apps ask workers, clients ask about their tokens, and another system opens CareLink."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from conftest import NOW
from oauth_builders import APP, REDIRECT, asking
from worlds_asking import Ask, Ready, Site, Who
from worlds_bodies import NUMBERS, person
from worlds_routes import UNKNOWN, Drawing, Route, get

from carelink.db.tables import oauth_refresh
from carelink.identity import registering
from carelink.identity.registering import Wanted
from carelink.identity.smart_app import Attempt, Told
from carelink.place import Ehr

SCOPES = "patient/*.rs user/*.rs openid fhirUser launch/patient offline_access"
OURS = UUID(int=4712)
ISS = "http://127.0.0.1:8478/fhir"  # of the example pack


def _registered(site: Site, who: Who) -> None:
    """An app of the organisation of whoever asks."""
    staff = {one.id: one for one in site.place.staff.values()}
    organisation = staff[who.user].organisation if who.user in staff else "901"  # type: ignore[index]
    wanted = Wanted(APP, organisation, scopes=SCOPES, redirect_uris=(REDIRECT,), public=True)
    registering.add(site.conn, site.place, replace(wanted, launch_url="https://app.example/launch"))


def _ask(draw: Drawing) -> Ask:
    return Ask("authorising.ask", asking(draw.one(SCOPES, "user/*.rs", "nothing")), ready=_registered)


def _answer(draw: Drawing) -> Ask:
    """Yes for somebody, mostly with the key that belongs to the number; now and then no."""
    number = draw.number()
    whose = str(person(draw.one(number, number, number, draw.number())))
    said = {
        "nhs_number": NUMBERS[number],
        "patient": draw.one(whose, whose, ""),
        "answer": draw.one("yes", "yes", "no"),
    }
    sent = asking(draw.one("patient/*.rs openid", "patient/*.rs openid", "user/*.rs")) | said
    return Ask("authorising.answer", {}, "POST", sent, ready=_registered)


def _let(site: Site, who: Who) -> None:
    """Whoever asks let the app go on."""
    row = {"hash": "x", "family": OURS, "client": APP, "user": who.user or "nobody", "assignment": "901||x"}
    more = {"purpose": "CAREMGT", "scope": "patient/*.rs offline_access", "expires": NOW + timedelta(days=1)}
    site.conn.execute(oauth_refresh.insert().values(**row, **more))


def _end(draw: Drawing) -> Ask:
    return Ask("my_apps.end", {"family": draw.one(OURS, OURS, UNKNOWN)}, "POST", {}, ready=_let)


def _of_person(draw: Drawing) -> Ask:
    return Ask("my_apps.of_person", {"person": draw.person()}, ready=_registered)


def _open_at(draw: Drawing) -> Ask:
    values = {"person": draw.person(), "client": draw.one(APP, APP, "nothing")}
    return Ask("my_apps.open_at", values, "POST", {}, ready=_registered)


def _of_token(endpoint: str) -> Route:
    def ask(draw: Drawing) -> Ask:
        return Ask(endpoint, {}, "POST", {"token": "nothing", "client_id": APP}, ready=_registered)

    return Route(ask, whose="nobody")


@dataclass(frozen=True)
class _There:
    """Stands for the other system: its user is W001, and a patient is open."""

    number: str

    def begin(self, ehr: Ehr, launch: str, redirect: str, now: datetime) -> tuple[str, Attempt]:
        return "http://127.0.0.1:8478/authorize", Attempt(ehr.iss, "state", "nonce", "verifier")

    def finish(self, ehr: Ehr, came_back: str, attempt: Attempt, redirect: str, now: datetime) -> Told:
        return Told({"sub": "W001"}, self.number)


def _opens(number: str) -> Ready:
    def ready(site: Site, who: Who) -> None:
        site.app.extensions["carelink"] = replace(site.app.extensions["carelink"], smart_app=_There(number))

    return ready


def _launch(draw: Drawing) -> Ask:
    return Ask("launching.launch", {"iss": draw.one(ISS, ISS, "http://other.example"), "launch": "x"}, ready=_opens(""))


def _launched(draw: Drawing) -> Ask:
    number = draw.one(NUMBERS[draw.number()], NUMBERS[draw.number()], "")
    remembered = {"launch": [ISS, "state", "nonce", "verifier"]}
    return Ask("launching.launched", {"code": "c", "state": "state"}, session=remembered, ready=_opens(number))


OAUTH: Mapping[str, Route] = {
    "authorising.ask": Route(_ask),
    "authorising.answer": Route(_answer, good=303),
    "my_apps.of_person": Route(_of_person),
    "my_apps.open_at": Route(_open_at, good=303),
    "my_apps.listed": Route(get("my_apps.listed"), whose="anybody"),
    "my_apps.end": Route(_end, good=303),
    "oauth2.introspect": _of_token("oauth2.introspect"),
    "oauth2.revoke": _of_token("oauth2.revoke"),
    "oauth2.keys": Route(get("oauth2.keys"), whose="nobody"),
    "smart.smart": Route(get("smart.smart"), whose="nobody"),
    "smart.issuer": Route(get("smart.issuer"), whose="nobody"),
    "launching.launch": Route(_launch, good=303, whose="nobody"),
    "launching.launched": Route(_launched, good=303, whose="nobody"),
}
