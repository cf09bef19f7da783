"""The lens: what one requester may see, as a predicate that is part of every statement (design decision 2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Connection,
    DateTime,
    FromClause,
    Integer,
    Text,
    Uuid,
    and_,
    case,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    tuple_,
)

from carelink.consent.agreements import Share, shares
from carelink.consent.decision import NOT_FOR_THE_PERSON, Facts, Labelled, decide
from carelink.consent.requester import Requester
from carelink.consent.rules import SYSTEM, Decision, Effect
from carelink.consent.sensitivity import Sensitivity
from carelink.db.tables import directive, person, relationship, resource
from carelink.ids import PersonKey
from carelink.place import Place


@dataclass(frozen=True)
class Lens:
    """What a requester may see at a time. `system` lenses see all and are audited with their reason.

    The text of a statement is the same for every requester, so it is compiled once; what differs are bound values.
    """

    at: datetime
    requester: Requester | None = None
    reason: str = ""  # of a system lens
    shared: tuple[Share, ...] = ()
    may_locate: bool = False
    may: frozenset[str] = frozenset()  # what else the role may do: explain, read-audit, ...
    tells_withheld: bool = False

    @classmethod
    def compile(cls, place: Place, requester: Requester, at: datetime) -> Lens:
        """The lens of this requester by the agreements of the place. Asks no database."""
        role = place.roles.get(requester.role)
        may = role.may if role and requester.purpose in role.purposes else frozenset()
        return cls(
            at=at,
            requester=requester,
            shared=shares(place, requester),
            may_locate="see-restricted" in may or requester.person is not None,
            may=may,
            tells_withheld=place.words.tell_withheld,
        )

    @classmethod
    def system(cls, reason: str, at: datetime) -> Lens:
        """Sees all: for jobs, with the reason that the audit keeps."""
        return cls(at=at, reason=reason, may_locate=True)

    def where(self, t: FromClause = resource) -> ColumnElement[bool]:
        """The predicate over `resource` (or an alias, or `resource_version`): the rows that may be seen."""
        if self.requester is None:
            return true()
        return or_(
            and_(t.c.person.is_(None), t.c.category == "directory"),
            self._own(t),
            and_(self._involved(t), t.c.sensitivities.op("&")(int(Sensitivity.LEGAL)) == 0, self._shared(t)),
        )

    def body(self, t: FromClause = resource) -> ColumnElement[str]:
        """The text to send: the redacted form where the person is restricted and this requester may not locate."""
        if self.requester is None:
            return t.c.body
        hidden = and_(
            literal(not self.may_locate, Boolean), t.c.redacted.is_not(None), not_(self.locating_allowed(t.c.person))
        )
        return case((hidden, t.c.redacted), else_=t.c.body)

    def locating_allowed(self, person_column: ColumnElement[Any]) -> ColumnElement[bool]:
        """For searches by postcode, address or telephone: leaves restricted people out, so that no hit tells."""
        restricted = exists().where(person.c.key == person_column, person.c.restricted)
        return or_(literal(self.may_locate, Boolean), not_(restricted))

    def withheld(self, conn: Connection, key: PersonKey) -> bool:
        """Whether an objection hides something of this person from this requester, where the place lets it be told.

        Sensitive items are never told of: that there is one would already say it.
        """
        if self.requester is None or self.requester.person is not None or not self.tells_withheld:
            return False
        hidden = select(literal(1)).where(
            resource.c.person == key,
            not_(resource.c.deleted),
            resource.c.sensitivities == 0,
            self._involved(resource),
            resource.c.custodian != self.requester.organisation,
            self._agreed(resource),
            self._denied(resource),
        )
        return bool(conn.execute(select(exists(hidden))).scalar())

    def involved(self, conn: Connection, key: PersonKey) -> bool:
        """Whether this requester has a legitimate relationship with the person, or is the person."""
        if self.requester is None or self.requester.person == key:
            return True
        column = literal(key, Uuid)
        return self.requester.person is None and bool(conn.execute(select(self._relates(column))).scalar())

    def decide(self, item: Labelled, facts: Facts) -> Decision:
        """The decision about one item with the rule that gave it; agrees with `where` and `body`."""
        if self.requester is None:
            return Decision(Effect.PERMIT, SYSTEM, self.reason)
        return decide(self.requester, self.shared, self.may_locate, item, facts, self.at)

    # The parts of the predicate --------------------------------------------------------------------

    def _own(self, t: FromClause) -> ColumnElement[bool]:
        assert self.requester is not None
        return and_(
            t.c.person == literal(self.requester.person, Uuid),
            t.c.sensitivities.op("&")(int(NOT_FOR_THE_PERSON)) == 0,
        )

    def _involved(self, t: FromClause) -> ColumnElement[bool]:
        assert self.requester is not None
        return and_(literal(self.requester.person is None, Boolean), self._relates(t.c.person))

    def _relates(self, person_column: ColumnElement[Any]) -> ColumnElement[bool]:
        assert self.requester is not None
        r, at = relationship.c, literal(self.at, DateTime(timezone=True))
        mine = or_(
            r.user == self.requester.user,
            and_(
                r.user.is_(None),
                r.organisation == self.requester.organisation,
                or_(r.team.is_(None), r.team == self.requester.team),
            ),
        )
        return exists().where(r.person == person_column, r.starts <= at, or_(r.ends.is_(None), r.ends > at), mine)

    def _shared(self, t: FromClause) -> ColumnElement[bool]:
        assert self.requester is not None
        return or_(
            t.c.custodian == self.requester.organisation,
            and_(self._agreed(t), not_(self._denied(t))),
        )

    def _agreed(self, t: FromClause) -> ColumnElement[bool]:
        plain = self._offers()
        named = self._offers()
        return or_(
            and_(
                t.c.sensitivities == 0,
                tuple_(t.c.custodian, t.c.category).in_(select(plain.c.custodian, plain.c.category)),
            ),
            and_(
                t.c.sensitivities != 0,
                exists(select(literal(1)).select_from(named)).where(
                    named.c.custodian == t.c.custodian,
                    named.c.category == t.c.category,
                    t.c.sensitivities.op("&")(func.int4(named.c.mask.op("#")(-1))) == 0,
                ),
            ),
        )

    def _offers(self) -> Any:
        columns = (
            literal([one.custodian for one in self.shared], ARRAY(Text)),
            literal([one.category for one in self.shared], ARRAY(Text)),
            literal([one.mask for one in self.shared], ARRAY(Integer)),
        )
        return func.unnest(*columns).table_valued("custodian", "category", "mask").render_derived()

    def _denied(self, t: FromClause) -> ColumnElement[bool]:
        assert self.requester is not None
        d, at = directive.c, literal(self.at, DateTime(timezone=True))
        return exists().where(
            d.person == t.c.person,
            d.effect == "deny",
            d.starts <= at,
            or_(d.ends.is_(None), d.ends > at),
            or_(d.organisation.is_(None), d.organisation == self.requester.organisation),
            or_(d.category.is_(None), d.category == t.c.category),
        )
