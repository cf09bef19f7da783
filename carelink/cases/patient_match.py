"""Who of the people whom this requester may know is the one that they describe (FHIR R4, Patient $match).

Asked and answered by what the golden Patients show this requester (decision 39): they are looked for through the lens,
and compared by the very text that would be sent. So neither who is found nor how sure it is can tell of an address that
is kept from them, of a name that only a hidden record has, or of somebody whom they may not know to exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from carelink.audit.trail import looked
from carelink.consent.lens import Lens
from carelink.errors import Invalid
from carelink.ids import NHS_NUMBER, PersonKey
from carelink.place import Place
from carelink.record import search
from carelink.record import traits_fold as fold
from carelink.record.likeness import Likeness, alike, certain
from carelink.record.query import Criterion, Query, Row
from carelink.record.traits import Traits, traits
from carelink.record.validation import check
from fhir_adapters import exact_json

COUNT = 10  # where nothing is said
MOST = 20  # at once: nobody goes through a place by matching
MOST_SAID = 10  # names, identifiers, addresses, numbers of whom is asked about
MOST_COMPARED = 2000  # through one block; past it more must be said
_PART = 500
_LISTS = ("name", "identifier", "address", "telecom", "contact", "communication", "link", "extension", "photo")


@dataclass(frozen=True)
class Wanted:
    """How many, and whether only those of whom there is no doubt."""

    count: int = COUNT
    certain: bool = False


@dataclass(frozen=True)
class Matched:
    row: Row
    likeness: Likeness


def read(body: Any, place: str) -> Traits:
    """What the Patient that is asked about says. Raises `Invalid`: no Patient, no name, too much; `place` is where it is."""
    if not isinstance(body, Mapping) or body.get("resourceType") != "Patient":
        raise Invalid(place, "must be a Patient")
    for name in _LISTS:
        if isinstance(said := body.get(name), list) and len(said) > MOST_SAID:
            raise Invalid(f"{place}.{name}", f"has more than {MOST_SAID} values")
    checked = check("Patient", dict(body))
    if checked.problems:
        first = checked.problems[0]
        raise Invalid(place + first.place.removeprefix("Patient"), first.why)
    asked = traits(checked.body)
    if not (asked.family or asked.given):
        raise Invalid(f"{place}.name", "must have a family or a given name")
    return asked


def match(
    conn: Connection, place: Place, lens: Lens, asked: Traits, written: Mapping[str, Any], wanted: Wanted
) -> tuple[Matched, ...]:
    """Golden Patients, the likeliest first. `written` is the Patient as it was sent. One look is kept of those shown."""
    rows = _near(conn, lens, asked, written)
    shown = {person: traits(exact_json.loads(row.body)) for person, row in rows.items()}
    found = alike(asked, shown, place.linking)
    chosen = (certain(found) if wanted.certain else found)[: wanted.count]
    matched = tuple(Matched(rows[one.person], one) for one in chosen)
    looked(conn, lens, "search", "Patient?$match", [one.row for one in matched])
    return matched


def _near(conn: Connection, lens: Lens, asked: Traits, written: Mapping[str, Any]) -> dict[PersonKey, Row]:
    """Everybody who could share a block with them, and some who don't: each block is narrower than its question."""
    found: dict[PersonKey, Row] = {}
    for criteria in dict.fromkeys(_questions(asked, written)):
        found |= {row.person: row for row in _all(conn, lens, criteria) if row.person is not None}
    return found


def _questions(asked: Traits, written: Mapping[str, Any]) -> Iterator[tuple[Criterion, ...]]:
    """`blocking.BLOCKS`, as far as they are indexed: by number, birth date, year with initial, postcode, telephone.

    What tells where somebody is finds nobody of whom that may not be known: the search itself sees to it.
    """
    for number in filter(None, (asked.nhs_number, *asked.nhs_former)):
        yield (Criterion("identifier", (f"{NHS_NUMBER}|{number}",)),)
    if asked.birth_date:
        yield (Criterion("birthdate", (asked.birth_date,)),)
    if asked.birth_date and asked.given:
        yield (Criterion("birthdate", (asked.birth_date[:4],)), Criterion("given", (asked.given[0],)))
    if asked.postcode:
        yield (Criterion("address-postalcode", (asked.postcode,)),)
    if asked.telephone:
        yield (Criterion("telecom", _as_written(asked.telephone, written)),)


def _as_written(telephone: str, written: Mapping[str, Any]) -> tuple[str, ...]:
    """The number as digits and as it was sent: numbers are indexed as their sources write them."""
    said = [str(one.get("value", "")) for one in written.get("telecom", ()) if isinstance(one, Mapping)]
    same = [one for one in said if fold.telephone(one) == telephone]
    return tuple(dict.fromkeys((telephone, *map(_escaped, same))))


def _escaped(value: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\|,$" else letter for letter in value if letter != "\0")


def _all(conn: Connection, lens: Lens, criteria: tuple[Criterion, ...]) -> Iterator[Row]:
    after = ""
    for _ in range(MOST_COMPARED // _PART):
        page = search.unkept(conn, lens, Query(("Patient",), criteria=criteria, goldens=True, count=_PART, after=after))
        yield from page.rows
        after = page.next
        if not after:
            return
    raise Invalid("Parameters", "too many people are like this; say more of whom you mean")
