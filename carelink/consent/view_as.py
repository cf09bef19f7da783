"""View as: the record through the lens of a worker, or of a role at an organisation, with who really looks kept.

The lens is the other's own, so what is shown is what they are shown; less what the law or the safety of a restricted
person keeps from whoever really looks, which no right to look as somebody else lifts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from carelink.consent.agreements import MAY_SEE_LEGAL
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.errors import Forbidden, Invalid
from carelink.ids import Ods, UserId
from carelink.place import Place

MAY_VIEW_AS = "view-as"
MAY_LOCATE = "see-restricted"
OWN_ROLE = "person"  # their own page shows the person what they see
ANYONE = UserId("")  # nobody in particular in that role
# What a role may see that one who views as it sees only where their own role may, and how the band says so.
KEPT = {MAY_SEE_LEGAL: "what the law restricts", MAY_LOCATE: "where restricted people are"}


@dataclass(frozen=True)
class View:
    """Whose view is taken. `worker` empty: anyone in that role; `involved`: as if they were involved."""

    organisation: Ods
    role: str
    team: str = ""
    worker: UserId = ANYONE
    involved: bool = False


def of_worker(place: Place, worker: str, *, involved: bool) -> View:
    """The view of a worker by their id. Raises `Invalid` for one whom the place doesn't know."""
    one = place.staff.get(UserId(worker))
    if one is None:
        raise Invalid("worker", "Choose a worker from the list")
    return View(one.organisation, one.role, one.team, one.id, involved)


def of_role(place: Place, role: str, organisation: str, *, involved: bool) -> View:
    """The view of anyone in that role there. Raises `Invalid` for what the place doesn't know."""
    if role not in place.roles or role == OWN_ROLE:
        raise Invalid("role", "Choose a role from the list")
    if organisation not in place.organisations:
        raise Invalid("organisation", "Choose an organisation from the list")
    return View(Ods(organisation), role, involved=involved)


def lens_of(place: Place, view: View, looks: Lens, at: datetime) -> Lens:
    """The lens of that view for whoever really looks: their name is in every row that it leaves, and it can do nothing.

    Raises `Forbidden` for a role that may not view as others, `Invalid` where the place no longer knows the view.
    """
    behind = must_may(looks)
    role, organisation = place.roles.get(view.role), place.organisations.get(view.organisation)
    if role is None or organisation is None:
        raise Invalid("view", "This role is no longer used there: choose again")
    asks = Requester(
        user=view.worker or UserId(f"any {view.role}"),
        name=place.staff[view.worker].name if view.worker in place.staff else "",
        organisation=view.organisation,
        organisation_type=organisation.type,
        role=view.role,
        purpose=role.purposes[0],
        team=view.team,
        request=behind.request,
        behind=behind.user,
    )
    lens = Lens.compile(place, asks, at, as_if_involved=view.involved)
    return _no_more_than(looks, lens)


def must_may(looks: Lens) -> Requester:
    """Who looks. Raises `Forbidden` for a role that may not view as others."""
    if looks.requester is None or MAY_VIEW_AS not in looks.may:
        raise Forbidden("Your role may not look as somebody else", rule=MAY_VIEW_AS)
    return looks.requester


def kept_back(place: Place, view: View, looks: Lens) -> tuple[str, ...]:
    """What that role sees and whoever really looks does not, in words."""
    role = place.roles.get(view.role)
    return tuple(words for right, words in KEPT.items() if role and right in role.may - looks.may)


def _no_more_than(looks: Lens, lens: Lens) -> Lens:
    assert lens.standing is not None
    on = lens.standing
    standing = replace(
        on,
        may_locate=on.may_locate and MAY_LOCATE in looks.may,
        terms=replace(on.terms, legal=on.terms.legal and MAY_SEE_LEGAL in looks.may),
    )
    return replace(lens, standing=standing, may=frozenset())
