"""Pages of who decides for a person: what is recorded, an assessment, a best-interests decision, a paper seen."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid4

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from carelink.cases import capacity, capacity_acts, capacity_forms
from carelink.cases.capacity import WhoDecides
from carelink.cases.capacity_acts import Change
from carelink.cases.capacity_words import ABOUT, CAPACITY_PARTS, GILLICK_PARTS, HOLDS
from carelink.cases.standing import labels
from carelink.errors import Invalid
from carelink.ids import PersonKey, ResourceKey
from carelink.web.parts import parts
from carelink.web.session import at, lens
from carelink.web.transaction import connection
from carelink.web.words import today

blueprint = Blueprint("capacity", __name__, template_folder="templates")
Wrong = Mapping[str, str]


@blueprint.get("/people/<uuid:person>/who-decides")
def page(person: UUID) -> str:
    """Who decides for this person, and what is recorded of it."""
    told = capacity.who_decides(connection(), parts().place, lens(), PersonKey(person))
    return _render("page", told, {}, labels=labels(parts().place), said=session.pop("said", ""))


@blueprint.get("/people/<uuid:person>/who-decides/assessment")
def assess(person: UUID) -> str:
    """The form of an assessment of capacity, for a child of Gillick competence."""
    return _form("assessment", PersonKey(person), {})


@blueprint.post("/people/<uuid:person>/who-decides/assessment")
def assessed(person: UUID) -> str | Response:
    """Keep the assessment."""
    key = PersonKey(person)
    said, wrong = capacity_forms.read_assessment(request.form, at(), child=request.form.get("child") == "yes")
    if wrong:
        return _form("assessment", key, wrong)
    capacity_acts.record_assessment(connection(), parts().place, lens(), key, said, _token())
    return _back(key, "The assessment is recorded.")


@blueprint.get("/people/<uuid:person>/who-decides/best-interests")
def decide(person: UUID) -> str:
    """The form of a best-interests decision."""
    return _form("interests", PersonKey(person), {})


@blueprint.post("/people/<uuid:person>/who-decides/best-interests")
def decided(person: UUID) -> str | Response:
    """Keep the best-interests decision."""
    key = PersonKey(person)
    said, wrong = capacity_forms.read_interests(request.form, at())
    if wrong:
        return _form("interests", key, wrong)
    try:
        capacity_acts.record_interests(connection(), parts().place, lens(), key, said, _token())
    except Invalid as refused:
        return _form("interests", key, {refused.place: refused.why})
    return _back(key, "The best-interests decision is recorded.")


@blueprint.get("/people/<uuid:person>/who-decides/authority")
def see(person: UUID) -> str:
    """The form of a paper that somebody has seen; `confirms` is what a source tells of it."""
    return _form("paper", PersonKey(person), {})


@blueprint.post("/people/<uuid:person>/who-decides/authority")
def saw(person: UUID) -> str | Response:
    """Keep what was seen."""
    key = PersonKey(person)
    said, wrong = capacity_forms.read_paper(request.form, at())
    if wrong:
        return _form("paper", key, wrong)
    capacity_acts.record_paper(connection(), parts().place, lens(), key, said, _token())
    return _back(key, "The authority is recorded.")


@blueprint.get("/people/<uuid:person>/who-decides/authority/<uuid:key>")
def end(person: UUID, key: UUID) -> str:
    """What became of an authority."""
    return _change("change", PersonKey(person), "RelatedPerson", ResourceKey(key), {})


@blueprint.post("/people/<uuid:person>/who-decides/authority/<uuid:key>")
def ended(person: UUID, key: UUID) -> str | Response:
    """Keep it."""
    whose, item = PersonKey(person), ResourceKey(key)
    change, day, wrong = capacity_forms.read_change(request.form, at())
    if wrong:
        return _change("change", whose, "RelatedPerson", item, wrong)
    what = Change(change)
    capacity_acts.change_paper(connection(), parts().place, lens(), whose, item, _version(), what, day)
    return _back(whose, "The authority is changed.")


@blueprint.get("/people/<uuid:person>/who-decides/record/<uuid:key>")
def doubt(person: UUID, key: UUID) -> str:
    """Why an assessment or a decision was recorded by mistake."""
    return _change("mistake", PersonKey(person), "Observation", ResourceKey(key), {})


@blueprint.post("/people/<uuid:person>/who-decides/record/<uuid:key>")
def mistaken(person: UUID, key: UUID) -> str | Response:
    """Mark it as a mistake."""
    whose, item, why = PersonKey(person), ResourceKey(key), request.form.get("why", "").strip()
    try:
        capacity_acts.mistaken(connection(), parts().place, lens(), whose, item, _version(), why)
    except Invalid as wrong:
        return _change("mistake", whose, "Observation", item, {"why": wrong.why})
    return _back(whose, "It is marked as recorded by mistake, and counts no longer.")


def _form(name: str, person: PersonKey, wrong: Wrong) -> str:
    """Answers 200 also where something is wrong: it shows who the person is, and only good answers keep their audit."""
    capacity.must_may(connection(), lens(), person)
    told = capacity.who_decides(connection(), parts().place, lens(), person)
    form = request.form or _begun()
    confirmed = next((one for one in told.held if str(one.key) == form.get("confirms", "")), None)
    if confirmed is not None and not request.form:
        form = MultiDict({**form, "name": confirmed.name, "kind": confirmed.kind.value})
    return _render(name, told, wrong, form=form, token=form.get("token") or str(uuid4()), confirmed=confirmed)


def _change(name: str, person: PersonKey, type_: str, key: ResourceKey, wrong: Wrong) -> str:
    row, _ = capacity.one_of(connection(), lens(), person, type_, key)
    told = capacity.who_decides(connection(), parts().place, lens(), person)
    return _render(name, told, wrong, form=request.form or _begun(), key=key, version=row.version)


def _render(name: str, told: WhoDecides, wrong: Wrong, **more: object) -> str:
    words = {"about": ABOUT, "holds": HOLDS, "papers": capacity_forms.PAPERS}
    asked = GILLICK_PARTS if told.child else CAPACITY_PARTS
    return render_template(f"dashboard/capacity_{name}.html", told=told, wrong=wrong, asked=asked, **words, **more)


def _begun() -> MultiDict[str, str]:
    """A form that nobody has filled in yet: today, and by whom asks."""
    day, asks = today(at()), lens().requester
    dates = {f"{name}-{part}": str(getattr(day, part)) for name in ("at", "seen") for part in ("day", "month", "year")}
    return MultiDict({**dates, "by": asks.name if asks else "", "confirms": request.args.get("confirms", "")})


def _token() -> str:
    return request.form.get("token", "")


def _version() -> int | None:
    given = request.form.get("version", "")
    return int(given) if given.isdecimal() else None


def _back(person: PersonKey, said: str) -> Response:
    session["said"] = said
    return redirect(url_for("capacity.page", person=person), 303)
