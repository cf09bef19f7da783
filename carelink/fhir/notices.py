"""What must be said of an answer about a person, lest what is withheld or old be read as all there is."""

from __future__ import annotations

from collections.abc import Iterable

from carelink.cases.standing import Standing, unsure
from carelink.fhir.outcome import issue, outcome
from carelink.place import Words

# IssueType `suppressed`: left out for reasons of policy or consent; `incomplete`: a source could not be reached.
SUPPRESSED, INCOMPLETE = "suppressed", "incomplete"


def notice(withheld: bool, standings: Iterable[Standing], words: Words) -> bytes:
    """An OperationOutcome of warnings; empty where there is nothing to warn of."""
    issues = [issue("warning", SUPPRESSED, words.withheld_notice)] if withheld and words.withheld_notice else []
    issues += [issue("warning", INCOMPLETE, unsure(one)) for one in standings if not one.sure]
    return outcome(*issues) if issues else b""
