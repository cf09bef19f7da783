"""The lens: what one requester may see, as a predicate that is part of every statement (design decision 2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Uuid,
    and_,
    exists,
    false,
    func,
    literal,
    literal_column,
    select,
    true,
)

from carelink.consent.agreements import shared_with
from carelink.consent.decision import DIRECT_CARE, Standing, decide
from carelink.consent.facts import Facts, Grant, Labelled
from carelink.consent.holders import KIND, OTHER, kinds_of
from carelink.consent.of_one import OfOne, withheld_of_one
from carelink.consent.predicate import (
    HIDDEN_MARK,
    KEPT_AWAY,
    OPEN,
    RESTRICTED,
    Body,
    BodyOfOne,
    BreakableOfOne,
    Counted,
    GroundOfOne,
    Hidden,
    HiddenOfOne,
    Involved,
    LocatingAllowed,
    OfEach,
    Related,
    Shown,
    Visible,
    VisibleOfOne,
    bound,
    packed,
    standing_of,
)
from carelink.consent.requester import Requester
from carelink.consent.rules import SYSTEM, Decision, Effect
from carelink.consent.sensitivity import Sensitivity
from carelink.consent.terms import terms
from carelink.db.tables import access_grant, resource, resource_version
from carelink.ids import Ods, PersonKey, UserId
from carelink.place import Place

MAY_DECIDE_LINKS = "decide-links"  # what a role of the place pack may have
MAY_COUNT = "count"
MADE_HERE = "carelink"  # resource.source of what no source sent
# v3-ActReason: for many people, not for the one (Art 5(1)(b)): never a single record.
SECONDARY = frozenset({"HOPERAT", "HRESCH", "PUBHLTH"})


Whom = PersonKey | ColumnElement[Any]  # a person by their key, or by a value of the statement


class Seen(Protocol):
    """A row that was shown, as far as its audit must know it."""

    @property
    def person(self) -> PersonKey | None: ...

    @property
    def rule(self) -> str: ...


class Ground(NamedTuple):
    """By which rule a row is shown, and whether it is told without which organisation holds it."""

    rule: str
    hidden: bool


def _scope_of(asks: Requester) -> list[str] | None:
    """What the scopes of a token let through, as `carelink_in_reach` reads it; None for all."""
    if asks.narrowed:
        return [asks.narrowed]
    return sorted(asks.types) if asks.types is not None else None


@dataclass(frozen=True)
class Lens:
    """What a requester may see at a time. `system` lenses see all and are audited with their reason.

    The text of a statement is the same for every requester, so it is compiled once; what differs are bound values.
    """

    at: datetime
    standing: Standing | None = None  # None: a system lens
    reason: str = ""  # of a system lens
    user: str = ""  # on whose behalf a system lens looks, where somebody asked for it
    may: frozenset[str] = frozenset()  # what else the role may do: explain, read-audit, ...
    tells_withheld: bool = False
    kinds: Mapping[Ods, str] = field(default_factory=dict)  # organisation -> its type, in the place that asks
    is_open: bool = False  # the values are left open in statements, which are run with `binds`

    @classmethod
    def compile(cls, place: Place, requester: Requester, at: datetime, *, as_if_involved: bool = False) -> Lens:
        """The lens of this requester by the agreements of the place. Asks no database.

        `as_if_involved` counts only where somebody views as this requester: it shows what the role would see.
        """
        role = place.roles.get(requester.role)
        asks_rightly = role is not None and requester.purpose in role.purposes
        may = role.may if role is not None and asks_rightly else frozenset()
        return cls(
            at=at,
            standing=Standing(
                requester=requester,
                shared=shared_with(place, requester),
                cares=asks_rightly and requester.person is None and requester.purpose in DIRECT_CARE,
                may_locate="see-restricted" in may or requester.person is not None,
                at=at,
                terms=terms(place, requester, may, at, assumed=as_if_involved),
            ),
            user=requester.user,
            may=may,
            tells_withheld=place.words.tell_withheld,
            kinds=kinds_of(place),
        )

    @classmethod
    def system(cls, reason: str, at: datetime, user: str = "") -> Lens:
        """Sees all: for jobs, with the reason that the audit keeps."""
        return cls(at=at, reason=reason, user=user)

    @property
    def requester(self) -> Requester | None:
        """Who asks; None for a system lens."""
        return self.standing.requester if self.standing else None

    @property
    def may_locate(self) -> bool:
        """Whether it shows where restricted people are."""
        return self.standing is None or self.standing.may_locate

    @property
    def counts(self) -> bool:
        """Whether it may count people for planning or research, of whom it shows none."""
        return self.standing is not None and MAY_COUNT in self.may and self.standing.requester.purpose in SECONDARY

    # As SQL ----------------------------------------------------------------------------------------

    def where(self, t: FromClause = resource, person: Whom | None = None) -> ColumnElement[bool]:
        """The predicate over `resource`, `resource_version` or an alias of either: the rows that may be seen.

        `person`: whom all rows of the statement are about, by another condition of it: that is quicker. An old version is seen where both its own labels and those of today allow it.
        """
        if self.standing is None:
            return true()
        visible: ColumnElement[bool] = Visible(t.c, self._values)
        if person is not None:
            visible = VisibleOfOne(self._of_one(t, person), self._values)
        if getattr(t, "element", t) is not resource_version:
            return visible
        today = resource.alias("today")
        # Looked up for each version: as a join it would be asked of everything that there is.
        now = select(Visible(today.c, self._values)).where(today.c.key == t.c.key).scalar_subquery()
        return and_(visible, func.coalesce(now, false()))

    def body(self, t: FromClause = resource, person: Whom | None = None) -> ColumnElement[str]:
        """The text to send: the redacted form, less what tells which organisation holds it, where this requester may
        not know where the person is.
        """
        if self.standing is None:
            return t.c.body
        return Body(t.c, self._values) if person is None else BodyOfOne(self._of_one(t, person), self._values)

    def hidden(self, t: FromClause = resource, person: Whom | None = None) -> ColumnElement[bool]:
        """Whether a row is told without which organisation holds it. Every read that tells a source or a custodian asks
        for it, and tells what `holder` gives.
        """
        if self.standing is None:
            return false()
        return Hidden(t.c, self._values) if person is None else HiddenOfOne(self._of_one(t, person), self._values)

    def ground(self, t: FromClause = resource, person: Whom | None = None) -> ColumnElement[str]:
        """By which rule each row is shown, for the audit, and whether it is `hidden`; `shown_by` reads it."""
        if self.standing is None:
            return literal(SYSTEM.id)
        return Shown(t.c, self._values) if person is None else GroundOfOne(self._of_one(t, person), self._values)

    def shown_by(self, ground: str) -> Ground:
        """What the column `ground` of a row says."""
        return Ground(ground.removeprefix(HIDDEN_MARK), ground.startswith(HIDDEN_MARK))

    def holder(self, source: str, custodian: str, *, hidden: bool) -> tuple[str, Ods]:
        """The source and the custodian as they may be told: where they are hidden, the kind of organisation for both.

        The requester's own organisation, and what is made here, is no secret to them.
        """
        asks = self.requester
        if not hidden or asks is None or custodian == asks.organisation:
            return source, Ods(custodian)
        kind = f"{KIND}{self.kinds.get(Ods(custodian), OTHER)}"
        return (source if source == MADE_HERE else kind), Ods(kind)

    def identifies(self, t: FromClause = resource) -> ColumnElement[bool]:
        """Patients, for a question of identity that a human must answer: of those in question, and for nobody else.

        Only for a role that decides links (rule L0-identity). Nothing that the law restricts, and with `body` nothing
        that locates a restricted person.
        """
        if self.standing is None:
            return true()
        if MAY_DECIDE_LINKS not in self.may or self.standing.requester.narrowed:
            return false()
        return and_(t.c.type == "Patient", t.c.deleted.is_(False), t.c.sensitivities.op("&")(Sensitivity.LEGAL) == 0)

    def locating_allowed(self, person_column: ColumnElement[Any]) -> ColumnElement[bool]:
        """For searches by address, telephone, practice or place: leaves restricted people out, so that no hit tells.

        Every criterion, include and chain through an element that `redaction` takes out must have it.
        """
        if self.standing is None:
            return true()
        return LocatingAllowed({"person": person_column}, self._values)

    def counted(self, t: FromClause = resource) -> ColumnElement[bool]:
        """The rows that may be counted among many (rule L10-counted). What is shown of them is the caller's to suppress."""
        return true() if self.standing is None else Counted(t.c, self._values)

    def opened(self) -> Lens:
        """The same, whose statements leave its values open: they serve every requester, each with their own `binds`."""
        return replace(self, is_open=True)

    @cached_property
    def binds(self) -> Mapping[str, Any]:
        """What a statement of the opened lens is run with; nothing for a system lens."""
        if self.standing is None:
            return {}
        asks = self.standing.requester
        on = self.standing.terms
        return packed(
            {
                "assumed": on.assumed,
                "at": self.at,
                "cares": self.standing.cares,
                "counts": self.counts,
                "hidden_from_person": on.known.hidden_from_person,
                "hides_place": KEPT_AWAY if self.standing.may_locate else KEPT_AWAY | RESTRICTED,
                "involving": on.involving,
                "legal": on.legal,
                "needs_consent": on.needs_consent,
                "on_duty": on.on_duty,
                "organisation": asks.organisation,
                "organisation_type": asks.organisation_type,
                "permit_agrees": on.permit_agrees,
                "permit_relates": on.permit_relates,
                "plain": not on.asks_first,
                "purpose": asks.purpose,
                "role": asks.role,
                "self": asks.person,
                "shared": self.standing.shared.sql,
                "team": asks.team,
                "terms": on.bits,
                "types": _scope_of(asks),
                "user": asks.user,
            }
        )

    @cached_property
    def _values(self) -> Mapping[str, ColumnElement[Any]]:
        assert self.standing is not None, "a system lens binds nothing"
        return OPEN if self.is_open else bound(self.binds)

    def _of_one(self, t: FromClause, person: Whom) -> OfOne:
        """The columns of `t`, all rows of which are of that person: the statement asks about them once."""
        if person not in self._bits:
            whose = person if isinstance(person, ColumnElement) else literal(person, Uuid)
            self._bits[person] = standing_of(whose, self._values)
        return OfOne(t, self._bits[person])

    def each(self, t: FromClause = resource) -> ColumnElement[int] | None:
        """For statements about several people: what is true of the requester and the person of each row of `t`, asked once a
        row. It is given to `where`, `body` and `ground` as `person`. None for a lens that asks nothing.
        """
        if self.standing is None:
            return None
        # With an offset PostgreSQL leaves it a query of its own, and works it out once.
        once = select(OfEach(t.c, self._values).label("bits")).offset(literal_column("0")).correlate(t)
        asked = once.lateral()
        bits: ColumnElement[int] = asked.c.bits
        self._bits[bits] = bits
        return bits

    @cached_property
    def _bits(self) -> dict[Whom, ColumnElement[int]]:
        return {}

    # As answers ------------------------------------------------------------------------------------

    def person_visible(self, conn: Connection, key: PersonKey) -> bool:
        """Whether this requester may open the person's record: is involved with them, or is the person."""
        if self.standing is None or self.standing.requester.person is not None:
            return self.standing is None or self.standing.requester.person == key
        if self.standing.requester.confined not in (None, key):
            return False
        involved = Involved({"person": literal(key, Uuid)}, self._values)
        return bool(conn.execute(select(involved)).scalar())

    def hides_holders(self, conn: Connection, key: PersonKey) -> bool:
        """Whether this requester may not know which organisations hold that person's record, nor where they are."""
        if self.standing is None:
            return False
        return bool(conn.execute(select(Hidden({"person": literal(key, Uuid)}, self._values))).scalar())

    def recordable(self, person_column: ColumnElement[Any]) -> ColumnElement[bool]:
        """Of whom this requester may record something: with whom they are involved by a relationship, for direct care.

        Broken glass, and the person's permission, let somebody look and no more. The person records of themselves.
        """
        if self.standing is None:
            return true()
        asks = self.standing.requester
        if asks.behind is not None:
            return false()
        return person_column == asks.person if asks.person else Related({"person": person_column}, self._values)

    def may_record(self, conn: Connection, key: PersonKey) -> bool:
        """Whether this requester may record something of the person; what their role must allow is asked elsewhere."""
        asks = self.requester
        if asks is None or asks.person is not None:
            return asks is None or (asks.person == key and asks.behind is None)
        return bool(conn.execute(select(self.recordable(literal(key, Uuid)))).scalar())

    def glass(self, conn: Connection, key: PersonKey) -> Grant | None:
        """The glass that this requester broke of that person, where it is still open."""
        if self.standing is None or not self.standing.terms.glass:
            return None
        asks, g = self.standing.requester, access_grant.c
        row = conn.execute(
            select(g.id, g.user, g.organisation, g.starts, g.ends)
            .where(g.person == key, g.user == asks.user, g.organisation == asks.organisation)
            .where(g.starts <= self.at, g.ends > self.at)
            .order_by(g.ends.desc())
            .limit(1)
        ).one_or_none()
        return Grant(UserId(row.user), Ods(row.organisation), row.starts, row.ends, row.id) if row else None

    def breakable(self, conn: Connection, key: PersonKey) -> bool:
        """Whether breaking the glass would open something of that person to this requester."""
        if self.standing is None or not (self.standing.cares and self.standing.terms.glass):
            return False
        if self.glass(conn, key) is not None:
            return False
        t = resource
        closed = exists().where(
            t.c.person == key, t.c.deleted.is_(False), BreakableOfOne(self._of_one(t, key), self._values)
        )
        return bool(conn.execute(select(closed)).scalar())

    def withheld(self, conn: Connection, key: PersonKey) -> bool:
        """Whether to say that something of this person is not shown.

        True where a sensitivity or an objection keeps something from an involved worker whose organisation is offered
        that kind of information, and the place lets it be told. Never for what the law restricts, never to a
        stranger, and not for kinds of information that were never agreed on: those are absent for everyone.
        """
        if self.standing is None or not self.tells_withheld:
            return False
        return bool(conn.execute(withheld_of_one(), {**self.binds, "person": key}).scalar())

    def decide(self, item: Labelled, facts: Facts) -> Decision:
        """The decision about one item with the rule that gave it; agrees with `where` and `body`."""
        if self.standing is None:
            return Decision(Effect.PERMIT, SYSTEM, self.reason)
        return decide(self.standing, item, facts)

    def grounds(self, shown: Iterable[Seen]) -> tuple[str, ...]:
        """The ids of the rules by which these rows, which this lens let through, were shown; for the audit."""
        if self.standing is None:
            return (SYSTEM.id,)
        return tuple(sorted({row.rule for row in shown}))
