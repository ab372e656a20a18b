"""A chart, and how it becomes a picture inside a page.

Pictures are SVG, drawn ahead: they print, follow the page's light or dark colours (which are CSS
variables), and need no script, so that a page can forbid all of it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree as ET

from markupsafe import Markup

Spec = dict[str, object]
"""A Vega-Lite specification."""

WIDE: Final = 790
NARROW: Final = 340
_SVG: Final = "http://www.w3.org/2000/svg"
_NOISE: Final = ("aria-hidden", "aria-label", "aria-roledescription", "role", "pointer-events")
_NOT_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE: Final = re.compile(r"url\(#(\w+)\)")


@dataclass(frozen=True, kw_only=True)
class Chart:
    alt: str
    """What it shows, in a sentence, for those who can't see it."""
    draw: Callable[[int], Spec]
    """A width in pixels, axes included -> what to draw. `harness.report.charts` has the kinds."""


def picture(chart: Chart, key: str) -> Markup:
    """Both sizes, of which the page shows the one that fits; `key` is unique on the page."""
    sizes = (("wide", WIDE), ("narrow", NARROW))
    return Markup("").join(
        Markup('<div class="{}">{}</div>').format(size, _svg(chart, width, f"{key}{size}"))
        for size, width in sizes
    )


def _svg(chart: Chart, width: int, key: str) -> Markup:
    import vl_convert  # noqa: PLC0415  # a page without charts does without

    drawn = vl_convert.vegalite_to_svg(_drawable(chart.draw(width)))
    root = ET.fromstring(drawn)  # noqa: S314  # drawn here
    for element, parent in _with_parents(root):
        _tidy(element, parent, key)
    root.set("role", "img")
    root.set("aria-label", _drawable(chart.alt))
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    ET.register_namespace("", _SVG)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704  # serialised, so escaped


def _drawable(part: object) -> Any:  # noqa: ANN401  # a JSON document
    """Without the characters that XML can't hold; at some of them the renderer would abort."""
    if isinstance(part, str):
        return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", part)
    if isinstance(part, Mapping):
        return {name: _drawable(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_drawable(value) for value in part]
    return part


def _with_parents(root: ET.Element) -> Iterator[tuple[ET.Element, ET.Element | None]]:
    yield root, None
    for parent in list(root.iter()):
        for child in list(parent):
            yield child, parent


def _tidy(element: ET.Element, parent: ET.Element | None, key: str) -> None:
    """Marks get tooltips, identifiers the chart's key; what nobody sees goes."""
    if element.attrib.get("aria-roledescription", "").endswith(" mark") and (
        label := element.get("aria-label")
    ):
        title = ET.SubElement(element, f"{{{_SVG}}}title")
        title.text = label
    invisible = element.get("display") == "none" or element.get("d") == "M0,0h0v0h0Z"
    if invisible and parent is not None:
        parent.remove(element)
    for name in _NOISE:
        element.attrib.pop(name, None)
    if identifier := element.get("id"):
        element.set("id", f"{key}{identifier}")
    for name, value in element.attrib.items():
        element.set(name, _REFERENCE.sub(rf"url(#{key}\1)", value))
