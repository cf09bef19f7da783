"""What a worker must know of a person at a glance, by the headings of the Core Information Standard (PRSB)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from carelink.consent.lens import Lens
from carelink.ids import PersonKey, ResourceKey
from carelink.record import search
from carelink.record.query import Query, Row
from carelink.record.timeline import Entry, entry
from carelink.record.timeline_care import planned
from carelink.record.timeline_clinical import HIGH_RISK
from carelink.record.timeline_names import Read, names_in, opened
from carelink.record.timeline_values import Body, Names, codes, listed
from carelink.record.timeline_words import say

LEGAL_AUTHORITY = "https://carelink.example/CodeSystem/legal-authority"
_PART = 2000  # rows that are read at a time

# SNOMED CT situations, as the International Patient Summary lists them, and the one that older GP records hold.
NO_ALLERGY: Mapping[str, str] = {
    "716186003": "no known allergy",
    "409137002": "no known drug allergy",
    "429625007": "no known food allergy",
    "428607008": "no known environmental allergy",
    "716220001": "no known animal allergy",
    "1003774007": "no known latex allergy",
    "160244002": "no known allergies (no longer active, still in records)",
}


@dataclass(frozen=True)
class Part:
    """One heading. `none_known` names the sources that say that there is none: that is not the same as saying nothing."""

    current: tuple[Entry, ...] = ()
    past: tuple[Entry, ...] = ()
    none_known: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nobody says anything here."""
        return not (self.current or self.past or self.none_known)


@dataclass(frozen=True)
class Summary:
    alerts: Part
    allergies: Part
    medicines: Part
    problems: Part
    encounters: Part
    packages: Part
    assessments: Part
    referrals: Part
    plans: Part
    contacts: Part
    legal: Part

    @property
    def told(self) -> dict[ResourceKey, Entry]:
        """Every item under any heading, by key."""
        parts: Iterable[Part] = (getattr(self, heading) for heading in PARTS)
        return {one.key: one for part in parts for one in (*part.current, *part.past)}


def _any(row: Row, body: Body) -> bool:
    return True


def _legal(row: Row, body: Body) -> bool:
    return row.category == "legal" or (row.type == "RelatedPerson" and _decides(body))


def _decides(relative: Body) -> bool:
    """Whether they may decide for the person: an attorney, a deputy, somebody with parental responsibility."""
    said = (coding for one in listed(relative.get("relationship")) for coding in one.get("coding", ()))
    return any(coding.get("system") == LEGAL_AUTHORITY for coding in said)


def _not_legal(row: Row, body: Body) -> bool:
    return row.category != "legal"


def _health(row: Row, body: Body) -> bool:
    return row.category != "services"


def _services(row: Row, body: Body) -> bool:
    return row.category == "services"


def _assessment(row: Row, body: Body) -> bool:
    return row.category != "referrals"


def _referral(row: Row, body: Body) -> bool:
    return row.category == "referrals" and not planned(body)


def _plan(row: Row, body: Body) -> bool:
    return row.type != "ServiceRequest" or planned(body)


# heading -> the types that it holds, and which of them
PARTS: Mapping[str, tuple[frozenset[str], Callable[[Row, Body], bool]]] = {
    "alerts": (frozenset({"Flag"}), _not_legal),
    "allergies": (frozenset({"AllergyIntolerance"}), _any),
    "medicines": (frozenset({"MedicationStatement", "MedicationRequest"}), _any),
    "problems": (frozenset({"Condition"}), _health),
    "encounters": (frozenset({"Encounter", "Appointment"}), _any),
    "packages": (frozenset({"EpisodeOfCare", "Condition"}), _services),
    "assessments": (frozenset({"Task", "QuestionnaireResponse"}), _assessment),
    "referrals": (frozenset({"ServiceRequest", "Task"}), _referral),
    "plans": (frozenset({"CarePlan", "Goal", "ServiceRequest"}), _plan),
    "contacts": (frozenset({"RelatedPerson", "CareTeam"}), _any),
    "legal": (frozenset({"Flag", "Consent", "DocumentReference", "RelatedPerson"}), _legal),
}
TYPES = tuple(sorted(frozenset().union(*(types for types, _ in PARTS.values())) | {"List"}))


def summary(conn: Connection, lens: Lens, person: PersonKey) -> Summary:
    """The summary of all that this requester may see of the person, newest first under each heading. Two statements."""
    rows = _rows(conn, lens, person)
    names = names_in(conn, lens, rows)
    read = opened(rows)
    behind = covered(read)
    parts = {}
    for heading, (types, fits) in PARTS.items():
        mine = [(row, body) for row, body in read if row.type in types and fits(row, body) and row.key not in behind]
        told = {id(body) for row, body in mine if _denies(row, body)}
        entries = [entry(row, body, names) for row, body in mine if id(body) not in told]
        parts[heading] = _part(entries, sorted({row.source for row, body in mine if id(body) in told}))
    allergies = parts["allergies"]
    none_known = {*allergies.none_known, *said_none(read)}
    return Summary(**{**parts, "allergies": replace(allergies, none_known=tuple(sorted(none_known)))})


def _rows(conn: Connection, lens: Lens, person: PersonKey) -> list[Row]:
    rows: list[Row] = []
    after = ""
    while True:
        page = search.run(conn, lens, Query(types=TYPES, person=person, count=_PART, after=after))
        rows += page.rows
        after = page.next
        if not after:
            return rows


def _part(entries: Sequence[Entry], none_known: Iterable[str]) -> Part:
    """What counts now before what is over; high risks first (an allergy that could kill is never below the fold)."""
    ranked = sorted(entries, key=lambda one: one.state != HIGH_RISK)  # stable: the rest stays newest first
    current = tuple(one for one in ranked if not one.over)
    return Part(current, tuple(one for one in ranked if one.over), tuple(none_known))


def _denies(row: Row, body: Body) -> bool:
    """An AllergyIntolerance that says, today, that there is none."""
    if row.type != "AllergyIntolerance" or codes(body.get("code")).isdisjoint(NO_ALLERGY):
        return False
    return not say(body, Names()).over


def said_none(read: Read) -> set[str]:
    """Sources whose list of allergies says `nilknown`. An empty list with any other reason says nothing."""
    lists = ((row, body) for row, body in read if row.type == "List" and "allerg" in str(body.get("title", "")).lower())
    return {row.source for row, body in lists if "nilknown" in codes(body.get("emptyReason"))}


def covered(read: Read) -> set[object]:
    """Prescriptions behind a medicine that is listed already: the statement stands for its plan and all its issues.

    GP Connect 1.x: MedicationStatement.basedOn names the plan, MedicationRequest.basedOn of each order the plan.
    """
    requests = {f"MedicationRequest/{row.key}": (row, body) for row, body in read if row.type == "MedicationRequest"}
    plans = {ref for row, body in read if row.type == "MedicationStatement" for ref in _based_on(body)}
    return {row.key for ref, (row, body) in requests.items() if ref in plans or not plans.isdisjoint(_based_on(body))}


def _based_on(body: Body) -> list[str]:
    return [str(one.get("reference", "")) for one in listed(body.get("basedOn"))]
