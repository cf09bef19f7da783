"""What must be said of an answer about a person, lest what is withheld or old be read as all there is."""

from __future__ import annotations

from collections.abc import Iterable

from carelink.cases.standing import Standing
from carelink.fhir.outcome import issue, outcome
from carelink.place import Words

# IssueType `suppressed`: left out for reasons of policy or consent; `incomplete`: a source could not be reached.
SUPPRESSED, INCOMPLETE = "suppressed", "incomplete"


def notice(withheld: bool, standings: Iterable[Standing], words: Words) -> bytes:
    """An OperationOutcome of warnings; empty where there is nothing to warn of."""
    issues = [issue("warning", SUPPRESSED, words.withheld_notice)] if withheld and words.withheld_notice else []
    issues += [issue("warning", INCOMPLETE, _unsure(one)) for one in standings if not one.sure]
    return outcome(*issues) if issues else b""


def _unsure(one: Standing) -> str:
    if one.as_of is None:
        return f"{one.label}: has not answered about this person; nothing of it is known here"
    shown = f"what is given is as of {one.as_of:%Y-%m-%dT%H:%M:%SZ}"
    if one.failing_since is not None:
        return f"{one.label}: not reachable since {one.failing_since:%Y-%m-%dT%H:%M:%SZ}; {shown}"
    return f"{one.label}: not asked lately; {shown}"
