"""Looking as somebody else: what is asked for, begun and kept, and the page as they would see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from carelink.audit.trail import Event, append
from carelink.cases.naming import person_named
from carelink.cases.person_page import PersonPage, person_page
from carelink.cases.story import Wanted
from carelink.consent import view_as
from carelink.consent.lens import Lens
from carelink.consent.view_as import OWN_ROLE, View, must_may
from carelink.errors import Invalid, NotFound
from carelink.ids import Ods, PersonKey, UserId
from carelink.place import Place


@dataclass(frozen=True)
class Choices:
    """Whose view can be taken: id -> words, each by the words."""

    workers: Mapping[str, str]
    roles: Mapping[str, str]
    organisations: Mapping[str, str]


@dataclass(frozen=True)
class Viewed:
    """A view of one person: `page` is None where they would not find the person at all."""

    view: View
    whose: str
    page: PersonPage | None
    lens: Lens
    kept_back: tuple[str, ...]


def choices(place: Place, looks: Lens) -> Choices:
    """What the form offers. Raises `Forbidden` for a role that may not view as others."""
    must_may(looks)
    workers = {one.id: f"{one.name}, {_at(place, one.role, one.organisation)}" for one in place.staff.values()}
    roles = {one.id: one.label for one in place.roles.values() if one.id != OWN_ROLE}
    organisations = {one.ods: one.name for one in place.organisations.values()}
    return Choices(*(_by_words(one) for one in (workers, roles, organisations)))


def _by_words(choice: Mapping[Any, str]) -> dict[str, str]:
    return dict(sorted(choice.items(), key=lambda pair: pair[1].casefold()))


def asked(place: Place, form: Mapping[str, str]) -> View:
    """The view that a form asks for. Raises `Invalid` with the field."""
    involved, worker = form.get("involved") == "yes", form.get("worker", "")
    role, organisation = form.get("role", ""), form.get("organisation", "")
    if worker and (role or organisation):
        raise Invalid("worker", "Choose a worker, or a role and an organisation, not both")
    if role or organisation:
        return view_as.of_role(place, role, organisation, involved=involved)
    if not worker:
        raise Invalid("worker", "Choose whose view you want to take: a worker, or a role and an organisation")
    return view_as.of_worker(place, worker, involved=involved)


def begin(conn: Connection, place: Place, looks: Lens, form: Mapping[str, str]) -> tuple[View, PersonKey]:
    """Whose view of whom is taken from now on. Audited as `view-as`, by who really looks.

    Raises `Forbidden`, `Invalid` with the field, `NotFound` for a number of nobody.
    """
    who = must_may(looks)
    view = asked(place, form)
    asks = Lens.system("view as: whose NHS number it is", looks.at, who.user)
    person = person_named(conn, asks, form.get("person", ""))
    detail = {"view_of": view.worker or f"any {view.role}", "organisation": view.organisation, "role": view.role}
    append(conn, Event("view-as", who, person, detail={**detail, "as_if_involved": view.involved}), looks.at)
    return view, person


def page(conn: Connection, place: Place, looks: Lens, view: View, person: PersonKey, wanted: Wanted) -> Viewed:
    """The person's page as it is shown to them, by the function that makes it for them."""
    lens = view_as.lens_of(place, view, looks, looks.at)
    try:
        shown = person_page(conn, place, lens, person, wanted)
    except NotFound:
        shown = None
    return Viewed(view, words(place, view), shown, lens, view_as.kept_back(place, view, looks))


def words(place: Place, view: View) -> str:
    """Whose view it is, as the band says it."""
    at = _at(place, view.role, view.organisation)
    worker = place.staff.get(view.worker)
    return f"{worker.name}, {at}" if worker else f"Any {at[:1].lower()}{at[1:]}"


def _at(place: Place, role: str, organisation: str) -> str:
    known, at = place.roles.get(role), place.organisations.get(Ods(organisation))
    return f"{known.label if known else role}, {at.name if at else organisation}"


def kept(view: View) -> dict[str, Any]:
    """The view as a session keeps it."""
    return asdict(view)


def remembered(kept_: Any) -> View | None:
    """The view that a session kept; None where it kept none."""
    if not isinstance(kept_, dict):
        return None
    return View(
        Ods(str(kept_.get("organisation"))),
        str(kept_.get("role")),
        str(kept_.get("team", "")),
        UserId(str(kept_.get("worker", ""))),
        kept_.get("involved") is True,
    )
