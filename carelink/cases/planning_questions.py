"""The questions that can be asked about many people, as data: what is counted, by what, and the one statement for it.

There are no filters, and no question's people are the sum of another's: two answers that differ by a few people would
tell who they are. So there are no totals either, and no count of all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, cast, func, literal, select, true
from sqlalchemy.dialects.postgresql import JSONB

from carelink.clock import LONDON
from carelink.consent.lens import Lens
from carelink.db.tables import index_date, index_token, person, resource
from carelink.place import Place
from carelink.record.golden_store import MADE_HERE, home
from carelink.record.parameters import of_type

_T, _P = resource.c, person.c
_PEOPLE = func.count(_T.person.distinct()).label("people")
MONTHS = 12
_NOTHING = literal("")

Pairs = Sequence[tuple[str, str]]  # what the statement gives, and its words
Statement = Callable[[Lens, Place, date], Select[Any]]  # rows of (row, words, col, people)


@dataclass(frozen=True)
class Question:
    """`rows` and `columns` are all that there are; a question without rows lists those that enough people have."""

    id: str
    words: str
    counts: str  # who is counted
    row: str  # heading of the first column
    statement: Statement
    rows: Callable[[date], Pairs] | None = None
    columns: Callable[[date], Pairs] = lambda today: (("", "People"),)


# Ages and dates -------------------------------------------------------------------------------------

# From that age on, up to the next.
BANDS: Mapping[int, str] = {
    0: "0 to 17",
    18: "18 to 24",
    25: "25 to 44",
    45: "45 to 64",
    65: "65 to 74",
    75: "75 to 84",
    85: "85 and over",
}
SEXES: Pairs = (("female", "Female"), ("male", "Male"), ("other", "Other or not known"))
STATUSES: Pairs = (
    ("active", "Open"),
    ("on-hold", "On hold"),
    ("completed", "Completed"),
    ("revoked", "Withdrawn"),
    ("other", "Other"),
)


def _bands(today: date) -> Pairs:
    return (*((str(start), words) for start, words in BANDS.items()), ("", "Age not known"))


def months(today: date) -> Pairs:
    """The last whole months, the newest first."""
    last = today.year * 12 + today.month - 2  # of the month before this one, counted from year 0
    told = [date(number // 12, number % 12 + 1, 1) for number in range(last, last - MONTHS, -1)]
    return tuple((f"{one:%Y-%m}", f"{one:%B %Y}") for one in told)


def _band(low: ColumnElement[Any], today: date) -> ColumnElement[str]:
    years = func.date_part("year", func.age(today, func.timezone(str(LONDON), low)))
    bands = [(years >= start, str(start)) for start in sorted(BANDS, reverse=True)]
    return case(*bands, else_=_NOTHING)


_MONTH = func.to_char(func.timezone(str(LONDON), _T.clinical), "YYYY-MM")
_BODY = cast(_T.body, JSONB)


# Statements -----------------------------------------------------------------------------------------


def _counted(lens: Lens, row: Any, column: Any = _NOTHING, words: Any = _NOTHING) -> Select[Any]:
    """People by row and column, of what this lens may count."""
    columns = (row.label("row"), words.label("words"), column.label("col"))
    return select(*columns, _PEOPLE).where(lens.counted(resource), _T.deleted.is_(False), _T.person.is_not(None))


def _age_and_sex(lens: Lens, place: Place, today: date) -> Select[Any]:
    """Of the living, by their golden Patient."""
    born, gender = index_date.alias("born"), index_token.alias("gender")
    numbers = {name: of_type("Patient")[name].number for name in ("birthdate", "gender")}
    row = _band(born.c.low, today)
    column = case((gender.c.code.in_(["female", "male"]), gender.c.code), else_="other")
    return (
        _counted(lens, row, column)
        .join_from(resource, person, and_(_P.key == _T.person, _P.deceased.is_(False)))
        .outerjoin(born, and_(born.c.key == _T.key, born.c.parameter == numbers["birthdate"]))
        .outerjoin(gender, and_(gender.c.key == _T.key, gender.c.parameter == numbers["gender"]))
        .where(_T.type == "Patient", _T.source == MADE_HERE)
        .group_by(row, column)
    )


def _category(lens: Lens, place: Place, today: date) -> Select[Any]:
    """Demographics are of everybody: the sum of the ages."""
    return _counted(lens, _T.category).where(_T.category != "demographics").group_by(_T.category)


def _holder(lens: Lens, place: Place, today: date) -> Select[Any]:
    """What CareLink made itself is of everybody too."""
    own = _T.custodian != home(place).ods
    return _counted(lens, _T.custodian).where(own, _T.category != "demographics").group_by(_T.custodian)


def _condition(lens: Lens, place: Place, today: date) -> Select[Any]:
    """By code: what somebody wrote in words may tell who it is of."""
    code = func.jsonb_array_elements(_BODY[("code", "coding")]).table_valued("value")
    coding = cast(code.c.value, JSONB)
    name, system = coding["code"].astext, coding["system"].astext
    words = func.mode().within_group(coding["display"].astext)
    counted = _counted(lens, system + "|" + name, words=words).join_from(resource, code, true())
    return counted.where(_T.type == "Condition", system.is_not(None)).group_by(system, name)


def _service(lens: Lens, place: Place, today: date) -> Select[Any]:
    """Packages that are going on, by their first code."""
    coding = _BODY[("type", "0", "coding", "0")]
    name = func.coalesce(coding["system"].astext, "") + "|" + coding["code"].astext
    words = func.mode().within_group(func.coalesce(coding["display"].astext, _BODY[("type", "0", "text")].astext))
    going_on = and_(_T.type == "EpisodeOfCare", _BODY["status"].astext == "active", coding["code"].astext.is_not(None))
    return _counted(lens, name, words=words).where(going_on).group_by(name)


def _referral(lens: Lens, place: Place, today: date) -> Select[Any]:
    known = [status for status, _ in STATUSES]
    status = case((_BODY["status"].astext.in_(known), _BODY["status"].astext), else_="other")
    asked = and_(_T.type == "ServiceRequest", _T.category == "referrals", _recent(today))
    return _counted(lens, _MONTH, status).where(asked).group_by(_MONTH, status)


def _encounter(lens: Lens, place: Place, today: date) -> Select[Any]:
    return _counted(lens, _MONTH).where(_T.type == "Encounter", _recent(today)).group_by(_MONTH)


def _recent(today: date) -> ColumnElement[bool]:
    return _MONTH.in_([month for month, _ in months(today)])


QUESTIONS: tuple[Question, ...] = (
    Question(
        "people-by-age-and-sex",
        "How many people, by age and sex?",
        "People who are alive, by what CareLink knows of who they are.",
        "Age",
        _age_and_sex,
        rows=_bands,
        columns=lambda today: SEXES,
    ),
    Question(
        "people-by-kind-of-information",
        "Of how many people is what held?",
        "People of whom at least one item of that kind is held.",
        "Kind of information",
        _category,
    ),
    Question(
        "people-by-condition",
        "How many people have which condition?",
        "People with that code among their problems, whether it is going on or over.",
        "Condition",
        _condition,
    ),
    Question(
        "people-by-service",
        "How many people have which care package?",
        "People with a package of that kind that is going on.",
        "Care package",
        _service,
    ),
    Question(
        "referrals-by-month-and-status",
        "How many people were referred, by month and what became of it?",
        "People with a referral of that month that stands so now.",
        "Month",
        _referral,
        rows=months,
        columns=lambda today: STATUSES,
    ),
    Question(
        "encounters-by-month",
        "How many people had a stay or visit, by month?",
        "People with at least one that began in that month.",
        "Month",
        _encounter,
        rows=months,
    ),
    Question(
        "people-by-organisation",
        "Of how many people does which organisation hold something?",
        "People of whom it holds something that may be counted.",
        "Organisation",
        _holder,
    ),
)
BY_ID: Mapping[str, Question] = {one.id: one for one in QUESTIONS}
