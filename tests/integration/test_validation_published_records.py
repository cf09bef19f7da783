"""Every entry of the published GP records, once mapped, ends valid, repaired, or refused with its reason."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from carelink.record.validation import check
from fhir_adapters import exact_json
from fhir_adapters.gp_connect import map_record
from fhir_adapters.simulators.gp_published import published_records


def test_everything_in_the_published_records_is_accounted_for(shared_examples: Path) -> None:
    ends: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    for practice, nhs_number, file in published_records(shared_examples):
        mapped = map_record(exact_json.loads(file.read_bytes()), practice, nhs_number)
        ends["refused by the mapping"] += len(mapped.rejected)
        assert all(one.raw and one.reasons for one in mapped.rejected)
        for item in mapped.items:
            checked = check(item.type, {**item.body, "resourceType": item.type, "id": "x"})
            assert all(one.place.startswith(item.type) and one.why for one in checked.problems)
            rules.update(one.rule for one in checked.repairs)
            ends["refused" if checked.problems else "repaired" if checked.repairs else "valid"] += 1
            if not checked.problems:
                again = check(item.type, checked.body)
                assert again.body == checked.body, "what was repaired once must be sound"
    sys.stdout.write(f"{dict(ends)} {dict(rules)}\n")
    assert sum(ends.values()) > 1_800
    assert ends["refused"] == 0, "the mapping gives only what validation can keep"
    assert {"R03-zone-london", "R07-impossible-date"} <= set(rules)
