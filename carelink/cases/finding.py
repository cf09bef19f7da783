"""Finding a person: by NHS number, by name and birth date, or by family name and postcode."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import nhs_number
from sqlalchemy import Connection

from carelink.cases.banner import Banner, banner
from carelink.consent.lens import Lens
from carelink.ids import NHS_NUMBER, PersonKey, ResourceKey
from carelink.place import Place
from carelink.record import search
from carelink.record.query import Criterion, Query, Row

MOST = 50  # Patients looked at; more hits mean that more must be asked
POSTCODE = re.compile(r"^[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}$")


@dataclass(frozen=True)
class Asked:
    """What was typed, cleaned."""

    nhs_number: str = ""
    family: str = ""
    given: str = ""
    born: str = ""  # ISO date
    postcode: str = ""


@dataclass(frozen=True)
class Found:
    people: tuple[Banner, ...]
    more: bool = False


def read(form: Mapping[str, str]) -> tuple[Asked, dict[str, str]]:
    """What was asked, and what is wrong with it by field. Either an NHS number, or a family name with something more."""
    number = re.sub(r"[\s-]", "", typed(form, "nhs_number"))
    if number:
        wrong = {} if nhs_number.is_valid(number) else {"nhs_number": "This is not an NHS number: check the ten digits"}
        return Asked(nhs_number=number), wrong
    born, wrong = birth_date(form)
    asked = Asked(
        family=typed(form, "family"), given=typed(form, "given"), born=born, postcode=typed(form, "postcode").upper()
    )
    return asked, wrong | _missing(asked, wrong)


def typed(form: Mapping[str, str], name: str) -> str:
    """Without spaces around it and without what nobody types."""
    return "".join(letter for letter in form.get(name, "") if letter.isprintable()).strip()


def birth_date(form: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The ISO date of the fields `born-day`, `born-month` and `born-year`, empty for none; what is wrong with it."""
    parts = [typed(form, f"born-{part}") for part in ("year", "month", "day")]
    if not any(parts):
        return "", {}
    if not all(part.isdecimal() for part in parts):
        return "", {"born": "Date of birth must have a day, a month and a year"}
    if len(parts[0]) != 4:
        return "", {"born": "The year of birth must have four digits"}
    try:
        return date(*(int(part[:4]) for part in parts)).isoformat(), {}
    except ValueError:
        return "", {"born": "Date of birth must be a real date"}


def _missing(asked: Asked, wrong: Mapping[str, str]) -> dict[str, str]:
    if not (asked.family or asked.given or asked.born or asked.postcode or wrong):
        return {"nhs_number": "Enter an NHS number, or a family name with a date of birth or postcode"}
    if not asked.family:
        return {"family": "Enter the family name"}
    if asked.postcode and not POSTCODE.match(asked.postcode):
        return {"postcode": "Enter a whole postcode, like DM1 4QT"}
    if not asked.born and not asked.postcode and "born" not in wrong:
        return {"born": "Enter the date of birth or the postcode as well"}
    return {}


def find(conn: Connection, place: Place, lens: Lens, asked: Asked) -> Found:
    """The people that fit and that this requester may know, by family name.

    Whatever former name or spelling was met, they are shown as they are known now: that is their golden Patient.
    """
    page = search.run(conn, lens, Query(types=("Patient",), criteria=_criteria(asked), count=MOST))
    by_person: dict[PersonKey, list[Row]] = {}
    for row in page.rows:
        if row.person is not None:
            by_person.setdefault(row.person, []).append(row)
    for golden in search.by_keys(conn, lens, (ResourceKey(person) for person in by_person)):
        by_person[PersonKey(golden.key)].append(golden)
    people = [one for key, rows in by_person.items() if (one := banner(key, rows, place)) is not None]
    return Found(tuple(sorted(people, key=lambda one: (one.order, str(one.person)))), bool(page.next))


def _criteria(asked: Asked) -> tuple[Criterion, ...]:
    if asked.nhs_number:
        return (Criterion("identifier", (f"{NHS_NUMBER}|{asked.nhs_number}",)),)
    wanted = (
        ("family", asked.family),
        ("given", asked.given),
        ("birthdate", asked.born),
        ("address-postalcode", asked.postcode),
    )
    return tuple(Criterion(name, (value,)) for name, value in wanted if value)
