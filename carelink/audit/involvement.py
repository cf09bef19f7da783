"""By what relationship, or broken glass, a worker saw a person: worked out by the statement that keeps the look."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, DateTime, Text, Uuid, and_, bindparam, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from carelink.consent.facts import ON_DUTY_FOR
from carelink.consent.lens import Lens
from carelink.db.tables import access_grant, relationship
from carelink.ids import PersonKey

_R = relationship.c
_AT, _TEAM = bindparam("involved_at", type_=DateTime(timezone=True)), bindparam("involved_team", type_=Text())
_DUTY = bindparam("involved_duty", type_=Boolean())
_USER = bindparam("involved_user", type_=Text())

# The same conditions as those by which the lens lets somebody in (consent/predicate.py, RELATED).
_KINDS = (
    select(func.jsonb_agg(func.distinct(_R.kind)))
    .where(
        _R.person == bindparam("involved_person", type_=Uuid()),
        _R.organisation == bindparam("involved_organisation", type_=Text()),
        _R.starts <= _AT,
        or_(_R.ends.is_(None), _R.ends > _AT),
        or_(
            _R.user == _USER,
            and_(_R.user.is_(None), or_(_R.team.is_(None), _R.team == _TEAM)),
            and_(_DUTY, _R.kind == ON_DUTY_FOR),
        ),
    )
    .scalar_subquery()
)
_G = access_grant.c
# The glass that they broke of the person, where it is open (consent/predicate.py, GLASS).
_GLASS = (
    select(func.max(_G.id))
    .where(
        _G.person == bindparam("involved_person", type_=Uuid()),
        _G.user == _USER,
        _G.organisation == bindparam("involved_organisation", type_=Text()),
        _G.starts <= _AT,
        _G.ends > _AT,
    )
    .scalar_subquery()
)
_NOTHING = cast(literal("{}", Text()), JSONB)

# `said`, the kinds of relationship as `relationships`, and the number of broken glass as `glass`; null for none of them.
DETAIL = func.nullif(
    func.coalesce(bindparam("said", type_=JSONB(none_as_null=True)), _NOTHING).op("||", return_type=JSONB())(
        func.jsonb_strip_nulls(func.jsonb_build_object("relationships", _KINDS, "glass", _GLASS))
    ),
    _NOTHING,
)


def asking(lens: Lens, person: PersonKey | None) -> dict[str, Any] | None:
    """The values of `DETAIL` but `said`; None for a look that rests on no relationship: of a job, of the person."""
    if person is None or lens.standing is None or not lens.standing.cares:
        return None
    asks = lens.standing.requester
    return {
        "involved_person": person,
        "involved_organisation": asks.organisation,
        "involved_user": asks.user,
        "involved_team": asks.team,
        "involved_duty": lens.standing.terms.on_duty,
        "involved_at": lens.at,
    }
