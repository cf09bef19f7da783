"""Consents that a system sends by the FHIR API: whose, by whom, stored through the same functions as those of the form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from carelink.cases.consent_form import OBTAINED, How, Taken, obtained, without_stamp
from carelink.cases.consents import MayNotConsent, changeable, custodian, must_may
from carelink.consent.authority import permit_counts
from carelink.consent.capacity_facts import mind_of, on_all_that_is_known
from carelink.consent.lens import Lens
from carelink.db.turns import take_turns
from carelink.errors import Conflict, Forbidden, Invalid
from carelink.ids import ODS, PersonKey, ResourceKey
from carelink.place import Place
from carelink.record import made_here, search
from carelink.record.validation import check

Body = Mapping[str, Any]


class VersionMoved(Conflict):
    """The version that the system has seen is not the current one any more."""


def create(conn: Connection, place: Place, lens: Lens, body: Body) -> tuple[ResourceKey, int]:
    """Store a new Consent; gives its key and version. One that can't be compiled is stored too, and read strictly.

    Raises `Invalid` for what is no Consent, `NotFound` for nobody whom the system may know, `Forbidden` for a role that
    records none, `MayNotConsent` where who gave it may not.
    """
    body = _checked(body)
    person = _person(conn, lens, body)
    ready = _ready(conn, place, lens, body, person)
    return made_here.create(conn, place, lens, ready, person, custodian(place, lens)), 1


def update(
    conn: Connection, place: Place, lens: Lens, key: ResourceKey, version: int, body: Body
) -> tuple[ResourceKey, int]:
    """Store a new version of one that is active here. Raises as `create`, and `VersionMoved`."""
    row, body = changeable(conn, lens, key), _checked(body)
    person = _person(conn, lens, body)
    if row.person != person:
        raise Invalid("Consent.patient", "is somebody else than before")
    take_turns(conn, [person])
    now = changeable(conn, lens, key)  # once more: another may have changed it before it was our turn
    if now.version != version:
        raise VersionMoved(f"It is at version {now.version}, not at {version}: read it again")
    ready = _ready(conn, place, lens, body, person)
    made_here.update(conn, place, lens, ready, key, version, by_any_organisation=True)
    system = Lens.system("the version of a consent that was just stored", lens.at, lens.user)
    return key, search.get(conn, system, "Consent", key).version


def patched(
    conn: Connection,
    place: Place,
    lens: Lens,
    key: ResourceKey,
    version: int | None,
    patch: Callable[[dict[str, Any]], dict[str, Any]],
) -> tuple[ResourceKey, int]:
    """Store what `patch` makes of it; `version` is the one that the system has seen, if it says so. Raises as `update`.

    Whoever may see less of the person than there is patches nothing: it could be tried out what stands in the rest.
    """
    row = changeable(conn, lens, key)
    if row.hidden or (lens.requester is not None and lens.requester.person is not None):
        raise Forbidden("You see less of this than there may be, so you can't patch it", rule="sees-less")
    if version is not None and row.version != version:
        raise VersionMoved(f"It is at version {row.version}, not at {version}: read it again")
    return update(conn, place, lens, key, row.version, patch(made_here.as_stored(conn, lens, "Consent", key)))


def _checked(body: Body) -> Body:
    """As it may be stored, mended where a rule mends it: what is asked of it afterwards has the shape that R4 says."""
    if body.get("resourceType") != "Consent":
        raise Invalid("resourceType", "must be Consent")
    found = check("Consent", dict(body))
    if found.problems:
        raise Invalid(found.problems[0].place, found.problems[0].why)
    return found.body


def _person(conn: Connection, lens: Lens, body: Body) -> PersonKey:
    """Whom it is about, by the golden Patient or that of any source."""
    kind, _, id_ = str(body.get("patient", {}).get("reference", "")).rpartition("/")
    try:
        key = ResourceKey(UUID(id_))
    except ValueError as wrong:
        raise Invalid("Consent.patient", "must be a reference to a Patient of this server") from wrong
    if kind.rpartition("/")[2] != "Patient":
        raise Invalid("Consent.patient", "must be a reference to a Patient of this server")
    shown = search.by_keys(conn, lens, [key])
    # The golden Patient of somebody who objects to sharing is shown to nobody else: its id is the person's key.
    person = next((row.person for row in shown if row.type == "Patient" and row.person), PersonKey(key))
    must_may(conn, lens, person)
    return person


def _ready(conn: Connection, place: Place, lens: Lens, body: Body, person: PersonKey) -> dict[str, Any]:
    """As it is stored: about the golden Patient, with how it came here and who answers for it."""
    mind = mind_of(conn, on_all_that_is_known(lens.at, lens.user), person)
    answer = permit_counts(body, mind, lens.at)
    if not answer.allowed:
        raise MayNotConsent(answer)
    patient = {"reference": f"Patient/{person}"}
    made: dict[str, Any] = _put(_unlabelled(body), str(body["patient"]["reference"]), patient["reference"])
    asks = lens.requester
    taken = Taken(person, patient, How.SYSTEM, lens.at, custodian(place, lens))
    if asks is not None:
        taken = replace(taken, by=asks.user, by_name=asks.name)
    kept = [one for one in made.get("extension", ()) if one.get("url") != OBTAINED]
    organisation = {"type": "Organization", "identifier": {"system": ODS, "value": taken.organisation}}
    return {"organization": [organisation], **made, "extension": [*kept, obtained(taken)]}


def _unlabelled(body: Body) -> dict[str, Any]:
    """Without labels of its own: the rules of the place give them. One that hides it would bind people unseen."""
    left = without_stamp(body)
    profile = {name: one for name, one in left.pop("meta", {}).items() if name == "profile"}
    return left | ({"meta": profile} if profile else {})


def _put(value: Any, old: str, new: str) -> Any:
    """The same with every reference to the Patient as it was sent as one to the golden."""
    if isinstance(value, Mapping):
        return {name: new if (name, one) == ("reference", old) else _put(one, old, new) for name, one in value.items()}
    return [_put(one, old, new) for one in value] if isinstance(value, list) else value
