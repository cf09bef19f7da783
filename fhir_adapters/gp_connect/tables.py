"""Every STU3 type that a GP record has, with the rules that make it R4."""

from __future__ import annotations

from collections.abc import Mapping

from fhir_adapters.gp_connect.care import CARE
from fhir_adapters.gp_connect.clinical import CLINICAL
from fhir_adapters.gp_connect.medicines import MEDICINES
from fhir_adapters.gp_connect.people import PEOPLE
from fhir_adapters.gp_connect.rules import TypeRules

TYPES: Mapping[str, TypeRules] = PEOPLE | CLINICAL | MEDICINES | CARE
