"""Correcting the label of an item: by the organisation that answers for it, with a reason, and undone as easily."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from carelink.audit.trail import Event, append
from carelink.cases.recording import must_be_involved
from carelink.consent.labels import Label, label
from carelink.consent.lens import Lens
from carelink.consent.sensitivity import Sensitivities, Sensitivity, sensitivities
from carelink.errors import Forbidden, Invalid, NotFound
from carelink.ids import PersonKey, ResourceKey, UserId
from carelink.place import Place
from carelink.record import corrections, hints, provenance, search
from carelink.record.corrections import Correction
from carelink.record.query import Row
from carelink.record.relabelling import as_given, labelled, relabel, stored
from carelink.record.timeline import Entry, entry
from carelink.record.timeline_names import names_in, opened
from carelink.record.timeline_values import human_name
from fhir_adapters import exact_json

MAY = "correct-labels"
MAY_LEGAL = "see-legally-restricted"
LONGEST = 1000  # characters of a reason
NO_LABELS = frozenset({"demographics", "directory"})  # who somebody is, and who works where, are no kind to choose


@dataclass(frozen=True)
class Wanted:
    """The label that an item is to have, and why."""

    category: str
    sensitivities: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Labelled:
    """One item with its label, as whoever may correct it sees it. `entry` is the item in words."""

    entry: Entry
    person: PersonKey | None
    person_name: str
    label: Label
    by_rules: Label  # what it would be without a correction
    correction: Correction | None
    known: Sensitivities

    @property
    def names(self) -> tuple[str, ...]:
        """The sensitivities that it has."""
        return self.known.names(self.label.sensitivities)

    @property
    def names_by_rules(self) -> tuple[str, ...]:
        """The sensitivities that the rules of the place and its source give it."""
        return self.known.names(self.by_rules.sensitivities)


def may_correct(lens: Lens, custodian: str) -> bool:
    """Whether this requester may correct the labels of what that organisation answers for."""
    asks = lens.requester  # who only looks as somebody else changes nothing
    return MAY in lens.may and asks is not None and asks.behind is None and asks.organisation == custodian


def item(conn: Connection, place: Place, lens: Lens, key: ResourceKey) -> Labelled:
    """The item with its label. Audited as a read.

    Raises `Forbidden` for a role that corrects no labels, where another organisation answers for the item, and for who
    may only look at the person's record; `NotFound` where this requester may not see it.
    """
    row = _seen(conn, lens, key)
    return _labelled(conn, place, lens, row, _stored(conn, lens, key))


def correct(conn: Connection, place: Place, lens: Lens, key: ResourceKey, wanted: Wanted) -> bool:
    """Give the item that label, now and at every later pull; gives whether this requester still sees it then.

    Raises `Invalid` with the form's field, `Forbidden` and `NotFound` as `item`, and `Forbidden` where what the law
    restricts would be shown by somebody whose role may not see it.
    """
    row, there = _seen(conn, lens, key), _stored(conn, lens, key, lock=True)
    rules = _by_rules(place, there)
    bits = _bits(place, wanted, rules)
    _keep_the_law(lens, there.sensitivities, bits)
    made = _correction(lens, rules, wanted, bits)
    if made.same(corrections.current(conn, [key]).get(key)):
        raise Invalid("sensitivities", "This is the label that it has: nothing was changed")
    if made.same(None):
        _undo(conn, place, lens, row)
    else:
        corrections.keep(conn, key, made)
        _apply(conn, place, lens, row, made)
    fitting = [one.id for one in place.labels if one.text and not sensitivities(place).mask(one.sensitivities) & ~bits]
    hints.answer(conn, key, fitting, "labelled", UserId(lens.user), lens.at)
    return not bits & Sensitivity.LEGAL or MAY_LEGAL in lens.may


def undo(conn: Connection, place: Place, lens: Lens, key: ResourceKey) -> None:
    """Take the correction back: the item is labelled by the rules again.

    Raises as `correct`, and `NotFound` where there is none.
    """
    row, there = _seen(conn, lens, key), _stored(conn, lens, key, lock=True)
    if key not in corrections.current(conn, [key]):
        raise NotFound("There is no correction of this label")
    _keep_the_law(lens, there.sensitivities, _by_rules(place, there).sensitivities)
    _undo(conn, place, lens, row)


def _undo(conn: Connection, place: Place, lens: Lens, row: Row) -> None:
    corrections.undo(conn, row.key, UserId(lens.user), lens.at)
    _apply(conn, place, lens, row, None)


def _apply(conn: Connection, place: Place, lens: Lens, row: Row, made: Correction | None) -> None:
    """To the stored item at once, with a Provenance that says why; audited as `label`, without what the label says."""
    job = Lens.system("a custodian's correction of a label", lens.at, lens.user)
    relabel(conn, place, job, [row.key], lens.at)
    target = labelled(place, as_given(_stored(conn, job, row.key)), made)
    provenance.corrected(conn, place, target, made, lens.at)
    detail = {"resource": str(row.key), "undone": made is None}
    append(conn, Event("label", lens.requester, row.person, query=row.type, count=1, detail=detail), lens.at)


def _seen(conn: Connection, lens: Lens, key: ResourceKey) -> Row:
    if MAY not in lens.may:
        raise Forbidden("Your role does not correct labels", rule=MAY)
    rows = search.by_keys(conn, lens, [key])
    if not rows:
        raise NotFound("There is no such item, or you may not see it")
    if not may_correct(lens, rows[0].custodian):
        raise Forbidden("Another organisation answers for this item: only it can correct the label", rule=MAY)
    if rows[0].person is not None:
        must_be_involved(conn, lens, rows[0].person)
    return rows[0]


def _stored(conn: Connection, lens: Lens, key: ResourceKey, lock: bool = False) -> Any:
    found = stored(conn, lens, [key], lock)
    if not found:
        raise NotFound("This item has no label of its own")
    return found[0]


def _by_rules(place: Place, there: Any) -> Label:
    one = as_given(there)
    return label(place, one.source, one.type, one.body)


def _labelled(conn: Connection, place: Place, lens: Lens, row: Row, there: Any) -> Labelled:
    ((_, body),) = opened([row])
    return Labelled(
        entry=entry(row, body, names_in(conn, lens, [row])),
        person=row.person,
        person_name=names_of(conn, lens, [row]).get(row.person, ""),
        label=Label(there.category, there.sensitivities),
        by_rules=_by_rules(place, there),
        correction=corrections.current(conn, [row.key]).get(row.key),
        known=sensitivities(place),
    )


def names_of(conn: Connection, lens: Lens, rows: Sequence[Row]) -> Mapping[PersonKey | None, str]:
    """How those are called whom these are about, as far as this requester may see it."""
    goldens = {ResourceKey(row.person) for row in rows if row.person is not None}
    found = search.by_keys(conn, lens, goldens)
    return {one.person: human_name(exact_json.loads(one.body).get("name")) for one in found}


def choices(place: Place, rules: Label) -> Mapping[str, str]:
    """The kinds of information that an item may be said to be: id -> words."""
    return {id_: words for id_, words in place.categories.items() if id_ not in NO_LABELS or id_ == rules.category}


def _bits(place: Place, wanted: Wanted, rules: Label) -> int:
    known = sensitivities(place)
    if wanted.category not in choices(place, rules):
        raise Invalid("category", "Choose what kind of information it is")
    if unknown := set(wanted.sensitivities) - set(known.flags):
        raise Invalid("sensitivities", f"There is no sensitivity {', '.join(sorted(unknown))} here")
    if not wanted.why.strip():
        raise Invalid("why", "Say why the label is wrong")
    if len(wanted.why) > LONGEST:
        raise Invalid("why", f"Say it in {LONGEST} characters or fewer")
    return known.mask(wanted.sensitivities)


def _keep_the_law(lens: Lens, before: int, after: int) -> None:
    if before & ~after & Sensitivity.LEGAL and MAY_LEGAL not in lens.may:
        raise Forbidden("Only a role that may see what the law restricts can lift that restriction", rule="L1-legal")


def _correction(lens: Lens, rules: Label, wanted: Wanted, bits: int) -> Correction:
    assert lens.requester is not None
    return Correction(
        category=wanted.category if wanted.category != rules.category else None,
        added=bits & ~rules.sensitivities,
        removed=rules.sensitivities & ~bits,
        why=wanted.why.strip(),
        made_by=lens.requester.user,
        organisation=lens.requester.organisation,
        made_at=lens.at,
    )
