"""The sections of a patient summary, and what of a record stands in each: this table is what a clinical reader checks.

HL7 International Patient Summary 2.0 (FHIR R4), Composition: LOINC codes of its sections. What a place has that no
section of the IPS is made for stands where its reader looks for it: care packages in the plan of care, what a council
supports somebody for in functional status. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from carelink.record.query import Row
from carelink.record.summary import PARTS, covered
from carelink.record.timeline import Entry
from carelink.record.timeline_said import MISTAKEN
from carelink.record.timeline_values import Body, codes, listed

MOST = 60  # entries of one section: a summary is no record
NO_INFORMATION = "Nothing is recorded here that can be shown"
_VITAL = frozenset({"vital-signs"})
_SOCIAL = frozenset({"social-history"})
_FUNCTION = frozenset({"functional-status", "survey", "activity", "cognitive-status", "disability-status"})
_WRONG = frozenset({"refuted", "entered-in-error"})
_PRIVACY = frozenset({"patient-privacy", "research"})
_SAYS = ("value", "component", "hasMember", "interpretation")


@dataclass(frozen=True)
class Item:
    """A resource that may be shown, read once, and in words; `source` is what pages call whoever sent it."""

    row: Row
    body: Body
    entry: Entry
    source: str = ""

    @property
    def reference(self) -> str:
        return f"{self.row.type}/{self.row.key}"


Fits = Callable[[Item], bool]


@dataclass(frozen=True)
class Section:
    """`required`: it is there even where it is empty. `latest`: of one kind the latest alone."""

    title: str
    code: str  # LOINC
    types: frozenset[str]
    fits: Fits
    required: bool = False
    latest: bool = False


def _current(one: Item) -> bool:
    return not one.entry.over


def _sure(one: Item) -> bool:
    return codes(one.body.get("verificationStatus")).isdisjoint(_WRONG) and one.body.get("status") not in MISTAKEN


def _allergy(one: Item) -> bool:
    return _current(one) and _sure(one)


def _problem(one: Item) -> bool:
    return _current(one) and _sure(one) and one.row.category != "services"


def _past(one: Item) -> bool:
    return one.entry.over and _sure(one) and one.row.category != "services"


def _supported(one: Item) -> bool:
    if one.row.type == "Condition":
        return one.row.category == "services" and _current(one) and _sure(one)
    return _sure(one) and bool(_kinds(one) & _FUNCTION)


def _kinds(one: Item) -> set[str]:
    return codes(one.body.get("category"))


def _vital(one: Item) -> bool:
    return _sure(one) and bool(_kinds(one) & _VITAL)


def _social(one: Item) -> bool:
    return _sure(one) and bool(_kinds(one) & _SOCIAL)


def _result(one: Item) -> bool:
    """What was found and says what: practices note with an Observation of the problem that it was talked about."""
    says = one.row.type != "Observation" or any(name.startswith(_SAYS) for name in one.body)
    return says and _sure(one) and _kinds(one).isdisjoint(_VITAL | _SOCIAL | _FUNCTION)


def _planned(one: Item) -> bool:
    return _current(one) and (one.row.type != "EpisodeOfCare" or one.row.category == "services")


def _legal(one: Item) -> bool:
    """What was decided for the time when somebody can't decide, and who decides then; not whom the record is shared with."""
    fits = PARTS["legal"][1]
    return _current(one) and fits(one.row, one.body) and codes(one.body.get("scope")).isdisjoint(_PRIVACY)


def _alert(one: Item) -> bool:
    return _current(one) and one.row.category != "legal"


SECTIONS: tuple[Section, ...] = (
    Section("Problems", "11450-4", frozenset({"Condition"}), _problem, required=True),
    Section("Allergies and intolerances", "48765-2", frozenset({"AllergyIntolerance"}), _allergy, required=True),
    Section("Medicines", "10160-0", frozenset({"MedicationStatement", "MedicationRequest"}), _current, required=True),
    Section("Vaccinations", "11369-6", frozenset({"Immunization"}), _current),
    Section("Results", "30954-2", frozenset({"Observation", "DiagnosticReport"}), _result, latest=True),
    Section("Vital signs", "8716-3", frozenset({"Observation"}), _vital, latest=True),
    Section("Procedures", "47519-4", frozenset({"Procedure"}), _current),
    Section("Past problems", "11348-0", frozenset({"Condition"}), _past),
    Section("Functional status", "47420-5", frozenset({"Condition", "Observation"}), _supported, latest=True),
    Section("Social history", "29762-2", frozenset({"Observation"}), _social, latest=True),
    Section("Care and support plan", "18776-5", frozenset({"CarePlan", "Goal", "EpisodeOfCare"}), _planned),
    Section(
        "Decisions made in advance, and who decides",
        "42348-3",
        frozenset({"Consent", "DocumentReference", "Flag", "RelatedPerson"}),
        _legal,
    ),
    Section("Alerts", "104605-1", frozenset({"Flag"}), _alert),
)
TYPES = tuple(sorted(frozenset().union(*(one.types for one in SECTIONS)) | {"Patient", "List"}))


@dataclass(frozen=True)
class Filled:
    section: Section
    items: tuple[Item, ...]


def filled(items: Iterable[Item]) -> tuple[Filled, ...]:
    """The sections that have something in them, and the required ones, each newest first, as the items come."""
    found = list(items)
    behind = covered([(one.row, one.body) for one in found])
    said = [one for one in found if one.row.key not in behind]
    sections = (Filled(section, _of(section, said)) for section in SECTIONS)
    return tuple(one for one in sections if one.items or one.section.required)


def _of(section: Section, items: Iterable[Item]) -> tuple[Item, ...]:
    mine = [one for one in items if one.row.type in section.types and section.fits(one)]
    if section.latest:
        first: dict[object, Item] = {}
        for one in mine:
            first.setdefault(_kind(one), one)
        mine = list(first.values())
    return tuple(mine[:MOST])


def _kind(one: Item) -> tuple[str, str]:
    """What it is a value of: by its first code, or by its words."""
    code = one.body.get("code", {})
    coded: Iterable[Mapping[str, str]] = listed(code.get("coding"))
    return one.row.type, next((said["code"] for said in coded if "code" in said), str(code.get("text", one.row.key)))
