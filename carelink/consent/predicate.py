"""The lens as SQL: the text that an auditor reads, filled with columns and bound values.

Each is one SQL element with a fixed text, instead of fifty that SQLAlchemy would put together for every search:
that keeps the lens at some microseconds in Python, and the statement the same for every requester.
`:name` is a value of the lens, `{name}` a column.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import ARRAY, Boolean, ColumnElement, DateTime, FromClause, Integer, Text, Uuid, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import UserDefinedType

from carelink.consent.decision import ENQUIRY
from carelink.consent.facts import COURT_ORDER, ON_DUTY_FOR
from carelink.consent.provisions import OBJECTIONS
from carelink.consent.rules import OPT_OUT
from carelink.consent.sensitivity import ONLY_FOR_THE_PERSON, Sensitivity


def _in_force(row: str) -> str:
    return f"{row}.starts <= :at and ({row}.ends is null or {row}.ends > :at)"


# A legitimate relationship of this requester with the person, in force; a team on duty stands in for all the others.
RELATED = f"""(:assumed or exists (select from relationship rel
      where rel.person = {{person}} and rel.organisation = :organisation and {_in_force("rel")}
        and (rel."user" = :user or (rel."user" is null and (rel.team is null or rel.team = :team))
          or (:on_duty and rel.kind = '{ON_DUTY_FOR}'))))"""

# Glass that this requester broke, still open.
GLASS = f"""exists (select from access_grant gra
      where gra.person = {{person}} and gra."user" = :user and gra.organisation = :organisation
        and {_in_force("gra")})"""

INVOLVED = f"({RELATED} or (:glass_relationship and {GLASS}))"

# All sensitivities that no agreement names for this custodian and category; null where nothing is agreed.
LEFT_OUT = """(:groups -> (:custodians ->> {custodian}) ->> {category})::int"""

# The alleged source of harm of an enquiry, whom a court keeps away, and who acts for either.
_KEPT = f"""select from kept_out kep
      where kep.person = {{person}} and {_in_force("kep")}
        and (kep."user" = :user or (kep."user" is null and kep.organisation = :organisation))"""
_ENQUIRY = f"({{sensitivities}} & {int(Sensitivity.SAFEGUARDING)} <> 0 or {{category}} = '{ENQUIRY}')"
KEPT_OUT = f"""(({_ENQUIRY} and exists ({_KEPT}))
      or ({{category}} = 'legal' and exists ({_KEPT} and kep.kind = '{COURT_ORDER}')))"""
KEPT_AWAY = f"exists ({_KEPT} and kep.kind = '{COURT_ORDER}')"

# A provision of a consent that speaks of this requester and this item now. What is null sets no condition.
_TO = f"""{_in_force("dir")}
        and (dir.organisation is null or dir.organisation = :organisation)
        and (dir.organisation_type is null or dir.organisation_type = :organisation_type)
        and (dir.role is null or dir.role = :role)
        and (dir.team is null or dir.team = :team)
        and (dir."user" is null or dir."user" = :user)
        and (dir.purposes is null or :purpose = any(dir.purposes))"""
_WHEN = """case when {clinical} is null then dir.effect = 'deny'
          else (dir.since is null or dir.since <= {clinical}) and (dir.until is null or dir.until > {clinical}) end"""
_CODED = """exists (select from jsonb_path_query({body}::jsonb, 'lax $.** ? (@.code.type() == "string")') coding
          join jsonb_array_elements(dir.codes) wanted
            on wanted ->> 'code' = coding ->> 'code' and wanted ->> 'system' = coalesce(coding ->> 'system', ''))"""
_OF = f"""(dir.custodians is null or {{custodian}} = any(dir.custodians))
        and (dir.categories is null or {{category}} = any(dir.categories))
        and (dir.types is null or {{type}} = any(dir.types))
        and (dir.sensitivities is null or dir.sensitivities & {{sensitivities}} <> 0)
        and (dir.items is null or {{key}} = any(dir.items))
        and ((dir.since is null and dir.until is null) or {_WHEN})
        and (dir.codes is null or {_CODED})"""
_MATCHING = f"directive dir where dir.person = {{person}} and {_TO} and {_OF}"

# What each consent says: how deep its deepest provision of each kind is that matches. The deeper wins, denial at a tie.
_OBJECTIONS = ", ".join(f"'{rule}'" for rule in sorted(OBJECTIONS))
_BY_CONSENT = f"""select
        max(dir.depth) filter (where dir.effect = 'deny' and dir.rule not in ({_OBJECTIONS})) as denied,
        max(dir.depth) filter (where dir.effect = 'deny' and dir.rule in ({_OBJECTIONS})) as objected,
        coalesce(max(dir.depth) filter (where dir.effect = 'permit'), -1) as permitted,
        max(dir.made) as made,
        bool_or(dir.organisation is not null or dir."user" is not null) filter (where dir.effect = 'permit') as named,
        bit_or(dir.sensitivities) filter (where dir.effect = 'permit') as covers
      from {_MATCHING} and dir.rule <> '{OPT_OUT.id}'
      group by dir.consent"""
_PERMITS = "con.permitted > greatest(con.denied, con.objected, -1)"
# And all of them together.
_SAID = f"""select
        coalesce(bool_or(con.denied >= con.permitted), false) as denied,
        max(coalesce(con.made, 'infinity')) filter (where con.objected >= con.permitted) as objected_at,
        max(con.made) filter (where {_PERMITS} and con.named) as permitted_at,
        coalesce(bool_or({_PERMITS}), false) as permitted,
        coalesce(bool_or({_PERMITS} and con.named), false) as named,
        coalesce(bit_or(con.covers) filter (where {_PERMITS}), 0) as covers
      from ({_BY_CONSENT}) con"""

# What other organisations hold: what is agreed, or the person permitted; nothing objected to; to the involved.
SHARED = f"""exists (select from ({_SAID}) said
      where not said.denied
        and case when {LEFT_OUT} is null
          then :permit_agrees and said.named and {{sensitivities}} & ~{int(ONLY_FOR_THE_PERSON)} = 0
          else {{sensitivities}} & {LEFT_OUT} = 0 end
        and {{sensitivities}} & :needs_consent & ~said.covers = 0
        and (said.objected_at is null or said.permitted_at > said.objected_at or :overrides
          or (:glass_objection and {GLASS}))
        and (not :asks_first or said.permitted or (:glass_view and {GLASS}))
        and ({INVOLVED} or (:permit_relates and said.named)))"""

_LAWFUL = f"(:legal or {{sensitivities}} & {int(Sensitivity.LEGAL)} = 0)"
_IN_SCOPE = "(:types::text[] is null or {type} = any(:types))"

VISIBLE = f"""({_IN_SCOPE} and (
  ({{person}} is null and {{category}} = 'directory')
  or ({{person}} = :self and {_LAWFUL} and {{sensitivities}} & :hidden_from_person = 0)
  or (:cares
    and {_LAWFUL}
    and not {KEPT_OUT}
    and case when {{custodian}} = :organisation then {INVOLVED}
      else (:permit_agrees or coalesce({{sensitivities}} & {LEFT_OUT} = 0, false)) and {SHARED} end)))"""

# Of what is agreed in principle with an involved worker: what a sensitivity, a consent or an objection keeps from them.
WITHHELD = f"""(:cares
    and {_IN_SCOPE}
    and {_LAWFUL}
    and not {KEPT_OUT}
    and {{custodian}} <> :organisation
    and {LEFT_OUT} is not null
    and {INVOLVED}
    and not {SHARED})"""

# What broken glass would open and nothing else does.
BREAKABLE = f"""({VISIBLE} is not true and {VISIBLE.replace(GLASS, "true")})"""  # of who is no person: null

# Counted among many, for planning or research: what is agreed for that purpose, of who did not opt out or object.
COUNTED = f"""(:counts
    and {_IN_SCOPE}
    and {{sensitivities}} & {int(Sensitivity.LEGAL)} = 0
    and coalesce({{sensitivities}} & {LEFT_OUT} = 0, false)
    and {{sensitivities}} & :needs_consent = 0
    and not exists (select from {_MATCHING} and dir.effect = 'deny'))"""

# A permission to this requester, of whatever: it lets them open the person's page.
PERMITTED = f"""(:permit_relates and exists (select from directive dir
      where dir.person = {{person}} and dir.effect = 'permit' and {_TO}
        and (dir.organisation is not null or dir."user" is not null)))"""

RESTRICTED = """exists (select from person per where per.key = {person} and per.restricted)"""

HIDES_PLACE = f"((not :may_locate and {RESTRICTED}) or {KEPT_AWAY})"

LOCATING = f"""(not {HIDES_PLACE})"""

BODY = f"""case when {{redacted}} is not null and {HIDES_PLACE} then {{redacted}} else {{body}} end"""

_COLUMN = re.compile(r"\{(\w+)\}")
_VALUE = re.compile(r"(?<!:):(\w+)")


class _Json(UserDefinedType[str]):
    """A bound JSON text that PostgreSQL parses once a statement."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **kw: Any) -> str:
        return "JSONB"


_TYPES: Mapping[str, Any] = {
    "asks_first": Boolean(),
    "assumed": Boolean(),
    "at": DateTime(timezone=True),
    "cares": Boolean(),
    "counts": Boolean(),
    "custodians": _Json(),
    "glass_objection": Boolean(),
    "glass_relationship": Boolean(),
    "glass_view": Boolean(),
    "groups": _Json(),
    "hidden_from_person": Integer(),
    "legal": Boolean(),
    "may_locate": Boolean(),
    "needs_consent": Integer(),
    "on_duty": Boolean(),
    "organisation": Text(),
    "organisation_type": Text(),
    "overrides": Boolean(),
    "permit_agrees": Boolean(),
    "permit_relates": Boolean(),
    "purpose": Text(),
    "role": Text(),
    "self": Uuid(),
    "team": Text(),
    "types": ARRAY(Text()),
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
    """Whether the row is kept from a worker who would see it but for a sensitivity, a consent or an objection."""

    template = WITHHELD
    type = Boolean()


class Breakable(LensElement):
    """Whether broken glass would open the row, and nothing else does."""

    template = BREAKABLE
    type = Boolean()


class Counted(LensElement):
    """Whether the row may be counted among many."""

    template = COUNTED
    type = Boolean()


class Related(LensElement):
    """Whether the requester is involved with the person by a relationship."""

    template = f"(:cares and {RELATED})"
    type = Boolean()


class Involved(LensElement):
    """Whether the requester may open the person's page: by a relationship, by broken glass or by the person's word."""

    template = f"(:cares and ({INVOLVED} or {PERMITTED}))"
    type = Boolean()


class LocatingAllowed(LensElement):
    """Whether the requester may know where the person is."""

    template = LOCATING
    type = Boolean()


class Body(LensElement):
    """The text to send."""

    template = BODY
    type = Text()
