"""Nobody reads the record but through a lens: every function that selects from its tables takes one, and uses it.

So a new read without a lens fails here, not in front of somebody who should not have seen it. What reads without one is
listed with its reason: it is part of storing what a source sent, before there is anybody to show it to.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ROOT

PERSONAL = frozenset(
    {
        "resource",
        "resource_version",
        "index_token",
        "index_string",
        "index_date",
        "index_reference",
        "index_number",
        "person_trait",
        "quarantine",
        "finding",
        "attachment",
        "relationship",
        "directive",
    }
)
READS = re.compile(rf"\b(from|join)\s+({'|'.join(sorted(PERSONAL))})\b")  # in a statement that is written as text
ASKS = frozenset({"select", "exists", "returning", "from_select", "text", "kept.run", "_columns"})
WRITES = frozenset({"insert", "update", "delete"})

# Function -> why it reads without a lens, or takes one and does not put it into its statement.
WITHOUT_A_LENS: Mapping[str, str] = {
    "audit/signals.py:raise_signals": "a job: compares who looked with whom they looked at; keeps keys and counts alone",
    "cases/audit_people.py:named": "names and numbers of whom the audit is about, to the role that reads the audit",
    "consent/lens.py:breakable": "it is the lens: whether broken glass would open something to this requester",
    "consent/lens.py:where": "it is the lens",
    "consent/of_one.py:withheld_of_one": "it is the lens: whether something is hidden from this requester",
    "consent/known.py:facts_of": "what the decision itself stands on; nothing of it is shown but through `explain`",
    "consent/known.py:facts_of_all": "the same of many, for `what-if`, which gives counts and keys and is audited",
    "consent/known.py:items_of": "labels of what is held, for who explains the decision; audited by `explain`",
    "consent/past.py:versions_at": "what was held then, for as-it-was: the decision of then picks what is shown; audited by `explain`",
    "consent/past.py:refused_at": "keys of Consents that waited in quarantine then, for as-it-was",
    "cases/retention_known.py:_involved": "until when each organisation was involved, for the schedules; nothing is shown, and only counts by schedule are told",
    "cases/subject_access_about.py:_links": "the person's own answer (Art 15): rows that have no label, reviewed by who handles requests; audited by `gather`",
    "cases/subject_access_about.py:_traits": "the person's own answer (Art 15): rows that have no label, reviewed by who handles requests; audited by `gather`",
    "cases/subject_access_about.py:_relationships": "the person's own answer (Art 15): rows that have no label, reviewed by who handles requests; audited by `gather`",
    "cases/subject_access_about.py:_directives": "the person's own answer (Art 15): rows that have no label, reviewed by who handles requests; audited by `gather`",
    "cases/subject_access_about.py:_corrections": "the person's own answer (Art 15): none of what the law restricts; reviewed by who handles requests; audited by `gather`",
    "cases/subject_access_about.py:_refused": "the person's own answer (Art 15): what could not be stored has no label, so each is proposed to be read; audited by `gather`",
    "cases/pushing.py:_gone": "storing: keys and labels of what is deleted, which the client was seen to see; none of what it says",
    "cases/pushing_turns.py:rows": "storing: keys, sources and owners of what is about to be written, locked; what of it may be known is asked through the lens",
    "record/erased.py:_stored": "storing: which keys of a batch are there already, where some were erased; keys alone",
    "record/erasing.py:_note": "erasing: what goes, by its labels and how many versions; nothing of what it says",
    "record/erasing.py:_quarantined": "erasing: which rows of quarantine went, by their source's ids alone",
    "record/erasing.py:_sent_as": "erasing: under which ids these were sent; a condition alone",
    "record/erasing.py:_nothing_left": "erasing: whether a custodian has anything left; a condition alone",
    "record/erasing.py:_golden_past": "erasing: which version is the current one; a number alone",
    "consent/relationships.py:refresh": "storing: who is involved, by what was stored just now",
    "consent/directives.py:refresh": "storing: what is objected to, by what was stored just now",
    "consent/directives.py:_refused": "storing: whose Consent could not be stored, by its source's id alone",
    "cases/caseload.py:_allocated": "the requester's own allocations by their own id; what of these people is shown goes through the lens",
    "identity/proofing.py:person_of": "signing in: which record is the person's own, before there is a requester; gives a key",
    "jobs/wanted.py:asked_about": "keys of people that a source answered about, to be noted; nothing is shown",
    "jobs/wanted.py:answered_about": "keys of people that a source answered about, to be noted; nothing is shown",
    "cases/breakglass_finding.py:_says": "a condition alone; `_people` puts it beside its own",
    "cases/breakglass_finding.py:_where_they_are_may_be_told": "a condition alone; `_people` puts it beside its own",
    "cases/breakglass_finding.py:who": "break-glass: a name, a birth date and a number, to confirm who it is or to review; audited",
    "record/blocking.py:read_people": "linking: whom a Patient that is being stored is compared with",
    "cases/consent_unclear.py:note": "storing: which Consents can't be compiled, under a system lens; the task that it makes names nobody",
    "cases/consent_unclear.py:_refused": "Consents that could not be stored have no label; their reasons go to the role that watches over them",
    "cases/oversight.py:quarantined": "what could not be stored has no label; its reasons go to the role that watches over it",
    "record/attachments_store.py:whose": "which resource names a file; nothing is given but that resource is read under the lens first",
    "record/findings.py:counts": "how many resources of a source fail where; about sources, not people",
    "record/quarantine.py:listed": "what could not be stored has no label; its reasons go to the role that watches over it",
    "record/quarantine.py:resolve": "what could not be stored has no label; the role that watches over it ends it",
    "record/matches.py:_person": "a condition alone: which Patients are a person's; whoever asks puts the predicate beside it",
    "record/matches.py:of_golden": "a condition alone: which Patients are a person's; whoever asks puts the predicate beside it",
    "record/chains.py:those": "it is within a condition that takes the rows with their lens, and asks by them",
    "record/index_writing.py:unindex": "storing: what a new version was indexed by before is taken out",
    "record/denials.py:denials": "storing: golden Patients are composed without what the person keeps back",
    "record/golden_store.py:_records": "storing: golden Patients are composed of all that the sources say, under a system lens",
    "record/ingest_subjects.py:_owners_stored": "storing: whose a replayed resource is; keys alone",
    "record/links_moves.py:_move": "an undone link: which rows move to the other person; keys alone",
    "cases/labelling_queue.py:_waiting": "how many items wait at the requester's own organisation: a number, about nobody",
    "record/provenance.py:follow": "storing: what was told of an item has the item's new label",
    "record/provenance.py:_outlived": "storing: which repairs are outlived; keys alone",
    "record/quarantine.py:waiting": "storing: what is tried again, given to ingest",
    "record/quarantine.py:resolve_stored": "storing: what is stored now waits no longer",
    "record/quarantine.py:counts": "how many wait, by source and reason; about sources, not people",
    "record/versions.py:_told_now": "a condition alone; `_versions` puts the predicate beside it",
    "record/vanished.py:_held": "storing: what a source that told all of a part tells no more; keys and labels alone",
    "record/writing.py:stored_labels": "storing: keys and labels of what is ended, none of what it says",
    "record/writing.py:_update": "storing: what a new version was indexed by before is taken out",
    "record/writing.py:_known": "storing: hashes and versions of what is about to be written",
}


@dataclass(frozen=True)
class Function:
    name: str  # record/search.py:run
    node: ast.FunctionDef

    @property
    def carriers(self) -> set[str]:
        """What it, or a function within it, calls the lens that it takes, or the rows that are seen through one."""
        takers = [one for one in ast.walk(self.node) if isinstance(one, ast.FunctionDef)]
        taken = [arg for one in takers for arg in (*one.args.posonlyargs, *one.args.args, *one.args.kwonlyargs)]
        found = {arg.arg for arg in taken if arg.annotation is not None and ast.unparse(arg.annotation) in CARRIES}
        return found | {"over"} if any(_makes_rows(one, found) for one in ast.walk(self.node)) else found

    @property
    def uses_its_lens(self) -> bool:
        """Its predicate is in the statement, or it is handed on to what puts it there."""
        carried = self.carriers
        return any(_is_where(node, name) or _hands_on(node, name) for node in ast.walk(self.node) for name in carried)


CARRIES = ("Lens", "Over")


def _makes_rows(node: ast.AST, lenses: set[str]) -> bool:
    """`over = Over(resource, lens)`: rows that are seen through the lens that it took."""
    if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)):
        return False
    return _called(node.value) == "Over" and any(_hands_on(node.value, lens) for lens in lenses)


PREDICATES = frozenset({"where", "identifies", "counted"})
TELLS = frozenset(
    {"looked", "append", "_audit", "_must_may", "_must_watch", "must_read"}
)  # of the look, or of who may; shows nothing


def _is_where(node: ast.AST, lens: str) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in PREDICATES
        and ast.unparse(node.value) in (lens, f"{lens}.lens")
    )


def _hands_on(node: ast.AST, lens: str) -> bool:
    if not isinstance(node, ast.Call) or _called(node) in TELLS:
        return False
    return any(isinstance(one, ast.Name) and one.id == lens for one in node.args)


def reading(path: Path, source: str) -> Iterator[Function]:
    """The functions of a module that read the tables of the record."""
    tree = ast.parse(source)
    tables = _known(tree, _imported(tree))
    statements = frozenset(name for name in tables if any(_is_written(made) for made in _made(tree, name)))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and _reads(node, tables, statements):
            yield Function(f"{path}:{node.name}", node)


def _imported(tree: ast.Module) -> set[str]:
    known: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "carelink.db.tables":
            known |= {one.asname or one.name for one in node.names if one.name in PERSONAL}
    return known


def _known(tree: ast.Module, known: set[str]) -> frozenset[str]:
    """These names, and whatever the module makes of them, or of personal tables by their names, at its top."""
    for _ in range(3):  # what is made of what is made
        known |= {name for name in _names(tree) if any(_touches(made, known) for made in _made(tree, name))}
    return frozenset(known)


def _assigned(tree: ast.Module) -> Iterator[tuple[ast.expr, ast.expr]]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            yield from ((target, statement.value) for target in statement.targets)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            yield statement.target, statement.value


def _names(tree: ast.Module) -> set[str]:
    return {one.id for target, _ in _assigned(tree) for one in ast.walk(target) if isinstance(one, ast.Name)}


def _made(tree: ast.Module, name: str) -> Iterator[ast.expr]:
    for target, value in _assigned(tree):
        if any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(target)):
            yield value


def _is_written(node: ast.AST) -> bool:
    return any(
        isinstance(one, ast.Constant) and isinstance(one.value, str) and READS.search(one.value)
        for one in ast.walk(node)
    )


def _touches(node: ast.AST, known: set[str] | frozenset[str]) -> bool:
    return any(
        (isinstance(one, ast.Name) and one.id in known)
        or (isinstance(one, ast.Attribute) and one.attr in PERSONAL and ast.unparse(one.value) == "tables")
        for one in ast.walk(node)
    ) or _is_written(node)


def _reads(node: ast.FunctionDef, tables: frozenset[str], statements: frozenset[str]) -> bool:
    """It asks a personal table, or runs a statement that is written as text."""
    calls = [one for one in ast.walk(node) if isinstance(one, ast.Call)]
    called = {_called(one) for one in calls} | {ast.unparse(one.func) for one in calls}
    if "kept.run" in called:  # whatever it asks, it asks of the record
        return True
    if not any(_touches(statement, tables) for statement in _statements(node)):
        return False
    written = any(isinstance(one, ast.Name) and one.id in statements for one in ast.walk(node))
    return written or bool(called & ASKS) or ("execute" in called and not called & WRITES)


def _statements(node: ast.FunctionDef) -> list[ast.stmt]:
    """What it does, without what it says of itself."""
    return node.body[1:] if ast.get_docstring(node) else node.body


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def everything() -> list[Function]:
    return [
        function
        for path in sorted((ROOT / "carelink").rglob("*.py"))
        if path.relative_to(ROOT / "carelink").parts[0] != "db"
        for function in reading(path.relative_to(ROOT / "carelink"), path.read_text())
    ]


def test_every_function_that_reads_the_record_takes_a_lens_and_uses_it() -> None:
    bare = [one.name for one in everything() if not one.uses_its_lens and one.name not in WITHOUT_A_LENS]
    assert bare == [], "reads without a lens: give it one, or say in WITHOUT_A_LENS why it needs none"


def test_every_exception_is_still_there_and_still_is_one() -> None:
    needed = {one.name for one in everything() if not one.uses_its_lens}
    assert sorted(set(WITHOUT_A_LENS) - needed) == []
    assert all(WITHOUT_A_LENS.values())


def test_the_reading_functions_are_found() -> None:
    found = {one.name for one in everything() if one.uses_its_lens}
    assert found >= {
        "record/search.py:unkept",
        "record/search.py:_one",
        "record/search.py:count",
        "record/search.py:_several",
        "record/versions.py:_versions",
        "cases/caseload.py:_rows",
    }


HEAD = "from carelink.db import tables\nfrom carelink.db.tables import index_token, resource as r\n"
NEW_READS = [
    ("a plain select", "def f(conn): return conn.execute(select(r.c.body))", True),
    ("a select by another name", "_T = r.c\ndef f(conn): return conn.execute(select(_T.body))", True),
    ("a select of an index", "def f(conn): return conn.execute(select(index_token.c.code))", True),
    ("a select by the module of tables", "def f(conn): return conn.execute(select(tables.resource_version.c.body))", True),
    ("a statement in words", 'def f(conn): return conn.execute(text("select body from resource where true"))', True),
    ("a statement that is kept", '_S = text("select x from person_trait")\ndef f(conn): return conn.execute(_S)', True),
    ("a lens that is taken and not used", "def f(conn, lens: Lens): return conn.execute(select(r.c.body))", True),
    ("a lens that only says the time", "def f(conn, lens: Lens): return conn.execute(select(r.c.body).where(r.c.at < lens.at))", True),
    ("an update that gives back what was there", "def f(conn): return conn.execute(update(r).returning(r.c.body))", True),
    ("a statement that another function made", "def f(conn): return conn.execute(g().where(r.c.key == 1))", True),
    ("a method", "class C:\n def f(self, conn): return conn.execute(select(r.c.body))", True),
    ("a lens that is only told to the audit", "def f(conn, lens: Lens):\n x = select(r.c.body)\n looked(conn, lens, 'read')", True),
    ("a lens in the statement", "def f(conn, lens: Lens): return conn.execute(select(r.c.body).where(lens.where()))", False),
    ("a lens that is handed on", "def f(conn, lens: Lens): return conn.execute(select(r.c.key).where(*g(lens)))", False),
    ("a write", "def f(conn): conn.execute(r.insert(), [])", False),
    ("a condition", "def f(key): return r.c.key == key", False),
    ("another table", "def f(conn): return conn.execute(select(source_state.c.cursor))", False),
    ("words about it", 'def f(conn):\n "What is read from resource"\n return select(source_state)', False),
]  # fmt: skip


@pytest.mark.parametrize(("what", "source", "bare"), NEW_READS, ids=[what for what, *_ in NEW_READS])
def test_a_new_read_without_a_lens_is_noticed(what: str, source: str, bare: bool) -> None:
    found = [one for one in reading(Path("new.py"), HEAD + source) if not one.uses_its_lens]
    assert [one.name for one in found] == (["new.py:f"] if bare else [])
