"""The steps of recording a consent as pages: the same for a worker with the person, and for the person on their own page."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, render_template, request, session
from werkzeug.wrappers import Response

from carelink.cases import consent_choices, consent_dialogue
from carelink.cases.consent_answers import Typed
from carelink.cases.consent_dialogue import About, Asked, Step
from carelink.cases.consents import MayNotConsent
from carelink.web import failures
from carelink.web.parts import parts
from carelink.web.session import lens
from carelink.web.transaction import abandon, connection

PAGES = {Step.WHO: "who", Step.DETAILS: "details", Step.CHECK: "check"}
SAID, KEY = "consent", "consent-key"  # in the session: what was done, and to which


@dataclass(frozen=True)
class Walk:
    """Where one comes from and goes back to; `mine`: the person speaks for themselves."""

    about: About
    back: str  # address of the list
    mine: bool = False


def begin(walk: Walk) -> str:
    """The first step."""
    return page(consent_dialogue.begin(connection(), parts().place, lens(), walk.about), walk)


def go_on(walk: Walk, done: str) -> str | Response:
    """The step that the form asks for; after the last, the list, which says what was `done`."""
    typed = Typed.of(request.form)
    step = Step(request.form["step"]) if request.form.get("step") in tuple(Step) else Step.WHO
    try:
        asked = consent_dialogue.go_on(connection(), parts().place, lens(), walk.about, typed, step)
    except MayNotConsent as refused:
        asked = _refused(walk, typed, refused)
    return _saved(asked, walk, done) if asked.step is Step.SAVED else page(asked, walk)


def withdraw(walk: Walk) -> str | Response:
    """The one step of a withdrawal: asked, or answered."""
    typed, sent = Typed.of(request.form), request.method == "POST"
    try:
        asked = consent_dialogue.ending(connection(), parts().place, lens(), walk.about, typed, sent=sent)
    except MayNotConsent as refused:
        asked = _refused(walk, typed, refused)
    return _saved(asked, walk, "withdrawn") if asked.step is Step.SAVED else page(asked, walk, "withdraw")


def page(asked: Asked, walk: Walk, name: str = "") -> str:
    """Answers 200 also where something is wrong: it shows who the person is, and only good answers keep their audit."""
    return render_template(
        f"dashboard/consent_{name or PAGES[asked.step]}.html",
        asked=asked,
        typed=asked.typed,
        wrong=asked.wrong,
        offers=consent_choices.offers(parts().place),
        action=request.path,
        back=walk.back,
        mine=walk.mine,
    )


def _refused(walk: Walk, typed: Typed, refused: MayNotConsent) -> Asked:
    """Undo what was done so far, keep that it was refused, and ask again who decides."""
    abandon()
    failures.note_refusal(refused)
    return consent_dialogue.refused(connection(), parts().place, lens(), walk.about, typed, refused.answer)


def _saved(asked: Asked, walk: Walk, done: str) -> Response:
    session.update({SAID: done, KEY: str(asked.key)})
    return redirect(walk.back, 303)


def said() -> tuple[str, str]:
    """What was done just now, and the key of the consent; told once."""
    return session.pop(SAID, ""), session.pop(KEY, "")
