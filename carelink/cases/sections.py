"""The parts of a person's page, as a table: which resources each shows and what it says when there is none. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from carelink.cases.standing import Standing
from carelink.cases.wording import HIGH_RISK, Body, kind, say
from carelink.ids import ResourceKey
from carelink.place import Place
from carelink.record.query import Row
from fhir_adapters import exact_json

NONE_KNOWN = frozenset({"716186003", "409137002", "428607008", "716220001", "160244002"})  # SNOMED: no known allergies


@dataclass(frozen=True)
class Line:
    """One item on a page, with where it comes from and when it was."""

    key: ResourceKey
    type: str
    kind: str
    title: str
    detail: str
    state: str
    over: bool
    by: str
    when: datetime | None
    source: str
    category: str
    until: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page. `doubt` says why nothing, or little, may not be all."""

    id: str
    heading: str
    current: tuple[Line, ...]
    past: tuple[Line, ...]
    empty: str
    doubt: str = ""
    negated: str = ""  # "No known allergies (GP record)": said, which is not the same as nothing

    @property
    def count(self) -> int:
        return len(self.current) + len(self.past)


@dataclass(frozen=True)
class Shows:
    """A row of the table of sections."""

    id: str
    heading: str
    types: frozenset[str]
    empty: str
    only: Callable[[Row, Body], bool] = lambda row, body: True


def _is_referral(row: Row, body: Body) -> bool:
    return row.type == "ServiceRequest" or "focus" in body or "basedOn" in body or row.category == "referrals"


def _is_assessment(row: Row, body: Body) -> bool:
    return not _is_referral(row, body)


SECTIONS = (
    Shows("medicines", "Medicines", frozenset({"MedicationStatement", "MedicationRequest"}), "No medicines to show."),
    Shows("problems", "Problems", frozenset({"Condition"}), "No problems to show."),
    Shows("encounters", "Hospital stays and visits", frozenset({"Encounter", "Appointment"}), "None to show."),
    Shows("packages", "Care packages", frozenset({"EpisodeOfCare"}), "No care packages to show."),
    Shows(
        "assessments",
        "Assessments",
        frozenset({"Task", "QuestionnaireResponse"}),
        "No assessments to show.",
        _is_assessment,
    ),
    Shows("referrals", "Referrals", frozenset({"ServiceRequest", "Task"}), "No referrals to show.", _is_referral),
    Shows("plans", "Plans", frozenset({"CarePlan"}), "No plans to show."),
    Shows("contacts", "People involved", frozenset({"CareTeam", "RelatedPerson"}), "Nobody to show."),
)
ALERTS = Shows("alerts", "Alerts", frozenset({"Flag"}), "No alerts to show.", lambda row, _: row.category != "legal")
ALLERGIES = Shows("allergies", "Allergies", frozenset({"AllergyIntolerance"}), "Nothing is recorded about allergies.")
LEGAL = Shows(
    "legal",
    "Legal authority",
    frozenset({"Flag", "Consent", "DocumentReference"}),
    "",
    lambda row, _: row.category == "legal",
)
TYPES = frozenset().union(*(one.types for one in (*SECTIONS, ALERTS, ALLERGIES, LEGAL))) | {"Patient", "Medication"}

Read = Sequence[tuple[Row, Body]]


def opened(rows: Iterable[Row]) -> Read:
    """Each row with its body read, once."""
    return [(row, exact_json.loads(row.body)) for row in rows]


def line(row: Row, body: Body, labels: Mapping[str, str], medicines: Mapping[str, str] | None = None) -> Line:
    """One row in words. `medicines` names what a medicationReference points at."""
    said = say(row.type, body)
    title = said.title
    if medicines and (reference := (body.get("medicationReference") or {}).get("reference")):
        title = medicines.get(reference, title)
    return Line(
        row.key,
        row.type,
        kind(row.type),
        title,
        said.detail,
        said.state,
        said.over,
        said.by,
        row.clinical,
        labels.get(row.source, row.source),
        row.category,
        str((body.get("period") or body.get("executionPeriod") or {}).get("end", ""))[:10],
    )


def labels(place: Place) -> dict[str, str]:
    """How pages name each source."""
    return {entry.name: entry.label for entry in place.sources} | {"carelink": place.words.service_name}


def names_of_medicines(read: Read) -> dict[str, str]:
    """`Medication/<key>` -> what it is."""
    return {f"Medication/{row.key}": say("Medication", body).title for row, body in read if row.type == "Medication"}


def section(shows: Shows, read: Read, place: Place, standings: Sequence[Standing], withheld: bool = False) -> Section:
    """The part of the page that this row of the table asks for."""
    named, medicines = labels(place), names_of_medicines(read)
    mine = [(row, body) for row, body in read if row.type in shows.types and shows.only(row, body)]
    negations = [(row, body) for row, body in mine if _denies(row, body)]
    lines = [line(row, body, named, medicines) for row, body in mine if not _denies(row, body)]
    lines.sort(key=lambda one: (one.state != HIGH_RISK, -(one.when.timestamp() if one.when else 0), str(one.key)))
    negated = ", ".join(sorted({named.get(row.source, row.source) for row, _ in negations}))
    current, past = (tuple(one for one in lines if one.over is over) for over in (False, True))
    return Section(shows.id, shows.heading, current, past, shows.empty, doubt(standings, withheld), negated)


def _denies(row: Row, body: Body) -> bool:
    """Whether it says that there is no allergy."""
    if row.type != "AllergyIntolerance":
        return False
    return any(one.get("code") in NONE_KNOWN for one in (body.get("code") or {}).get("coding", ()))


def doubt(standings: Sequence[Standing], withheld: bool = False) -> str:
    """Why there may be more than is shown: sources that can't be reached, an objection. Empty where all is told."""
    unsure = [one.label for one in standings if one.as_of is None or one.failing_since is not None]
    if not unsure:
        return "There may be more that is not shown to you." if withheld else ""
    names = unsure[0] if len(unsure) == 1 else f"{', '.join(unsure[:-1])} and {unsure[-1]}"
    return f"There may be more: {names} can't be reached now."
