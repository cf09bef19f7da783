"""Parameters of quantities, and composites: two things that must be true of one element (FHIR R4 3.1.1.4.12)."""

from __future__ import annotations

from functools import partial

from carelink.record.parameters.shape import Kind, Parameter, row

_row = partial(row, Kind.QUANTITY)
_composite = partial(row, Kind.COMPOSITE)

QUANTITIES: tuple[Parameter, ...] = (
    _row(130, "value-quantity", ("valueQuantity | valueSampledData", "Observation")),
    _row(131, "abatement-age", ("abatementAge | abatementRange", "Condition")),
    _row(132, "combo-value-quantity", types="Observation", of=(130, 133)),
    _row(133, "component-value-quantity", ("component.valueQuantity | component.valueSampledData", "Observation")),
    _row(134, "context-quantity", ("useContext.valueQuantity | useContext.valueRange", "Questionnaire")),
    _row(135, "length", ("length", "Encounter")),
    _row(136, "onset-age", ("onsetAge | onsetRange", "Condition")),
)

# type -> its element whose values are numbered, so that a composite finds both of its parts in one of them.
PLACED = {
    "DocumentReference": "relatesTo",
    "Group": "characteristic",
    "Observation": "component",
    "Questionnaire": "useContext",
}
_OBSERVED = partial(_composite, types="Observation")
_IN_ONE = partial(_composite, within=True)

COMPOSITES: tuple[Parameter, ...] = (
    _IN_ONE(520, "characteristic-value", types="Group", components="characteristic value"),
    _OBSERVED(521, "code-value-concept", components="code value-concept"),
    _OBSERVED(522, "code-value-date", components="code value-date"),
    _OBSERVED(523, "code-value-quantity", components="code value-quantity"),
    _OBSERVED(524, "code-value-string", components="code value-string"),
    _OBSERVED(525, "combo-code-value-concept", components="combo-code combo-value-concept", within=True),
    _OBSERVED(526, "combo-code-value-quantity", components="combo-code combo-value-quantity", within=True),
    _OBSERVED(527, "component-code-value-concept", components="component-code component-value-concept", within=True),
    _OBSERVED(528, "component-code-value-quantity", components="component-code component-value-quantity", within=True),
    _IN_ONE(529, "context-type-quantity", types="Questionnaire", components="context-type context-quantity"),
    _IN_ONE(530, "context-type-value", types="Questionnaire", components="context-type context"),
    _IN_ONE(531, "relationship", types="DocumentReference", components="relation relatesto"),
)
