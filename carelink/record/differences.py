"""Where R4 (4.0.1), which we speak, differs from R4B (4.3.0), whose models validate.

HL7, "R4B explanation" and the 4.3.0 version history: the types that a care record stores (Patient to Task) are the same
in both, element by element. What R4B added or reworked are the types below; the models know them and R4 does not.
"""

from __future__ import annotations

from collections.abc import Mapping

# Resource type of R4B -> what R4 4.0.1 has in its place
NOT_IN_R4: Mapping[str, str] = {
    "AdministrableProductDefinition": "MedicinalProductPharmaceutical",
    "Citation": "",
    "ClinicalUseDefinition": "MedicinalProductIndication and its siblings",
    "EvidenceReport": "",
    "Ingredient": "MedicinalProductIngredient",
    "ManufacturedItemDefinition": "MedicinalProductManufactured",
    "MedicinalProductDefinition": "MedicinalProduct",
    "NutritionProduct": "",
    "PackagedProductDefinition": "MedicinalProductPackaged",
    "RegulatedAuthorization": "MedicinalProductAuthorization",
    "SubscriptionStatus": "Parameters, as the Subscriptions R5 Backport writes it",
    "SubscriptionTopic": "Basic, as the Subscriptions R5 Backport writes it",
    "SubstanceDefinition": "SubstanceSpecification",
}

# Of one name in both, but with other elements: nothing of the kind is stored, so these are not taken in either.
REWORKED = frozenset({"ActivityDefinition", "Evidence", "EvidenceVariable", "PlanDefinition", "SubstanceSpecification"})


def not_in_r4(type_: str) -> bool:
    """Whether the models know a type of that name that R4 4.0.1 does not have, or has with other elements."""
    return type_ in NOT_IN_R4 or type_ in REWORKED
