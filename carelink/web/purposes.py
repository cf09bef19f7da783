"""Why somebody looks: the purpose of use, chosen from those of their role; every look says it in the audit."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, redirect, render_template, request
from werkzeug.wrappers import Response

from carelink.audit.trail import Event, append
from carelink.cases.consent_words import PURPOSES
from carelink.consent.requester import Requester
from carelink.identity import requesters
from carelink.place import Place
from carelink.web import session as signed_in
from carelink.web.parts import parts
from carelink.web.sign_in import path_of_ours
from carelink.web.transaction import connection


@dataclass(frozen=True)
class Looking:
    """What this requester looks for, and what else they might; in the order of the place, the usual one first."""

    purpose: str
    choices: tuple[tuple[str, str], ...]  # code, words

    @property
    def usual(self) -> str:
        """The code of the purpose of who chose none."""
        return self.choices[0][0]

    @property
    def words(self) -> str:
        """What they look for."""
        return dict(self.choices)[self.purpose]

    @property
    def usual_words(self) -> str:
        """What they would look for had they chosen nothing."""
        return self.choices[0][1]


def looking(place: Place, asks: Requester) -> Looking | None:
    """Between what this requester may choose; None where there is no choice, or where they look at their own record."""
    role = place.roles.get(asks.role)
    if role is None or len(role.purposes) < 2 or asks.person is not None or asks.purpose not in role.purposes:
        return None
    return Looking(asks.purpose, tuple((one, PURPOSES.get(one, one)) for one in role.purposes))


def purpose() -> str | Response:
    """The choice; whoever has none goes on to where they work."""
    signed_in.lens()  # what the menu is made of
    between = looking(parts().place, signed_in.requester())
    back = path_of_ours(request.args.get("back"))
    return render_template("purpose.html", between=between, back=back) if between else redirect(back, 303)


def choose_purpose() -> Response:
    """Go on for the chosen purpose, where they were. Raises `Forbidden` for one that the role may not ask for."""
    asked, chosen = signed_in.requester(), request.form.get("purpose", "")
    held = requesters.assignment_of(asked)
    became = requesters.requester(connection(), parts().place, asked.user, chosen, g.reference, held.id)
    signed_in.look_for(became.purpose)
    append(connection(), Event("purpose", became), signed_in.at())
    return redirect(path_of_ours(request.form.get("back")), 303)
