"""The lens as SQL: the text that an auditor reads, filled with columns and bound values.

Each is one SQL element with a fixed text, instead of fifty that SQLAlchemy would put together for every search:
that keeps the lens at some microseconds in Python, and the statement the same for every requester.
`:name` is a value of the lens, `{name}` a column.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import Boolean, ColumnElement, DateTime, FromClause, Text, Uuid, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import UserDefinedType

from carelink.consent.sensitivity import NOT_FOR_THE_PERSON, Sensitivity

# A legitimate relationship of this requester with the person, in force.
RELATED = """exists (select from relationship rel
      where rel.person = {person} and rel.organisation = :organisation
        and rel.starts <= :at and (rel.ends is null or rel.ends > :at)
        and (rel."user" = :user or (rel."user" is null and (rel.team is null or rel.team = :team))))"""

# All sensitivities that no agreement names for this custodian and category; null where nothing is agreed.
LEFT_OUT = """(:groups -> (:custodians ->> {custodian}) ->> {category})::int"""
OFFERED = f"""coalesce({{sensitivities}} & {LEFT_OUT} = 0, false)"""

# An objection of the person that matches the requester and the item, in force.
DENIED = """exists (select from directive dir
      where dir.person = {person} and dir.effect = 'deny'
        and dir.starts <= :at and (dir.ends is null or dir.ends > :at)
        and (dir.organisation is null or dir.organisation = :organisation)
        and (dir.category is null or dir.category = {category}))"""

RESTRICTED = """exists (select from person per where per.key = {person} and per.restricted)"""

VISIBLE = f"""(
  ({{person}} is null and {{category}} = 'directory')
  or ({{person}} = :self and {{sensitivities}} & {int(NOT_FOR_THE_PERSON)} = 0)
  or (:cares
    and {{sensitivities}} & {int(Sensitivity.LEGAL)} = 0
    and ({{custodian}} = :organisation or {OFFERED})
    and {RELATED}
    and ({{custodian}} = :organisation or not {DENIED})))"""

# Of what is agreed in principle with an involved worker: what a sensitivity or an objection keeps from them.
WITHHELD = f"""(:cares
    and {{sensitivities}} & {int(Sensitivity.LEGAL)} = 0
    and {{custodian}} <> :organisation
    and {LEFT_OUT} is not null
    and ({{sensitivities}} & {LEFT_OUT} <> 0 or {DENIED})
    and {RELATED})"""

LOCATING = f"""(:may_locate or not {RESTRICTED})"""

BODY = (
    f"""case when {{redacted}} is not null and not :may_locate and {RESTRICTED} then {{redacted}} else {{body}} end"""
)

_COLUMN = re.compile(r"\{(\w+)\}")
_VALUE = re.compile(r"(?<!:):(\w+)")


class _Json(UserDefinedType[str]):
    """A bound JSON text that PostgreSQL parses once a statement."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **kw: Any) -> str:
        return "JSONB"


_TYPES: Mapping[str, Any] = {
    "at": DateTime(timezone=True),
    "cares": Boolean(),
    "custodians": _Json(),
    "groups": _Json(),
    "may_locate": Boolean(),
    "organisation": Text(),
    "self": Uuid(),
    "team": Text(),
    "user": Text(),
}


def bound(values: Mapping[str, Any]) -> dict[str, ColumnElement[Any]]:
    """The values of a lens as bound parameters."""
    return {name: literal(values[name], type_) for name, type_ in _TYPES.items()}


class LensElement(ColumnElement[Any]):
    """A fixed SQL text over some columns and bound values."""

    template: ClassVar[str] = ""
    column_names: ClassVar[tuple[str, ...]] = ()
    value_names: ClassVar[tuple[str, ...]] = ()
    _traverse_internals = [  # noqa: RUF012  (for SQLAlchemy's cache, which reads it from the class)
        ("clauses", InternalTraversal.dp_clauseelement_list)
    ]

    def __init_subclass__(cls, **kw: Any) -> None:
        cls.inherit_cache = True  # SQLAlchemy wants each class to say so itself
        cls.column_names = tuple(dict.fromkeys(_COLUMN.findall(cls.template)))
        cls.value_names = tuple(dict.fromkeys(_VALUE.findall(cls.template)))
        super().__init_subclass__(**kw)

    def __init__(self, columns: Any, values: Mapping[str, Any]) -> None:
        """This text with these columns (a mapping or a table's `c`) and bound values."""
        self.clauses = [columns[name] for name in self.column_names] + [values[name] for name in self.value_names]

    @property
    def _from_objects(self) -> list[FromClause]:
        return [table for clause in self.clauses for table in clause._from_objects]


@compiles(LensElement)
def _text(element: LensElement, compiler: SQLCompiler, **kw: Any) -> str:
    parts = [compiler.process(clause, **kw) for clause in element.clauses]
    columns = dict(zip(element.column_names, parts, strict=False))
    values = dict(zip(element.value_names, parts[len(columns) :], strict=True))
    text = _VALUE.sub(lambda found: values[found[1]], element.template)
    return _COLUMN.sub(lambda found: columns[found[1]], text)


class Visible(LensElement):
    """Whether the row may be seen."""

    template = VISIBLE
    type = Boolean()


class Withheld(LensElement):
    """Whether the row is kept from a worker who would see it but for a sensitivity or an objection."""

    template = WITHHELD
    type = Boolean()


class Involved(LensElement):
    """Whether the requester is involved with the person."""

    template = f"(:cares and {RELATED})"
    type = Boolean()


class LocatingAllowed(LensElement):
    """Whether the requester may know where the person is."""

    template = LOCATING
    type = Boolean()


class Body(LensElement):
    """The text to send."""

    template = BODY
    type = Text()
