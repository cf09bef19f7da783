"""What a Consent comes to, by what it says and by who gave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from carelink.consent.authority import permit_counts
from carelink.consent.compiling import Compiled, compile_consent
from carelink.consent.mind import Mind
from carelink.place import Place


def effect(body: Mapping[str, Any], place: Place, mind: Mind, stored: datetime) -> Compiled:
    """Its provisions, less what somebody permitted who might not; and why, in sentences that name nobody.

    What they denied is kept: an objection that should not count hides something for a while, a permission that should
    not count shows it (Mental Capacity Act 2005 s1(2), s5; `stored`: when it was given where it doesn't say).
    """
    compiled = compile_consent(body, place)
    if not any(one.effect == "permit" for one in compiled.directives):
        return compiled
    answer = permit_counts(body, mind, stored)
    if answer.allowed:
        return compiled
    kept = tuple(one for one in compiled.directives if one.effect != "permit")
    return replace(compiled, directives=kept, problems=(*compiled.problems, answer.because))
