"""What a Consent comes to, by what it says and by who gave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from carelink.consent.authority import permit_counts, permit_ends
from carelink.consent.compiling import Compiled, compile_consent
from carelink.consent.facts import Directed
from carelink.consent.mind import Mind
from carelink.place import Place

UNVERIFIED = "It says that nobody has verified it with the person, so what it permits has no effect."


def effect(body: Mapping[str, Any], place: Place, mind: Mind, stored: datetime) -> Compiled:
    """Its provisions, less what somebody permitted who might not; and why, in sentences that name nobody.

    What they denied is kept: an objection that should not count hides something for a while, a permission that should
    not count shows it (Mental Capacity Act 2005 s1(2), s5; `stored`: when it was given where it doesn't say).
    """
    compiled = compile_consent(body, place)
    if not any(one.effect == "permit" for one in compiled.directives):
        return compiled
    why = UNVERIFIED if _unverified(body) else _refusal(body, mind, stored)
    if not why:
        ends = permit_ends(body, mind, stored)
        return replace(compiled, directives=tuple(_by(one, stored, ends) for one in compiled.directives))
    kept = tuple(one for one in compiled.directives if one.effect != "permit")
    return replace(compiled, directives=kept, problems=(*compiled.problems, why))


def _refusal(body: Mapping[str, Any], mind: Mind, stored: datetime) -> str:
    answer = permit_counts(body, mind, stored)
    return "" if answer.allowed else answer.because


def _unverified(body: Mapping[str, Any]) -> bool:
    """Whether it says of itself that nobody asked the person whether it is so (R4 6.2.7, `verification`)."""
    said = [one.get("verified") for one in body.get("verification", ())]
    return False in said and True not in said


def _by(one: Directed, stored: datetime, ends: datetime | None) -> Directed:
    """What was permitted was permitted when it came here, whatever later day it says: else it outweighed all to come.

    It ends when the child whom a parent permitted it for decides themselves.
    """
    if one.effect != "permit":
        return one
    made = stored if one.made is not None and one.made > stored else one.made
    last = min((when for when in (one.ends, ends) if when is not None), default=None)
    return replace(one, made=made, ends=last)
