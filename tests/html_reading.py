"""A page as a tree, as far as tests ask: which elements there are, with what attributes, saying what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})


@dataclass
class Element:
    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    inside: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What a reader reads, with single spaces."""
        return " ".join(" ".join(self._texts()).split()).replace(" ,", ",").replace(" .", ".")

    def _texts(self) -> Iterator[str]:
        for one in self.inside:
            if isinstance(one, str):
                yield one
            elif one.tag not in ("script", "style", "template"):
                yield from one._texts()

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """Every element below of that tag and with these attributes; `class_` means: among its classes."""
        return [one for one in self._below() if one._fits(tag, attributes)]

    def one(self, tag: str = "", **attributes: str) -> Element:
        """The only one."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} of {tag} {attributes}"
        return found[0]

    def _fits(self, tag: str, attributes: dict[str, str]) -> bool:
        classes = self.attributes.get("class", "").split()
        wanted = attributes.copy()
        class_ = wanted.pop("class_", None)
        same = all(self.attributes.get(name.replace("_", "-")) == value for name, value in wanted.items())
        return tag in ("", self.tag) and same and (class_ is None or class_ in classes)

    def _below(self) -> Iterator[Element]:
        for one in self.inside:
            if isinstance(one, Element):
                yield one
                yield from one._below()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("document")]
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag == self.open[-1].tag:
            self.open.pop()
        else:
            self.wrong.append(f"</{tag}> ends <{self.open[-1].tag}>")

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def read(html: str) -> Element:
    """The page. Every element must be closed where it belongs."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.wrong, reader.wrong
    assert len(reader.open) == 1, [one.tag for one in reader.open]
    return reader.open[0]


def wrongs(page: Element) -> list[str]:
    """What a person with a screen reader would stumble over, as far as the mark-up alone tells."""
    return [*_headings(page), *_landmarks(page), *_references(page), *_tables(page), *_fields(page), *_names(page)]


def _headings(page: Element) -> Iterator[str]:
    found = [one for one in page._below() if one.tag in ("h1", "h2", "h3", "h4")]
    levels = [int(one.tag[1]) for one in found]
    if levels.count(1) != 1:
        yield f"{levels.count(1)} first headings"
    yield from (
        f"{after.text}: level {after.tag} after {before.tag}"
        for before, after in pairwise(found)
        if int(after.tag[1]) > int(before.tag[1]) + 1
    )
    yield from (f"an empty {one.tag}" for one in found if not one.text)


def _landmarks(page: Element) -> Iterator[str]:
    if len(page.all("main")) != 1:
        yield "not one main"
    if not page.one("head").one("title").text or page.one("html").attributes.get("lang") != "en":
        yield "no title or language"
    for one in page.all("nav") + page.all("section"):
        if not one.attributes.get("aria-label") and not one.attributes.get("aria-labelledby"):
            yield f"{one.tag} without a name"


def _references(page: Element) -> Iterator[str]:
    ids = [one.attributes["id"] for one in page._below() if "id" in one.attributes]
    yield from (f"id {one} twice" for one in sorted(set(ids)) if ids.count(one) > 1)
    for one in page._below():
        for name in ("for", "aria-labelledby", "aria-describedby"):
            yield from (f"{name} {id_} leads nowhere" for id_ in one.attributes.get(name, "").split() if id_ not in ids)
        target = one.attributes.get("href", "")
        if target.startswith("#") and target[1:] not in ids:
            yield f"{target} leads nowhere"


def _tables(page: Element) -> Iterator[str]:
    for table in page.all("table"):
        if not table.all("caption"):
            yield "a table without a caption"
        yield from ("a header without a scope" for one in table.all("th") if one.attributes.get("scope") is None)


def _fields(page: Element) -> Iterator[str]:
    labelled = {one.attributes.get("for") for one in page.all("label")}
    for tag in ("input", "select", "textarea"):
        for one in page.all(tag):
            if one.attributes.get("type") != "hidden" and one.attributes.get("id") not in labelled:
                yield f"{tag} {one.attributes.get('name')} without a label"


def _names(page: Element) -> Iterator[str]:
    for one in page.all("a") + page.all("button"):
        if not one.text and not one.attributes.get("aria-label"):
            yield f"{one.tag} without a name: {one.attributes}"
