"""How systems export, and look up codes. An export is made before it is looked at, in the world that is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from conftest import NOW
from sqlalchemy import insert
from worlds_asking import Ask, Ready, Site, Who
from worlds_bodies import patient_key
from worlds_routes import Drawing, Route

from carelink.cases import exporting, exporting_files, exporting_run
from carelink.cases.exporting import DONE, WAITING
from carelink.consent.lens import Lens
from carelink.db.tables import export_job
from carelink.fhir.exports import TYPES
from carelink.identity import clients
from carelink.ids import PersonKey

EXPORT, ATTEMPT = UUID(int=0xE0), UUID(int=0xE1)
ASYNC = {"Prefer": "respond-async"}
JSON = {"Content-Type": "application/fhir+json"}
CODES = "code lists of CareLink and of the place pack, the same for everyone"


def _asked_for(draw: Drawing) -> dict[str, str]:
    """Of some types, or of all; changed since, at times before anything was, so that what was ended is told too."""
    types = draw.one({}, {"_type": "Condition,Patient"}, {"_type": "Patient"}, {"_type": "Nonsense"})
    return types | draw.one({}, {}, {"_since": "2026-11-23T00:00:00Z"}, {"_since": "2020-01-01T00:00:00Z"})


def _begins(endpoint: str) -> Any:
    return lambda draw: Ask(endpoint, _asked_for(draw), headers=draw.one(ASYNC, ASYNC, ASYNC, {}))


def _posts(endpoint: str) -> Any:
    def ask(draw: Drawing) -> Ask:
        named = [{"name": name, "valueString": value} for name, value in _asked_for(draw).items()]
        if "patients" in endpoint:
            named += [{"name": "patient", "valueReference": {"reference": f"Patient/{_whose(draw)}"}}]
        body = json.dumps({"resourceType": "Parameters", "parameter": named}).encode()
        return Ask(endpoint, {}, "POST", body=body, headers=ASYNC | JSON)

    return ask


def _whose(draw: Drawing) -> Any:
    return draw.one(draw.person(), draw.key("Patient"), patient_key(draw.number()))


def made(level: str, since: Any, patients: tuple[UUID, ...] | None, status: str = DONE) -> Ready:
    """Make an export of whoever asks, of all types that they may read, in the world that is asked."""

    def ready(site: Site, who: Who) -> None:
        if who.client is None:
            return
        one = who.client
        clients.register(site.conn, site.place, one.id, one.organisation, one.role, one.scopes)
        granted = site.app.extensions["carelink.fhir"].tokens.read(site.token(one), NOW)
        asks, patient_ids = granted.requester, None if patients is None else list(patients)
        row = {"client": asks.user, "organisation": asks.organisation, "role": asks.role, "purpose": asks.purpose}
        row |= {"scopes": one.scopes, "level": level, "types": list(TYPES), "since": since, "patients": patient_ids}
        row |= {"asked": "x", "status": WAITING, "asked_at": NOW, "expires_at": NOW.replace(year=2027)}
        site.conn.execute(insert(export_job).values(id=EXPORT, **row))
        if status == DONE:
            _make(site, Lens.compile(site.place, exporting.requester_of(site.conn, site.place, _stored(site)), NOW))

    return ready


def _stored(site: Site) -> exporting.Export:
    found = exporting.stored(site.conn, EXPORT)
    assert found is not None
    return found


def _make(site: Site, lens: Lens) -> None:
    root = site.app.extensions["carelink"].settings.exports
    exporting_files.remove(root, EXPORT)
    folder = exporting_files.folder_of(root, EXPORT, ATTEMPT)
    found = exporting_run.make(site.conn, lens, _stored(site), folder)
    exporting_run.keep(site.conn, lens, _stored(site), found, folder)
    assert exporting.done(site.conn, _stored(site), ATTEMPT, found.files, NOW, NOW)


def _ready(draw: Drawing, status: str = DONE) -> Ready:
    whose = draw.one(None, None, (PersonKey(draw.person()), patient_key(draw.number())))
    since = draw.one(None, None, NOW.replace(year=2020))
    return made("system" if whose is None else "patient", since, whose, status)


def _status(draw: Drawing) -> Ask:
    return Ask("fhir_exports.status", {"export": EXPORT}, ready=_ready(draw, draw.one(DONE, DONE, DONE, WAITING)))


def _cancel(draw: Drawing) -> Ask:
    return Ask("fhir_exports.cancel", {"export": EXPORT}, "DELETE", ready=_ready(draw))


def _file(draw: Drawing) -> Ask:
    """Of a type of which something is there, seen or not; or what was ended."""
    thing = draw.thing()
    kind = draw.one(
        f"output/{thing.type if thing else 'Patient'}", "output/Patient", "output/Condition", "deleted/Bundle"
    )
    return Ask("fhir_exports.file", {"export": EXPORT, "file": uuid5(EXPORT, f"{kind}/1")}, ready=_ready(draw))


EXPORTS: Mapping[str, Route] = {
    "fhir_exports.everything": Route(_begins("fhir_exports.everything"), good=202, whose="system"),
    "fhir_exports.everything_by_body": Route(_posts("fhir_exports.everything_by_body"), good=202, whose="system"),
    "fhir_exports.patients": Route(_begins("fhir_exports.patients"), good=202, whose="system"),
    "fhir_exports.patients_by_body": Route(_posts("fhir_exports.patients_by_body"), good=202, whose="system"),
    "fhir_exports.status": Route(_status, whose="system"),
    "fhir_exports.cancel": Route(_cancel, good=202, whose="system"),
    "fhir_exports.file": Route(_file, whose="system"),
    **{
        f"fhir_terminology.{name}": Route(tells_nothing=CODES)
        for name in ("read", "find", "find_by_form", "lookup", "expand", "expand_one", "translate", "translate_by_one")
    },
}
