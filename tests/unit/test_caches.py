"""What is remembered between requests: nothing that was read of anybody, so no answer can go to another than who asked.

Every cache of the application stands here with what it remembers. One that is added fails until it does; one that is
given a connection, a lens or a person fails in any case. Files of the browser: every page says `no-store`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

import pytest
from conftest import ROOT

CACHES = ("cache", "lru_cache", "cached_property")
HOLDS = ("PerPlace", "OrderedDict", "WeakKeyDictionary", "WeakValueDictionary")
ASKED = (
    "Connection",
    "Lens",
    "Requester",
    "PersonKey",
    "ResourceKey",
    "UUID",
    "Facts",
)  # what no cache may be asked by

_RULES = "of one place pack: rules, and nothing of people"
_TEXTS = "of texts that are given to it, by which two records are compared while they are stored"
_FHIR = "of FHIR's own types"
_VALUE = "of one value, for as long as that is there: nobody else has it"
# File and function (or what it is assigned to) -> what it remembers.
KNOWN: Mapping[str, str] = {
    "carelink/audit/block.py:leaves": _VALUE,
    "carelink/audit/block.py:rooted": _VALUE,
    "carelink/audit/block.py:vouched": _VALUE,
    "carelink/audit/block.py:whole": _VALUE,
    "carelink/cases/working_days.py:bank_holidays": "of the calendar of England",
    "carelink/consent/agreements.py:sql": _VALUE,
    "carelink/consent/agreements.py:_agreements": _RULES,
    "carelink/consent/holders.py:kinds_of": _RULES,
    "carelink/consent/labels.py:_labeller": _RULES,
    "carelink/consent/lens.py:binds": "of one lens, which one request has",
    "carelink/consent/lens.py:_bits": "of one lens, which one request has",
    "carelink/consent/of_one.py:withheld_of_one": "of the text of a statement, without any value",
    "carelink/consent/lens.py:_values": "of one lens, which one request has",
    "carelink/consent/members.py:_known": _RULES,
    "carelink/consent/per_place.py:self._made": _RULES,
    "carelink/consent/policies.py:_rebuilt": "of place packs of then, by their fingerprint",
    "carelink/consent/provision_terms.py:_workers": _RULES,
    "carelink/consent/provision_terms.py:_teams": _RULES,
    "carelink/consent/sensitivity.py:all": _RULES,
    "carelink/consent/sensitivity.py:codings": _RULES,
    "carelink/consent/sensitivity.py:hidden_from_person": _RULES,
    "carelink/consent/sensitivity.py:sensitivities": _RULES,
    "carelink/identity/reach.py:reach_of": "of the texts of scopes and the patient of a token",
    "carelink/fhir/r4_elements.py:_rows": _FHIR,
    "carelink/fhir/r4_elements.py:every_name": _FHIR,
    "carelink/fhir/r4_elements.py:structure": _FHIR,
    "carelink/identity/scopes.py:_is_type": _FHIR,
    "carelink/identity/scopes.py:parsed": "of the text of a scope",
    "carelink/record/comparison.py:_addresses": _TEXTS,
    "carelink/record/comparison.py:_dates": _TEXTS,
    "carelink/record/comparison.py:_one_family": _TEXTS,
    "carelink/record/comparison.py:_one_given": _TEXTS,
    "carelink/record/copying.py:_command": "of our own tables",
    "carelink/record/kept.py:_made": "of the shapes of questions: the text of statements, without any value",
    "carelink/record/partial_dates.py:span": "of the text of a date",
    "carelink/record/references.py:_ours": "of the text of a reference that is being stored",
    "carelink/record/references.py:_tells": "of the text of a reference that is being stored",
    "carelink/record/traits_sounds.py:sounds": _TEXTS,
    "carelink/record/ukcore.py:_rules_of": _FHIR,
    "carelink/record/validation_shapes.py:_shape": _FHIR,
    "carelink/record/validation_shapes.py:_shape_at": _FHIR,
    "carelink/record/validation_shapes.py:model_of": _FHIR,
    "carelink/record/validation_shapes.py:shape": _FHIR,
    "carelink/record/validation_shapes.py:shape_of": _FHIR,
    "carelink/web/rendering.py:_print": "of our own files of style and scripts",
}


def test_every_cache_is_known_with_what_it_remembers() -> None:
    assert {name for name, _ in caches()} == set(KNOWN)


def test_no_cache_is_asked_by_a_connection_a_lens_or_a_person() -> None:
    asked = {
        name: [one.arg for one in node.args.args if one.annotation and ast.unparse(one.annotation) in ASKED]
        for name, node in caches()
        if node is not None
    }
    assert {name: arguments for name, arguments in asked.items() if arguments} == {}


@pytest.mark.parametrize(
    "written", ["@lru_cache\ndef page(person): ...", "@functools.cache\ndef f(): ...", "_seen = OrderedDict()", "x = PerPlace(f)"]
)  # fmt: skip
def test_a_cache_is_seen_however_it_is_written(written: str) -> None:
    assert list(_in(ast.parse(written)))


def caches() -> Iterator[tuple[str, ast.FunctionDef | None]]:
    """Every one in the application, with the function whose answers it keeps."""
    for file in sorted((ROOT / "carelink").rglob("*.py")):
        for name, node in _in(ast.parse(file.read_text("utf-8"))):
            yield f"{file.relative_to(ROOT).as_posix()}:{name}", node


def _in(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | None]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(_called(one) in CACHES for one in node.decorator_list):
            yield node.name, node
        assigned = isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call)
        if assigned and _called(node.value) in HOLDS:
            yield ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target), None


def _called(node: ast.expr) -> str:
    return ast.unparse(node.func if isinstance(node, ast.Call) else node).rpartition(".")[2].partition("[")[0]
