"""The people of the demo, the same for every seed: each has a part that a test or a page needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from fhir_adapters.simulators.free_numbers import nhs_number
from fhir_adapters.simulators.people import (
    COUNCIL_A,
    COUNCIL_B,
    GP,
    HOSPITAL,
    PDS,
    PRACTICE,
    Address,
    Person,
)

HEALTH = frozenset({PDS, GP, HOSPITAL})
NORTH = HEALTH | {COUNCIL_A}
BOTH = NORTH | {COUNCIL_B}


@dataclass(frozen=True)
class Part:
    """One of the cast. `on_caseload` is the worker at council A; `problems` come from problems.csv."""

    person: Person
    about: str
    on_caseload: str = ""
    problems: tuple[str, ...] = ()
    signs_in: bool = False


def _address(line: str, town: str, postcode: str) -> Address:
    return Address((line,), town, postcode)


def _person(
    part: str,
    serial: int,
    title: str,
    given: str,
    family: str,
    gender: str,
    born: str,
    address: Address,
    sources: frozenset[str] = NORTH,
    *,
    former_serial: int = 0,
    former_address: Address | None = None,
    ethnicity: str = "White British",
    language: str = "English",
    died_days_ago: int = 0,
    restricted: bool = False,
    maiden: str = "",
    household: int = 0,
) -> Person:
    """`serial` makes the number and the telephones; `household` the shared landline."""
    return Person(
        key=f"cast-{part}",
        nhs_number=nhs_number(serial),
        title=title,
        given=tuple(given.split()),
        family=family,
        gender=gender,
        born=date.fromisoformat(born),
        address=address,
        former_address=former_address or _address(f"{serial} Old Mill Lane", "Northdale", "ZZ95 1AA"),
        landline=f"01632 960{household or serial:03d}",
        mobile=f"07700 900{serial:03d}",
        email="",
        ethnicity=ethnicity,
        language=language,
        practice=PRACTICE,
        sources=sources,
        died_days_ago=died_days_ago,
        former_number=nhs_number(former_serial) if former_serial else "",
        maiden=maiden,
        restricted=restricted,
        part=part,
    )


_TWINS = _address("9 Tenter Terrace", "Northdale", "ZZ94 3QD")
_OGDENS = _address("31 Low Mill Lane", "Northdale", "ZZ94 2RS")
W001 = "W001"  # Sam Okafor
W002 = "W002"  # Priya Nair

CAST: tuple[Part, ...] = (
    Part(
        _person("margaret-ellison", 1, "Mrs", "Margaret Rose", "Ellison", "female", "1941-03-12",
                _address("14 Weavers Court", "Northdale", "ZZ94 1AB")),
        "The rich record: dementia, diabetes, care packages, on ward 7 now",
        W001,
        ("alzheimers", "type-2-diabetes", "hypertension", "osteoarthritis", "osteoporosis", "kidney-disease", "falls",
         "cataract", "incontinence", "heart-failure"),
    ),
    Part(
        _person("harold-bentley", 2, "Mr", "Harold", "Bentley", "male", "1938-07-30",
                _address("2 Beck View", "Northdale", "ZZ94 5LT")),
        "Objected to sharing his whole record, at the hospital",
        W001,
        ("copd", "coronary-disease"),
    ),
    Part(
        _person("rebecca-lowe", 3, "Ms", "Rebecca Jane", "Lowe", "female", "1986-11-02",
                _address("Flat 3, 40 Priory Road", "Northdale", "ZZ95 2HB"), restricted=True),
        "Restricted ('S') in PDS: her address must not be found",
        W001,
        ("anxiety", "asthma"),
    ),
    Part(
        _person("stanley-firth", 4, "Mr", "Stanley", "Firth", "male", "1935-01-19",
                _address("7 Chapel Street", "Northdale", "ZZ94 1XY"), died_days_ago=12),
        "Died twelve days ago: PDS knows, the council does not yet",
        W001,
        ("heart-failure", "atrial-fibrillation", "kidney-disease"),
    ),
    Part(
        _person("mohammed-iqbal", 5, "Mr", "Mohammed", "Iqbal", "male", "1952-05-05",
                _address("118 Victoria Road", "Northdale", "ZZ94 8PL"), former_serial=6, ethnicity="Pakistani",
                language="Urdu"),
        "Has a superseded NHS number, which the council and the hospital still hold",
        W001,
        ("type-2-diabetes", "stroke", "hypertension"),
    ),
    Part(
        _person("derek-holroyd", 7, "Mr", "Derek", "Holroyd", "male", "1964-09-14",
                _address("Flat 12, 3 Canal Wharf", "Northdale", "ZZ95 4DN")),
        "Alcohol and opioid dependence: sensitive items",
        W001,
        ("alcohol-dependence", "opioid-dependence", "depression"),
    ),
    Part(
        _person("chloe-sutcliffe", 8, "Miss", "Chloe", "Sutcliffe", "female", "1998-02-23",
                _address("5 Bluebell Close", "Northdale", "ZZ95 7KU")),
        "Learning disability, and a sexual health item that her social worker must not see",
        W001,
        ("learning-disability", "epilepsy", "chlamydia"),
    ),
    Part(
        _person("edith-crabtree", 9, "Mrs", "Edith", "Crabtree", "female", "1933-12-01",
                _address("Ashgrove Care Home, 1 Orchard Way", "Northdale", "ZZ94 6GH")),
        "Her daughter holds lasting power of attorney for health and welfare",
        W001,
        ("vascular-dementia", "stroke", "frailty"),
    ),
    Part(
        _person("winifred-naylor", 10, "Mrs", "Winifred", "Naylor", "female", "1945-04-27",
                _address("22 Moorside Avenue", "Northdale", "ZZ94 9BA")),
        "A safeguarding concern: financial abuse",
        W001,
        ("osteoarthritis", "depression", "alzheimers"),
    ),
    Part(
        _person("ivy-barraclough", 11, "Miss", "Ivy", "Barraclough", "female", "1943-08-16", _TWINS, household=11),
        "Twin of Olive, at one address",
        W001,
        ("hypertension", "osteoporosis"),
    ),
    Part(
        _person("olive-barraclough", 12, "Miss", "Olive", "Barraclough", "female", "1943-08-16", _TWINS, household=11),
        "Twin of Ivy, at one address",
        W001,
        ("rheumatoid-arthritis",),
    ),
    Part(
        _person("joyce-adeyemi", 13, "Mrs", "Joyce", "Adeyemi", "female", "1956-10-08",
                _address("64 Hawthorn Grove", "Northdale", "ZZ94 4TW"), ethnicity="African"),
        "Signs in to see her own record",
        W001,
        ("type-2-diabetes", "stroke", "hypertension"),
        signs_in=True,
    ),
    Part(
        _person("elizabeth-smith", 15, "Mrs", "Elizabeth Anne", "Smith", "female", "1950-06-21",
                _address("8 Kiln Close", "Southmere", "XX2 5PQ"), BOTH,
                former_address=_address("51 Station Road", "Northdale", "ZZ94 7CC"), maiden="Pogson"),
        "Moved from Northdale to Southmere: Liz Smyth at the old address to one council",
        W002,
        ("parkinsons", "depression"),
    ),
    Part(
        _person("george-ogden-senior", 16, "Mr", "George", "Ogden", "male", "1939-02-11", _OGDENS, household=16),
        "Father of a son of the same name, at one address",
        W002,
        ("copd", "frailty"),
    ),
    Part(
        _person("george-ogden-junior", 17, "Mr", "George", "Ogden", "male", "1967-05-29", _OGDENS, household=16),
        "Son of a father of the same name, at one address",
        W002,
        ("multiple-sclerosis",),
    ),
    Part(
        _person("brian-thorpe", 18, "Mr", "Brian", "Thorpe", "male", "1947-09-03",
                _address("3 Quarry Lane", "Northdale", "ZZ94 2WE")),
        "Twice in the council's records",
        W002,
        ("coronary-disease", "type-2-diabetes"),
    ),
    Part(
        _person("nasreen-akhtar", 19, "Mrs", "Nasreen", "Akhtar", "female", "1961-01-25",
                _address("77 Albert Street", "Northdale", "ZZ95 8RR"), ethnicity="Pakistani", language="Urdu"),
        "Objected to sharing her mental health record with the council, at the hospital",
        W002,
        ("bipolar", "type-2-diabetes"),
    ),
    Part(
        _person("noah-kershaw", 20, "", "Noah", "Kershaw", "male", "2016-03-30",
                _address("19 Springfield Drive", "Northdale", "ZZ95 3FJ"), ethnicity="Mixed White and Black Caribbean"),
        "A child: his mother has parental responsibility",
        W002,
        ("cerebral-palsy", "epilepsy"),
    ),
    Part(
        _person("catherine-obrien", 21, "Mrs", "Catherine", "O'Brien", "female", "1944-07-07",
                _address("6 Holly Bank Court", "Southmere", "XX1 4AN"), HEALTH | {COUNCIL_B},
                ethnicity="White Irish"),
        "Gwen Price's at Southmere: a package of home support",
        "",
        ("alzheimers", "atrial-fibrillation"),
    ),
)  # fmt: skip

PARTS: Mapping[str, Part] = {part.person.part: part for part in CAST}

# The people of the demo by name.
MARGARET_ELLISON = PARTS["margaret-ellison"].person
HAROLD_BENTLEY = PARTS["harold-bentley"].person
REBECCA_LOWE = PARTS["rebecca-lowe"].person
STANLEY_FIRTH = PARTS["stanley-firth"].person
MOHAMMED_IQBAL = PARTS["mohammed-iqbal"].person
DEREK_HOLROYD = PARTS["derek-holroyd"].person
CHLOE_SUTCLIFFE = PARTS["chloe-sutcliffe"].person
EDITH_CRABTREE = PARTS["edith-crabtree"].person
WINIFRED_NAYLOR = PARTS["winifred-naylor"].person
IVY_BARRACLOUGH = PARTS["ivy-barraclough"].person
OLIVE_BARRACLOUGH = PARTS["olive-barraclough"].person
JOYCE_ADEYEMI = PARTS["joyce-adeyemi"].person
ELIZABETH_SMITH = PARTS["elizabeth-smith"].person
BRIAN_THORPE = PARTS["brian-thorpe"].person
NASREEN_AKHTAR = PARTS["nasreen-akhtar"].person
NOAH_KERSHAW = PARTS["noah-kershaw"].person
CATHERINE_OBRIEN = PARTS["catherine-obrien"].person

# What each is for.
ON_WARD_NOW = MARGARET_ELLISON
OBJECTED = HAROLD_BENTLEY
OBJECTED_IN_PART = NASREEN_AKHTAR
RESTRICTED = REBECCA_LOWE
DECEASED = STANLEY_FIRTH
SUPERSEDED_NUMBER = MOHAMMED_IQBAL
SENSITIVE = DEREK_HOLROYD
SEXUAL_HEALTH = CHLOE_SUTCLIFFE
LEGAL_AUTHORITY = EDITH_CRABTREE
SAFEGUARDING = WINIFRED_NAYLOR
SIGNS_IN = JOYCE_ADEYEMI
TWICE_AT_COUNCIL = BRIAN_THORPE
TWINS = (IVY_BARRACLOUGH, OLIVE_BARRACLOUGH)
FATHER_AND_SON = (PARTS["george-ogden-senior"].person, PARTS["george-ogden-junior"].person)
CASELOAD_OF_SAM = tuple(part.person for part in CAST if part.on_caseload == W001)
