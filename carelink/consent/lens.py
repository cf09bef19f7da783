"""The lens: what one requester may see, as a predicate that is part of every statement (design decision 2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, FromClause, Uuid, and_, exists, false, literal, select, true

from carelink.consent.agreements import shared_with
from carelink.consent.decision import DIRECT_CARE, Standing, decide
from carelink.consent.facts import Facts, Labelled
from carelink.consent.predicate import Body, Involved, LocatingAllowed, Visible, Withheld, bound
from carelink.consent.requester import Requester
from carelink.consent.rules import AGREEMENT, CUSTODIAN, DIRECTORY, OWN, SYSTEM, Decision, Effect, Rule
from carelink.consent.sensitivity import Sensitivity
from carelink.db.tables import resource, resource_version
from carelink.ids import Ods, PersonKey
from carelink.place import Place

MAY_DECIDE_LINKS = "decide-links"  # what a role of the place pack may have


class Seen(Protocol):
    """A row that was shown, as far as its audit must know it."""

    @property
    def person(self) -> PersonKey | None: ...

    @property
    def custodian(self) -> Ods: ...


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

    @classmethod
    def compile(cls, place: Place, requester: Requester, at: datetime) -> Lens:
        """The lens of this requester by the agreements of the place. Asks no database."""
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
            ),
            user=requester.user,
            may=may,
            tells_withheld=place.words.tell_withheld,
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

    # As SQL ----------------------------------------------------------------------------------------

    def where(self, t: FromClause = resource) -> ColumnElement[bool]:
        """The predicate over `resource`, `resource_version` or an alias of either: the rows that may be seen.

        An old version is seen where both its own labels and those of today allow it.
        """
        if self.standing is None:
            return true()
        visible = Visible(t.c, self._values)
        if getattr(t, "element", t) is not resource_version:
            return visible
        today = resource.alias("today")
        return and_(visible, exists().where(today.c.key == t.c.key, Visible(today.c, self._values)))

    def body(self, t: FromClause = resource) -> ColumnElement[str]:
        """The text to send: the redacted form where the person is restricted and this requester may not locate."""
        return t.c.body if self.standing is None else Body(t.c, self._values)

    def identifies(self, t: FromClause = resource) -> ColumnElement[bool]:
        """Patients, for a question of identity that a human must answer: of those in question, and for nobody else.

        Only for a role that decides links (rule L0-identity). Nothing that the law restricts, and with `body` nothing
        that locates a restricted person.
        """
        if self.standing is None:
            return true()
        if MAY_DECIDE_LINKS not in self.may:
            return false()
        return and_(t.c.type == "Patient", t.c.deleted.is_(False), t.c.sensitivities.op("&")(Sensitivity.LEGAL) == 0)

    def locating_allowed(self, person_column: ColumnElement[Any]) -> ColumnElement[bool]:
        """For searches by address, telephone, practice or place: leaves restricted people out, so that no hit tells.

        Every criterion, include and chain through an element that `redaction` takes out must have it.
        """
        if self.standing is None:
            return true()
        return LocatingAllowed({"person": person_column}, self._values)

    @cached_property
    def _values(self) -> Mapping[str, ColumnElement[Any]]:
        assert self.standing is not None, "a system lens binds nothing"
        asks = self.standing.requester
        custodians, groups = self.standing.shared.sql
        return bound(
            {
                "at": self.at,
                "cares": self.standing.cares,
                "custodians": custodians,
                "groups": groups,
                "may_locate": self.standing.may_locate,
                "organisation": asks.organisation,
                "self": asks.person,
                "team": asks.team,
                "user": asks.user,
            }
        )

    # As answers ------------------------------------------------------------------------------------

    def person_visible(self, conn: Connection, key: PersonKey) -> bool:
        """Whether this requester may open the person's record: is involved with them, or is the person."""
        if self.standing is None or self.standing.requester.person is not None:
            return self.standing is None or self.standing.requester.person == key
        involved = Involved({"person": literal(key, Uuid)}, self._values)
        return bool(conn.execute(select(involved)).scalar())

    def withheld(self, conn: Connection, key: PersonKey) -> bool:
        """Whether to say that something of this person is not shown.

        True where a sensitivity or an objection keeps something from an involved worker whose organisation is offered
        that kind of information, and the place lets it be told. Never for what the law restricts, never to a
        stranger, and not for kinds of information that were never agreed on: those are absent for everyone.
        """
        if self.standing is None or not self.tells_withheld:
            return False
        t = resource
        hidden = exists().where(t.c.person == key, t.c.deleted.is_(False), Withheld(t.c, self._values))
        return bool(conn.execute(select(hidden)).scalar())

    def decide(self, item: Labelled, facts: Facts) -> Decision:
        """The decision about one item with the rule that gave it; agrees with `where` and `body`."""
        if self.standing is None:
            return Decision(Effect.PERMIT, SYSTEM, self.reason)
        return decide(self.standing, item, facts)

    def grounds(self, shown: Iterable[Seen]) -> tuple[str, ...]:
        """The ids of the rules by which these rows, which this lens let through, were shown; for the audit."""
        if self.standing is None:
            return (SYSTEM.id,)
        return tuple(sorted({self._ground(row).id for row in shown}))

    def _ground(self, row: Seen) -> Rule:
        assert self.standing is not None
        if row.person is None:
            return DIRECTORY
        if self.standing.requester.person is not None:
            return OWN
        return CUSTODIAN if row.custodian == self.standing.requester.organisation else AGREEMENT
