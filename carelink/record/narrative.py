"""Narrative from sources, cleaned on its way in: what is formatting stays, what could act or fetch goes.

FHIR R4 2.4.0, txt-1 and txt-2: XHTML by an allow-list, no scripts, handlers, forms, frames or objects. Nothing in it may
lead outside: images are data or contained, links stay within the text. So whatever shows it tells nobody that it was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

import nh3

from carelink.record.repairing import DROP, Loc, put
from fhir_adapters.source import Repair

RULE = "R19-narrative"
WHY = (
    "A narrative holds XHTML formatting alone (FHIR R4, txt-1): no script, handler, form or frame, and nothing that leads"
    " outside of it"
)
EMPTY = "R20-empty-narrative"
WHY_EMPTY = "A narrative of which no words or pictures are left says nothing (FHIR R4, txt-2)"
XHTML = "http://www.w3.org/1999/xhtml"


def _named(text: str) -> frozenset[str]:
    return frozenset(text.split())


# HTML 4.0, chapters 7-11 (without section 4 of chapter 9) and 15, and images, as txt-1 names them. R4 2.4.0.
ELEMENTS = _named(
    "a abbr acronym address b big blockquote br caption center cite code col colgroup dd del dfn div dl dt em"
    " h1 h2 h3 h4 h5 h6 hr i img ins kbd li ol p pre q s samp small span strike strong sub sup table tbody td"
    " tfoot th thead tr tt u ul var"
)
# What of these goes with all that is within; of other elements the words stay.
_WHOLE = _named(
    "script style head title template noscript iframe frame frameset object embed applet audio video canvas"
    " svg math form select textarea button xml"
)
_EVERYWHERE = frozenset({"title", "style", "class", "id", "lang", "dir", "xml:lang"})
_OF_CELLS = frozenset({"abbr", "align", "axis", "char", "charoff", "colspan", "headers", "rowspan", "scope", "valign"})
ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "*": _EVERYWHERE,
    "a": frozenset({"href", "name"}),
    "col": frozenset({"align", "span", "valign", "width"}),
    "colgroup": frozenset({"align", "span", "valign", "width"}),
    "div": frozenset({"xmlns", "align"}),
    "img": frozenset({"alt", "height", "src", "width"}),
    "li": frozenset({"type", "value"}),
    "ol": frozenset({"start", "type"}),
    "p": frozenset({"align"}),
    "table": frozenset({"border", "cellpadding", "cellspacing", "frame", "rules", "summary", "width"}),
    "tbody": frozenset({"align", "valign"}),
    "td": _OF_CELLS,
    "tfoot": frozenset({"align", "valign"}),
    "th": _OF_CELLS,
    "thead": frozenset({"align", "valign"}),
    "tr": frozenset({"align", "valign"}),
    "ul": frozenset({"type"}),
}
# Of `style` what changes the look of words; nothing that fetches, or lays something over a page.
STYLES = _named(
    "background-color border border-collapse border-bottom border-color border-left border-right border-"
    " spacing border-style border-top border-width color font font-family font-size font-style font-variant"
    " font-weight height letter-spacing line-height list-style-type margin margin-bottom margin-left margin-"
    " right margin-top padding padding-bottom padding-left padding-right padding-top text-align text-decoration"
    " text-indent text-transform vertical-align white-space width word-spacing"
)
_STYLE_VALUE = re.compile(r"[\w#%., -]{1,100}(\s*!important)?")
_LOCAL = re.compile(r"#[\w.:-]{0,100}")
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/\s]*={0,2}")
_VOID = re.compile(r"<(br|col|hr|img)((?: [^<>]*)?)>")
_ROOT = f'<div xmlns="{XHTML}">'
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def _attribute(tag: str, name: str, value: str) -> str | None:
    """What stays of an attribute; None where it goes."""
    if name == "href":
        return value if _LOCAL.fullmatch(value) else None
    if name == "src":
        return value if _LOCAL.fullmatch(value) or _PICTURE.fullmatch(value) else None
    if name == "xmlns":
        return value if value == XHTML else None
    if name == "style":
        return _styles(value) or None
    return value


def _styles(value: str) -> str:
    said = [part.partition(":") for part in value.split(";") if part.strip()]
    named = [(name.strip().lower(), what.strip()) for name, _, what in said]
    kept = [(name, what) for name, what in named if name in STYLES and _STYLE_VALUE.fullmatch(what)]
    return value if kept == named else "; ".join(f"{name}: {what}" for name, what in kept)


_CLEANER = nh3.Cleaner(
    tags=set(ELEMENTS),
    clean_content_tags=set(_WHOLE),
    attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
    attribute_filter=_attribute,
    strip_comments=True,
    link_rel=None,
    url_schemes={"data"},
)


def clean(div: str) -> str:
    """The XHTML of a narrative with only what it may hold; empty where nothing is left to read or see.

    What is right already comes back as it was written.
    """
    plain = _NO_XML.sub("", div)
    if _too_deep(plain):
        return _as_words(plain)
    made = _VOID.sub(r"<\1\2/>", _CLEANER.clean(plain)).replace("&nbsp;", "\u00a0").strip()
    root = _parsed(made)
    if root is None or root.tag != f"{{{XHTML}}}div":
        made = f"{_ROOT}{made.removeprefix('<div>').removesuffix('</div>') if _bare(root) else made}</div>"
        root = _parsed(made)
    if root is None:
        return _as_words(plain)
    if not _says(root):
        return ""
    return div if _same(div, root) else made


_MOST_TAGS, _DEEPEST = 20_000, 200  # no hospital writes a narrative of more, and a parser takes its time over it
_MARKUP = re.compile(r"<[!?]")
_TAG = re.compile(r"<(/?)(\w+)")
_ENDLESS = frozenset({"br", "col", "hr", "img"})


def _too_deep(text: str) -> bool:
    """Whether it is nested, or left open, beyond anything that was written to be read."""
    if text.count("<") <= _DEEPEST:
        return False
    depth, tags = 0, _TAG.findall(text)
    for closing, name in tags:
        depth = max(0, depth - 1) if closing else depth + (name.lower() not in _ENDLESS)
        if depth > _DEEPEST:
            return True
    return len(tags) > _MOST_TAGS


def _bare(root: ElementTree.Element | None) -> bool:
    """Whether it is one `div` that only lacks its namespace."""
    return root is not None and root.tag == "div" and not root.attrib


def _parsed(text: str) -> ElementTree.Element | None:
    """As XML: entities can't be in it, for whatever is not an element was escaped before."""
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return None


def _says(root: ElementTree.Element) -> bool:
    return bool("".join(root.itertext()).strip()) or root.find(f".//{{{XHTML}}}img") is not None


def _as_words(text: str) -> str:
    """Of what can't be read as elements, the words."""
    words = re.sub(r"<[^>]*>?", " ", text).strip()
    return f"{_ROOT}{nh3.clean_text(words)}</div>" if words else ""


def _same(div: str, root: ElementTree.Element) -> bool:
    """Whether nothing was taken out: read as XML it is the same as what is left, but for the `tbody` that HTML adds."""
    sent = None if _MARKUP.search(div) else _parsed(div)
    return sent is not None and list(_events(sent)) == list(_events(root))


def _events(root: ElementTree.Element) -> Iterator[object]:
    """Elements, attributes and words in their order, in one row."""
    for element in root.iter():
        if element.tag != f"{{{XHTML}}}tbody" or element.attrib:
            yield element.tag, element.attrib
        yield from (words for words in (element.text, element.tail) if words and words.strip())


def cleaned(type_: str, body: dict[str, Any]) -> tuple[dict[str, Any], tuple[Repair, ...]]:
    """The resource with its narratives cleaned, also within sections, contained resources and Bundles; and what was done.

    What is not text where a narrative should be is left to the validation.
    """
    made: list[Repair] = []
    for loc, div in list(_narratives(body)):
        new = clean(div)
        if new == div:
            continue
        body = put(body, loc if new else loc[:-1], new or DROP)
        where = type_ + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
        made.append(Repair(RULE, where, div[:500], WHY) if new else Repair(EMPTY, where, div[:500], WHY_EMPTY))
    return body, tuple(made)


# Where further resources, or parts with a narrative of their own, stand.
_INNER = ("contained", "section", "entry", "parameter", "part")


def _narratives(body: Any, loc: Loc = ()) -> Iterator[tuple[Loc, str]]:
    text = body.get("text")
    if type(text) is dict and type(text.get("div")) is str:
        yield (*loc, "text", "div"), text["div"]
    resource = body.get("resource")
    if type(resource) is dict:
        yield from _narratives(resource, (*loc, "resource"))
    for name in _INNER:
        if type(inner := body.get(name)) is list:
            for index, one in enumerate(inner):
                if type(one) is dict:
                    yield from _narratives(one, (*loc, name, index))
