"""The terms on which a requester asks: what the place asks of consent, what a permission and broken glass give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from carelink.consent.agreements import MAY_SEE_LEGAL
from carelink.consent.periods import LONDON
from carelink.consent.requester import Requester
from carelink.consent.sensitivity import NATIONAL, Sensitivities, sensitivities
from carelink.place import OnDuty, Place

MAY_BREAK_GLASS = "break-glass"
RELATIONSHIP, OBJECTION, VIEW = "relationship", "objection", "view"  # what broken glass may open
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Terms:
    """All of one place, one role and one time; `glass` is what broken glass opens: relationship, objection, view."""

    legal: bool = False  # may see what the law restricts
    known: Sensitivities = NATIONAL
    needs_consent: int = 0
    asks_first: bool = False  # a shared record is opened only where the person agreed to that
    permit_agrees: bool = False  # a permission that names its recipient stands for an agreement
    permit_relates: bool = False  # and for a relationship
    overrides: bool = False  # the law overrides objections for this purpose
    glass: frozenset[str] = frozenset()
    on_duty: bool = False
    assumed: bool = False  # "as if they were involved": only where somebody views as another

    @property
    def involving(self) -> int:
        """What makes somebody involved, as bits of carelink_standing: 1 a relationship, 2 broken glass."""
        return 3 if RELATIONSHIP in self.glass else 1

    @property
    def bits(self) -> int:
        """As carelink_ground takes them."""
        on = (
            self.permit_agrees,
            self.permit_relates,
            self.overrides,
            OBJECTION in self.glass,
            VIEW in self.glass,
            RELATIONSHIP in self.glass,
            self.asks_first,
        )
        return sum(1 << number for number, holds in enumerate(on) if holds)


def terms(place: Place, requester: Requester, may: frozenset[str], at: datetime, *, assumed: bool = False) -> Terms:
    """The terms of this requester, whose role may do that, at that time."""
    asking, known = place.asking, sensitivities(place)
    breaks = place.glass is not None and MAY_BREAK_GLASS in may
    return Terms(
        legal=MAY_SEE_LEGAL in may,
        known=known,
        needs_consent=known.mask(asking.needs_consent),
        asks_first=asking.view == "explicit",
        permit_agrees="agreement" in asking.permit_gives,
        permit_relates="relationship" in asking.permit_gives,
        overrides=requester.purpose in asking.objection_yields_to,
        glass=place.glass.widens if breaks and place.glass else frozenset(),
        assumed=assumed and requester.behind is not None,
        on_duty=any(_on_duty(duty, requester, at) for duty in place.on_duty),
    )


def _on_duty(duty: OnDuty, requester: Requester, at: datetime) -> bool:
    if (duty.organisation, duty.team) != (requester.organisation, requester.team):
        return False
    local = at.astimezone(LONDON)
    return any(_within(duty, local, back) for back in (0, 1))


def _within(duty: OnDuty, local: datetime, back: int) -> bool:
    """Whether the duty that began that many days before is still on; by the clock on the wall, as rotas are."""
    began = (local - timedelta(days=back)).date()
    if DAYS[began.weekday()] not in duty.days:
        return False
    now = f"{local:%H:%M}"
    overnight = duty.ends <= duty.starts
    if back:
        return overnight and now < duty.ends
    return now >= duty.starts and (overnight or now < duty.ends)
