"""The lens as SQL: the text that an auditor reads, filled with columns and bound values.

Each is one SQL element with a fixed text, instead of fifty that SQLAlchemy would put together for every search:
that keeps the lens at some microseconds in Python, and the statement the same for every requester.
`:name` is a value of the lens, `{name}` a column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from sqlalchemy import (
    BindParameter,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    FromClause,
    Integer,
    ScalarSelect,
    Text,
    literal_column,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeDecorator, UserDefinedType

from carelink.consent.decision import ENQUIRY
from carelink.consent.sensitivity import Sensitivity
from carelink.consent.unplaced import unplaced

# What is true of the requester and the person, as bits (carelink/db/functions/lens.sql): 1 involved, 2 glass broken,
# 4 kept out of an enquiry, 8 kept away by a court, 16 the person has consents, 32 the person is restricted.
_STANDING = "carelink_standing({person}, :at, :texts, :flags)"
STANDING = "{standing}"
RELATED = 1
GLASS = 2
KEPT_OUT = 4
KEPT_AWAY = 8
DIRECTED = 16
RESTRICTED = 32

INVOLVED = f"{STANDING} & :involving <> 0"  # by a relationship; or by broken glass, where that opens one

# All sensitivities that no agreement names for this custodian and category; null where nothing is agreed.
LEFT_OUT = """(:shared ->> ((:shared ->> {custodian}) || {category}))::int"""
OFFERED = f"""coalesce({{sensitivities}} & {LEFT_OUT} = 0, false)"""

# The rule by which something that another organisation holds is shared; null where it is not: what the person's
# consents, the terms of the place and the relationship come to.
_ITEM = f"""{STANDING}, {LEFT_OUT}, :at, :texts, :numbers,
      {{person}}, {{custodian}}, {{category}}, {{type}}, {{sensitivities}}, {{key}}, {{clinical}}, {{body}}"""
SHARED_BY = f"carelink_ground({_ITEM})"
# The same for the many of whom it is plain: involved, without consents, and nothing is asked for.
_PLAIN = f"{STANDING} & {RELATED | DIRECTED} = {RELATED} and :plain and {{sensitivities}} & :needs_consent = 0"

# The alleged source of harm of an enquiry, whom a court keeps away, and who acts for either.
_ENQUIRY = f"({{sensitivities}} & {int(Sensitivity.SAFEGUARDING)} <> 0 or {{category}} = '{ENQUIRY}')"
KEPT_FROM = f"""(({_ENQUIRY} or {{category}} = 'legal')
      and {STANDING} & case when {_ENQUIRY} then {KEPT_OUT} else {KEPT_AWAY} end <> 0)"""

_LAWFUL = f"(:legal or {{sensitivities}} & {int(Sensitivity.LEGAL)} = 0)"
# Scopes that say more than types come as one JSON text in the place of the types: no type is written so.
_IN_SCOPE = "(:types is null or {type} = any(:types) or carelink_in_reach(:types, {type}, {person}, {body}))"

VISIBLE = f"""({_IN_SCOPE} and (
  ({{person}} is null and {{category}} = 'directory')
  or ({{person}} = :self and {_LAWFUL} and {{sensitivities}} & :hidden_from_person = 0)
  or (:cares
    and {_LAWFUL}
    and not {KEPT_FROM}
    and case when {{custodian}} = :organisation then {INVOLVED}
      when {_PLAIN} then {OFFERED}
      else (:permit_agrees or {OFFERED}) and {SHARED_BY} is not null end)))"""

# Of what is agreed in principle with an involved worker: what a sensitivity, a consent or an objection keeps from them.
WITHHELD = f"""(:cares
    and {_IN_SCOPE}
    and {_LAWFUL}
    and not {KEPT_FROM}
    and {{custodian}} <> :organisation
    and {LEFT_OUT} is not null
    and {INVOLVED}
    and {SHARED_BY} is null)"""

# What broken glass would open and nothing else does.
BREAKABLE = f"""({VISIBLE} is not true and {VISIBLE.replace(STANDING, f"({STANDING} | {GLASS})")})"""

# Counted among many, for planning or research: what is agreed for that purpose, of who did not opt out or object.
COUNTED = f"""(:counts
    and {_IN_SCOPE}
    and {{sensitivities}} & {int(Sensitivity.LEGAL)} = 0
    and {OFFERED}
    and {{sensitivities}} & :needs_consent = 0
    and not exists (select from directive dir
      where dir.person = {{person}} and dir.effect = 'deny' and dir.starts <= :at and (dir.ends is null or dir.ends > :at)
        and (dir.purposes is null or :purpose = any(dir.purposes))
        and (dir.categories is null or {{category}} = any(dir.categories))))"""

# A permission to this requester, of whatever: it lets them open the person's page.
PERMITTED = """(:permit_relates and exists (select from directive dir
      where dir.person = {person} and dir.effect = 'permit' and dir.rule <> 'L6-consent-exception' and dir.starts <= :at and (dir.ends is null or dir.ends > :at)
        and (dir.organisation = :organisation or (dir.organisation is null and dir."user" is not null))
        and (dir.organisation_type is null or dir.organisation_type = :organisation_type)
        and (dir.role is null or dir.role = :role)
        and (dir.team is null or dir.team = :team)
        and (dir."user" is null or dir."user" = :user)
        and (dir.purposes is null or :purpose = any(dir.purposes))))"""

HIDES_PLACE = f"{STANDING} & :hides_place <> 0"  # kept away by a court; or restricted, where the role may not know

LOCATING = f"""(not {HIDES_PLACE})"""

# Of whom the requester may not know where they are: the row is told without which organisation holds it.
HIDDEN = f"({{person}} is not null and {HIDES_PLACE})"

# By which rule a row that may be seen is shown, as `decide` says it; behind the mark where it is told without which
# organisation holds it. The last line but one is so for nearly everybody, and needs no function.
HIDDEN_MARK = "-"
GROUND = f"""case when {{person}} is null then 'L0-directory'
    when {{person}} = :self then case when {{for_person}} is null then 'L2-own-record' else 'L2-own-record-redacted' end
    when {STANDING} & (:hides_place | {DIRECTED | GLASS}) = 0
      then case when {{custodian}} = :organisation then 'L8-own-organisation' else 'L8-agreement' end
    else carelink_shown({_ITEM}, {{redacted}} is not null) end"""

# What stands before a text from which is still to be taken what tells which organisation holds it: whether the
# requester's own organisation does, and which that is. `Sent` takes it out of every answer.
_UNSENT = "\x01"
BODY = f"""case when {HIDDEN}
      then concat(chr(1), ({{custodian}} = :organisation)::int, :organisation, chr(1), coalesce({{redacted}}, {{body}}))
    when {{for_person}} is not null and {{person}} = :self then {{for_person}} else {{body}} end"""

_COLUMN = re.compile(r"\{(\w+)\}")
_VALUE = re.compile(r"(?<!:):(\w+)")


class _Plain(UserDefinedType[Any]):
    """A bound value that the driver takes as it is, with the type that PostgreSQL is told."""

    cache_ok = True
    render_bind_cast = True

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def get_col_spec(self, **kw: Any) -> str:
        return self.spec


# The values of a lens, packed into few parameters: a statement with thirty is slow to put together.
_TEXTS = ("organisation", "organisation_type", "purpose", "role", "team", "user")
_NUMBERS = ("hidden_from_person", "hides_place", "involving", "needs_consent", "terms")
_FLAGS = ("assumed", "cares", "counts", "legal", "on_duty", "permit_agrees", "permit_relates", "plain")
# name -> the parameter that holds it, and its place in there
_PACKED: Mapping[str, tuple[str, int]] = {
    name: (packed, number)
    for packed, names in (("texts", _TEXTS), ("numbers", _NUMBERS), ("flags", _FLAGS))
    for number, name in enumerate(names, 1)
}
_PARAMETERS: Mapping[str, Any] = {
    "at": _Plain("TIMESTAMPTZ"),
    "flags": _Plain("BOOLEAN[]"),
    "numbers": _Plain("INTEGER[]"),
    "self": _Plain("UUID"),
    "shared": _Plain("JSONB"),
    "texts": _Plain("TEXT[]"),
    "types": _Plain("TEXT[]"),
}


# By short names: the driver keeps what it read of a statement only where that has less than 4,096 characters.
_SHORT: Mapping[str, str] = {
    "at": "a",
    "flags": "f",
    "numbers": "n",
    "self": "i",
    "shared": "s",
    "texts": "t",
    "types": "y",
}


def packed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a lens by the names of `OPEN`: what a statement whose values were left open is run with."""
    arrays = {"texts": _TEXTS, "numbers": _NUMBERS, "flags": _FLAGS}
    return {
        short: as_array(values[one] for one in arrays[name]) if name in arrays else values[name]
        for name, short in _SHORT.items()
    }


def bound(values: Mapping[str, Any]) -> dict[str, ColumnElement[Any]]:
    """The values of a lens, packed, as bound parameters."""
    return {name: BindParameter(short, values[short], _PARAMETERS[name], unique=True) for name, short in _SHORT.items()}


# The same with the values left open, for statements that are put together once and run with `packed` values.
OPEN: Mapping[str, ColumnElement[Any]] = {
    name: BindParameter(short, type_=_PARAMETERS[name]) for name, short in _SHORT.items()
}


def as_array(values: Iterable[str | int | None]) -> str:
    """An array as PostgreSQL reads it (8.15.2): the driver would look a list through for its types, slowly."""
    return "{" + ",".join("null" if value is None else _element(value) for value in values) + "}"


def _element(value: str | int) -> str:
    if isinstance(value, int):
        return str(value).lower()  # a truth value is one
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Sent(TypeDecorator[str]):
    """The text of a resource as it may be sent: nobody who asks a statement for it gets another."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """The same, less what tells which organisation holds it where that may not be told."""
        if value is None or not value.startswith(_UNSENT):
            return value
        mark, _, text = value[1:].partition(_UNSENT)
        return unplaced(text, mark[1:], own_item=mark[0] == "1")


class LensElement(ColumnElement[Any]):
    """A fixed SQL text over columns of one table, and bound values."""

    template: ClassVar[str] = ""
    column_names: ClassVar[tuple[str, ...]] = ()
    value_names: ClassVar[tuple[str, ...]] = ()
    _traverse_internals = [  # noqa: RUF012  (for SQLAlchemy's cache, which reads it from the class)
        ("clauses", InternalTraversal.dp_clauseelement_list)
    ]

    def __init_subclass__(cls, **kw: Any) -> None:
        cls.inherit_cache = True  # SQLAlchemy wants each class to say so itself
        cls.template = cls.template.replace(STANDING, _STANDING)
        cls.column_names = tuple(dict.fromkeys(_COLUMN.findall(cls.template)))
        asked = (_PACKED.get(name, (name, 0))[0] for name in _VALUE.findall(cls.template))
        cls.value_names = tuple(dict.fromkeys(asked))
        super().__init_subclass__(**kw)

    def __init__(self, columns: Any, values: Mapping[str, Any]) -> None:
        """This text with these columns (a mapping or a table's `c`) and bound values."""
        self.columns = [columns[name] for name in self.column_names]
        # What tells one statement from another: of the columns of one table the first says which table it is.
        told = [one for one in self.columns if not isinstance(one, Column)]
        self.clauses = self.columns[:1] + told + [values[name] for name in self.value_names]

    @property
    def _from_objects(self) -> list[FromClause]:
        return [table for clause in self.columns for table in clause._from_objects]


@compiles(LensElement)
def _text(element: LensElement, compiler: SQLCompiler, **kw: Any) -> str:
    parts = [compiler.process(clause, **kw) for clause in element.columns]
    columns = dict(zip(element.column_names, parts, strict=True))
    bound = element.clauses[len(element.clauses) - len(element.value_names) :]
    values = dict(zip(element.value_names, (compiler.process(one, **kw) for one in bound), strict=True))
    text = _VALUE.sub(lambda found: _value(found[1], values), element.template)
    return _COLUMN.sub(lambda found: columns[found[1]], text)


def _value(name: str, values: Mapping[str, str]) -> str:
    packed, number = _PACKED.get(name, (name, 0))
    return f"({values[packed]})[{number}]" if number else values[packed]


def of_one(template: str) -> str:
    """The same where all rows are of one person, about whom the statement asks once: `standing_of` gives the bits."""
    return template.replace(STANDING, "{bits}")


class _StandingOfOne(LensElement):
    """The bits, asked in FROM, where PostgreSQL makes the function a part of the statement."""

    template = "(select bits from carelink_standing_of({whose}, :at, :texts, :flags))"
    type = Integer()


_BITS: ColumnElement[int] = literal_column("bits", Integer)


def standing_of(person: ColumnElement[Any], values: Mapping[str, ColumnElement[Any]]) -> ScalarSelect[int]:
    """What is true of the requester and the person, as bits, asked for once however often it is used."""
    once = select(_StandingOfOne({"whose": person}, values).label("bits")).cte()
    return select(_BITS).select_from(once).scalar_subquery()


class OfEach(LensElement):
    """What is true of the requester and the person of a row, as bits; nothing of a row that is of nobody."""

    template = f"case when {{person}} is null then 0 else {STANDING} end"
    type = Integer()


class Visible(LensElement):
    """Whether the row may be seen."""

    template = VISIBLE
    type = Boolean()


class VisibleOfOne(LensElement):
    """Whether the row may be seen, where all rows are of one person."""

    template = of_one(VISIBLE)
    type = Boolean()


class WithheldOfOne(LensElement):
    """Whether the row of one person is kept from a worker who would see it but for a sensitivity or a consent."""

    template = of_one(WITHHELD)
    type = Boolean()


class BreakableOfOne(LensElement):
    """Whether broken glass would open the row of one person, and nothing else does."""

    template = of_one(BREAKABLE)
    type = Boolean()


class Counted(LensElement):
    """Whether the row may be counted among many."""

    template = COUNTED
    type = Boolean()


class Related(LensElement):
    """Whether the requester is involved with the person by a relationship."""

    template = f"(:cares and {STANDING} & {RELATED} <> 0)"
    type = Boolean()


class Involved(LensElement):
    """Whether the requester may open the person's page: by a relationship, by broken glass or by the person's word."""

    template = f"(:cares and ({INVOLVED} or {PERMITTED}))"
    type = Boolean()


class LocatingAllowed(LensElement):
    """Whether the requester may know where the person is."""

    template = LOCATING
    type = Boolean()


class Hidden(LensElement):
    """Whether the row is told without which organisation holds it."""

    template = HIDDEN
    type = Boolean()


class HiddenOfOne(LensElement):
    """The same, where all rows are of one person."""

    template = of_one(HIDDEN)
    type = Boolean()


class Shown(LensElement):
    """By which rule the row is shown."""

    template = GROUND
    type = Text()


class GroundOfOne(LensElement):
    """The same, where all rows are of one person."""

    template = of_one(GROUND)
    type = Text()


class Body(LensElement):
    """The text to send."""

    template = BODY
    type = Sent()


class BodyOfOne(LensElement):
    """The text to send, where all rows are of one person."""

    template = of_one(BODY)
    type = Sent()
