"""What stays of a narrative, and what goes: FHIR R4 2.4.0, txt-1 and txt-2."""

from __future__ import annotations

from typing import Any

import pytest

from carelink.record.narrative import EMPTY, RULE, clean, cleaned
from carelink.record.validation import check

ROOT = '<div xmlns="http://www.w3.org/1999/xhtml">'


def div(inner: str) -> str:
    return f"{ROOT}{inner}</div>"


@pytest.mark.parametrize(
    "inner",
    [
        "An example to illustrate a patient",
        "<p>Weight &lt; 60 kg &amp; falling</p>",
        "<p>one<br />two<br/>three</p><hr />",
        "<table><tr><th scope=\"row\">Pulse</th><td>72&#160;/min</td></tr></table>",
        '<p style="color:red; text-decoration: line-through">stopped</p>',
        '<img src="data:image/png;base64,iVBORw0KGgo=" alt="a mole"/>',
        '<a name="top">Top</a> <a href="#top">back</a>',
        "naïve café, 東京, €",
    ],
)  # fmt: skip
def test_what_is_right_stays_as_it_was_written(inner: str) -> None:
    assert clean(div(inner)) == div(inner)


# what was sent, what is left of it
GOES: list[tuple[str, str, str]] = [
    ("a script", "<p>a</p><script>alert(1)</script>", "<p>a</p>"),
    ("a script in capitals", "<p>a</p><SCRIPT SRC=//x.example></SCRIPT>", "<p>a</p>"),
    ("a handler", '<p onclick="alert(1)" title="t">a</p>', '<p title="t">a</p>'),
    ("a handler on a picture", "<p>a</p><img src=x onerror=alert(1)>", "<p>a</p><img/>"),
    ("a link that acts", '<a href="javascript:alert(1)">a</a>', "<a>a</a>"),
    ("a link that acts, in disguise", '<a href="jav&#x09;ascript:alert(1)">a</a>', "<a>a</a>"),
    ("a link that leads out", '<a href="https://x.example/">a</a>', "<a>a</a>"),
    ("a picture from outside", '<img src="https://x.example/p.png" alt="a"/>', '<img alt="a"/>'),
    ("a picture that is a document", '<p>a</p><img src="data:image/svg+xml;base64,PHN2Zz4="/>', "<p>a</p><img/>"),
    ("a style that fetches", '<p style="color: red; background: url(https://x.example)">a</p>', '<p style="color: red">a</p>'),
    ("a style that lies over the page", '<p style="position: fixed">a</p>', "<p>a</p>"),
    ("a form, with what is in it", "<p>a</p><form><input name='pin'/>b</form>", "<p>a</p>"),
    ("a frame", '<p>a</p><iframe src="https://x.example"></iframe>', "<p>a</p>"),
    ("an object", '<p>a</p><object data="x"></object>', "<p>a</p>"),
    ("a drawing", "<p>a</p><svg><a xlink:href='javascript:1'><text>b</text></a></svg>", "<p>a</p>"),
    ("a comment", "<p>a</p><!-- who wrote this -->", "<p>a</p>"),
    ("an element of later HTML, but not its words", "<article><mark>a</mark></article>", "a"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "left"), [row[1:] for row in GOES], ids=[row[0] for row in GOES])
def test_what_could_act_or_fetch_goes(sent: str, left: str) -> None:
    assert clean(div(sent)) == div(left)


def test_what_is_no_xhtml_is_written_as_such() -> None:
    assert clean("<div>a<br>b&nbsp;c</div>") == div("a<br/>b\u00a0c")
    assert clean("only words & more") == div("only words &amp; more")
    assert clean("<p>one</p><p>two") == div("<p>one</p><p>two</p>")


@pytest.mark.parametrize("sent", ["", div(""), div("  \n "), div("<p></p><br/>"), div("<script>alert(1)</script>")])
def test_where_nothing_is_left_to_read_there_is_no_narrative(sent: str) -> None:
    assert clean(sent) == ""


def test_what_is_nested_without_end_is_read_as_words() -> None:
    assert clean("<div><b>" * 5000 + "deep") == div("deep")


def _patient(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p", **elements}


def _text(inner: str) -> dict[str, Any]:
    return {"status": "generated", "div": div(inner)}


NASTY = _text("a<script>b</script>")
PLACES: list[tuple[str, str, dict[str, Any]]] = [
    ("Patient.text.div", "Patient", {"text": NASTY}),
    ("Patient.contained[0].text.div", "Patient", {"contained": [{"resourceType": "Organization", "text": NASTY}]}),
    ("Composition.section[0].section[1].text.div", "Composition", {"section": [{"section": [{}, {"text": NASTY}]}]}),
    ("Bundle.entry[0].resource.text.div", "Bundle", {"entry": [{"resource": {"resourceType": "Patient", "text": NASTY}}]}),
    ("Parameters.parameter[0].part[0].resource.text.div", "Parameters", {"parameter": [{"part": [{"resource": {"text": NASTY}}]}]}),
]  # fmt: skip


@pytest.mark.parametrize(("where", "type_", "body"), PLACES, ids=[row[0] for row in PLACES])
def test_narratives_are_cleaned_wherever_they_stand(where: str, type_: str, body: dict[str, Any]) -> None:
    left, repairs = cleaned(type_, body)
    assert [(one.rule, one.path) for one in repairs] == [(RULE, where)]
    assert "script" not in str(left)
    assert "script" in str(body), "what was given is not touched"
    assert cleaned(type_, left) == (left, ())


def test_a_resource_is_checked_with_its_narrative_cleaned_and_what_was_sent_is_told() -> None:
    checked = check("Patient", _patient(text=NASTY, active=True))
    assert checked.body == _patient(text=_text("a"), active=True)
    assert [(one.rule, one.path, one.was) for one in checked.repairs] == [(RULE, "Patient.text.div", NASTY["div"])]


def test_a_narrative_of_nothing_goes_whole() -> None:
    checked = check("Patient", _patient(text=_text("<script>b</script>"), active=True))
    assert checked.body == _patient(active=True)
    assert [one.rule for one in checked.repairs] == [EMPTY]
    assert checked.problems == ()
