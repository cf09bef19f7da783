"""Worth a look: what the audit raised, and what it was."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from carelink.cases import audit_signals
from carelink.errors import Invalid
from carelink.web.parts import parts
from carelink.web.session import lens
from carelink.web.transaction import connection

blueprint = Blueprint("signals", __name__, template_folder="templates")


@blueprint.get("/audit/signals")
def waiting() -> str:
    """What waits for an answer."""
    found = audit_signals.waiting(connection(), parts().place, lens())
    return render_template("dashboard/signals.html", signals=found, said=session.pop("signal-closed", False))


@blueprint.get("/audit/signals/<int:signal>")
def one(signal: int) -> str:
    """One, with the form that closes it."""
    return _page(signal, {})


@blueprint.post("/audit/signals/<int:signal>")
def answer(signal: int) -> Response | tuple[str, int]:
    """Keep the answer and go back to what waits."""
    try:
        said, words = request.form.get("answer", ""), request.form.get("words", "")
        audit_signals.answer(connection(), lens(), signal, said, words)
    except Invalid as wrong:
        return _page(signal, {wrong.place: wrong.why}), 400
    session["signal-closed"] = True
    return redirect(url_for("signals.waiting"), 303)


def _page(signal: int, wrong: dict[str, str]) -> str:
    shown = audit_signals.one(connection(), parts().place, lens(), signal)
    return render_template(
        "dashboard/signal.html", shown=shown, answers=audit_signals.ANSWERS, form=request.form, wrong=wrong
    )
