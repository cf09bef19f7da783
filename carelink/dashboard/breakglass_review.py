"""Pages of who reviews what was opened in need."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from carelink.cases import breakglass_evidence, breakglass_review
from carelink.web.parts import parts
from carelink.web.session import lens
from carelink.web.transaction import connection

blueprint = Blueprint("breakglass_review", __name__, template_folder="templates")


@blueprint.get("/break-glass/reviews")
def queue() -> str:
    """What waits for an answer, and what was answered lately."""
    waiting = breakglass_review.queue(connection(), parts().place, lens())
    return render_template(
        "dashboard/breakglass_queue.html",
        queue=waiting,
        findings=breakglass_review.FINDINGS,
        said=session.pop("said", ""),
    )


@blueprint.get("/break-glass/reviews/<int:grant>")
def case(grant: int) -> str:
    """One of them, with all that there is to judge by."""
    return _page(grant, {})


@blueprint.post("/break-glass/reviews/<int:grant>")
def answer(grant: int) -> str | Response:
    """Keep what was found and go back to what waits."""
    finding, words = request.form.get("finding", ""), request.form.get("words", "")
    if wrong := breakglass_review.wrongs(finding, words):
        return _page(grant, wrong)
    breakglass_review.answer(connection(), parts().place, lens(), grant, finding, words)
    session["said"] = "glass-answered"
    return redirect(url_for("breakglass_review.queue"), 303)


@blueprint.post("/break-glass/reviews/<int:grant>/end")
def stop(grant: int) -> Response:
    """Close it to who opened it, now."""
    breakglass_review.stop(connection(), parts().place, lens(), grant)
    return redirect(url_for("breakglass_review.case", grant=grant), 303)


def _page(grant: int, wrong: dict[str, str]) -> str:
    """Answers 200 also where something is wrong: it shows who the person is, and only good answers keep their audit."""
    seen = breakglass_evidence.evidence(connection(), parts().place, lens(), grant)
    return render_template(
        "dashboard/breakglass_case.html",
        seen=seen,
        case=seen.case,
        wrong=wrong,
        form=request.form,
        findings=breakglass_review.FINDINGS,
        mine=breakglass_review.is_theirs(lens(), seen.case),
    )
