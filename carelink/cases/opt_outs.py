"""National data opt-outs: the list of NHS numbers to be checked, and what the national service's answer comes to.

NHS England's "Check for national data opt-outs" service takes a list of NHS numbers and gives back the same list without
those who opted out (operational policy, chapter 8; the service's licence). So who opted out is told by what is missing.
Its licence lets the answer be used to respect opt-outs and for nothing else, and not be added to the record that carers
see: each is kept as a Consent of a category that no agreement shares, and that the person's own page leaves out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, select

from carelink.audit.trail import Event, append
from carelink.consent.labels import OPT_OUTS
from carelink.consent.lens import Lens
from carelink.consent.sensitivity import ACT_CODE, CONFIDENTIALITY
from carelink.db.among import one_of
from carelink.db.tables import index_token, resource
from carelink.ids import NHS_NUMBER, PersonKey, ResourceKey, resource_key
from carelink.place import Place
from carelink.record import made_here, search, source_state
from carelink.record.golden_store import MADE_HERE, home
from carelink.record.parameters import of_type
from fhir_adapters import exact_json

SOURCE = "national-data-opt-outs"  # in the table of how sources stand
POLICY = "https://digital.nhs.uk/services/national-data-opt-out"
_SCOPE = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research"}
_KIND = {"system": "http://loinc.org", "code": "59284-0", "display": "Consent Document"}
# Why it is labelled so: the licence of the service.
_SECURITY = [{"system": CONFIDENTIALITY, "code": "R"}, {"system": ACT_CODE, "code": "NOPAT"}]
_I, _T = index_token.c, resource.c


@dataclass(frozen=True)
class Report:
    """How many were asked about, opted out, and what changed by it."""

    asked: int
    opted_out: int
    new: int
    ended: int
    unknown: int  # numbers of nobody here

    def __str__(self) -> str:
        return (
            f"{self.asked} asked about, {self.opted_out} opted out: {self.new} new, {self.ended} ended; "
            f"{self.unknown} numbers of nobody in the record"
        )


def to_ask(conn: Connection, lens: Lens) -> tuple[str, ...]:
    """The NHS number of everybody in the record, in order. Audited as `export`."""
    found = sorted(_people(conn, lens))
    event = Event("export", lens.requester, query="NHS numbers", count=len(found), reason=lens.reason, user=lens.user)
    append(conn, event, lens.at)
    return tuple(found)


def keep(conn: Connection, place: Place, lens: Lens, asked: Collection[str], answered: Collection[str]) -> Report:
    """Keep the answer: a Consent for each who opted out, ended for who no longer does. Kept twice it changes nothing.

    `answered` are those without an opt-out, of those who were `asked` about; nobody else's choice is touched.
    """
    people = _people(conn, lens, set(asked))
    out = {person for number, person in people.items() if number not in answered}
    held = _held(conn, lens, people.values())
    new = [person for person in sorted(out) if not held.get(person, (None, False))[1]]
    over = [person for person, (_, active) in sorted(held.items()) if active and person not in out]
    for person in new:
        _write(conn, place, lens, person, held.get(person), opted_out=True)
    for person in over:
        _write(conn, place, lens, person, held[person], opted_out=False)
    source_state.good(conn, SOURCE, lens.at)
    report = Report(
        len(set(asked)), len(set(asked) - set(answered)), len(new), len(over), len(set(asked)) - len(people)
    )
    detail = {"asked": report.asked, "opted_out": report.opted_out, "new": report.new, "ended": report.ended}
    append(conn, Event("opt-outs", reason=lens.reason, user=lens.user, detail=detail), lens.at)
    return report


def checked_at(conn: Connection) -> datetime | None:
    """When an answer of the national service was last kept; None: never."""
    standing = source_state.standings(conn).get(SOURCE)
    return standing.good_at if standing else None


_Held = tuple[ResourceKey, bool]  # the Consent of a person, and whether it is active


def _people(conn: Connection, lens: Lens, numbers: Collection[str] | None = None) -> dict[str, PersonKey]:
    """Whose golden Patient has which of these NHS numbers; of all, where none are named."""
    golden = and_(_T.type == "Patient", _T.source == MADE_HERE, _T.deleted.is_(False), lens.where(resource))
    number = of_type("Patient")["identifier"].number
    statement = (
        select(_I.code, _T.person)
        .join(resource, _T.key == _I.key)
        .where(_I.parameter == number, _I.system == NHS_NUMBER, golden)
    )
    if numbers is not None:
        if not numbers:
            return {}
        statement = statement.where(one_of(_I.code, sorted(numbers)))
    return {row.code: PersonKey(row.person) for row in conn.execute(statement)}


def _held(conn: Connection, lens: Lens, people: Collection[PersonKey]) -> dict[PersonKey, _Held]:
    keys = {key_of(one): one for one in people}
    rows = search.by_keys(conn, lens, keys)
    return {keys[row.key]: (row.key, exact_json.loads(row.body).get("status") == "active") for row in rows}


def key_of(person: PersonKey) -> ResourceKey:
    """The key of the Consent by which their national opt-out is kept."""
    return resource_key(MADE_HERE, str(person), "Consent", SOURCE)


def _write(
    conn: Connection, place: Place, lens: Lens, person: PersonKey, held: _Held | None, *, opted_out: bool
) -> None:
    body = consent(person, lens.at, opted_out=opted_out)
    if held is None:
        made_here.create(conn, place, lens, body, person, home(place).ods, key_of(person))
    else:
        made_here.update(conn, place, lens, body, held[0])


def consent(person: PersonKey, at: datetime, *, opted_out: bool) -> Mapping[str, Any]:
    """The FHIR Consent that says it: of scope research, a denial, from the answer on."""
    return {
        "resourceType": "Consent",
        "meta": {"security": _SECURITY},
        "status": "active" if opted_out else "inactive",
        "scope": {"coding": [_SCOPE]},
        "category": [{"coding": [_KIND]}, {"coding": [{"system": OPT_OUTS, "code": SOURCE}]}],
        "patient": {"reference": f"Patient/{person}"},
        "dateTime": at.isoformat(timespec="seconds"),
        "policy": [{"uri": POLICY}],
        "policyRule": {"coding": [{"system": ACT_CODE, "code": "OPTOUT"}]},
        "provision": {"type": "deny"},
    }
