"""The page: one file, well formed, readable without sight, and deaf to what it quotes."""

import itertools
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.report.charts import Estimate, Span, bands, forest, rates, tally
from harness.report.drawing import Chart
from harness.report.page import (
    Cell,
    Figure,
    Page,
    Quote,
    Section,
    Table,
    arm_columns,
    render,
    unknown,
    write_page,
)
from harness.report.wording import DASH
from harness.statistics.proportions import wilson
from harness.verdict import Finding, Verdict

HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{ 7 * 7 }}</style>"""
VOID = {"meta", "img", "br", "link"}


class Outline(HTMLParser):
    """Elements as they open, their texts, and whether each is closed where it should be."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if text := " ".join(data.split()):
            self.texts.append(text)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def hostile_charts() -> list[Chart | None]:
    share = {HOSTILE: wilson(3, 4)}
    return [
        rates(HOSTILE, {HOSTILE: share}, [HOSTILE]),
        forest(
            HOSTILE, [Estimate(label=HOSTILE, value=0, low=-1, high=1)], margin=-1, unit=HOSTILE
        ),
        bands(HOSTILE, [Span(label=HOSTILE, low=0, high=1, score=0.5)]),
        tally(HOSTILE, {HOSTILE: {HOSTILE: 3}}, [HOSTILE]),
    ]


@pytest.fixture(scope="module")
def hostile() -> str:
    return render(
        Page(
            title=HOSTILE,
            subtitle=HOSTILE,
            verdict=Verdict.FAIL,
            findings=(Finding(name=HOSTILE, verdict=Verdict.FAIL, reason=HOSTILE),),
            figures=(Figure(label=HOSTILE, values=(HOSTILE, HOSTILE), note=HOSTILE),),
            series=(HOSTILE, HOSTILE),
            facts=((HOSTILE, HOSTILE),),
            sections=(
                Section(
                    heading=HOSTILE,
                    prose=(HOSTILE,),
                    table=Table(
                        columns=arm_columns(HOSTILE, [HOSTILE, HOSTILE]),
                        rows=((HOSTILE, unknown(HOSTILE), Cell(text=HOSTILE, title=HOSTILE)),),
                        caption=HOSTILE,
                    ),
                    quotes=(Quote(label=HOSTILE, parts=((HOSTILE, HOSTILE),)),),
                ),
                *(Section(heading="chart", chart=chart) for chart in hostile_charts()),
            ),
        )
    )


def test_what_is_quoted_stays_text_everywhere(hostile: str) -> None:
    outline = Outline(hostile)

    assert outline.of("script") == outline.of("img") == outline.of("link") == []
    assert not [name for _, held in outline.elements for name in held if name.startswith("on")]
    assert "{{ 7 * 7 }}" in hostile
    assert hostile.count("<style>") == hostile.count("</style>") == 1
    assert HOSTILE in outline.texts


def test_a_page_may_load_nothing_and_run_nothing(hostile: str) -> None:
    policy = next(held["content"] for held in Outline(hostile).of("meta") if "http-equiv" in held)

    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert set(re.findall(r"https?://[^\s\"'<]*", hostile)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    } & set(re.findall(r"https?://[^\s\"'<]*", hostile))
    assert not re.findall(r"(?:src|href)=|@import|url\((?!#)", re.sub(r"src=x", "", hostile))


def test_identifiers_are_unique_and_references_resolve(hostile: str) -> None:
    identifiers = re.findall(r'\bid="([^"]*)"', hostile)

    assert len(identifiers) == len(set(identifiers))
    assert set(re.findall(r"url\(#(\w+)\)", hostile)) <= set(identifiers)
    assert set(re.findall(r'aria-labelledby="([^"]*)"', hostile)) <= set(identifiers)


def test_a_chart_is_there_in_two_sizes_and_says_in_words_what_it_shows() -> None:
    chart = rates("pass rate", {"capitals": {"quant": wilson(3, 4)}}, ["quant"])
    page = Outline(render(Page(title="t", sections=(Section(heading="h", chart=chart),))))

    pictures = page.of("svg")
    assert [one["role"] for one in pictures] == ["img", "img"]
    said = "Pass rate with 95 % intervals. capitals, quant: 75.0 % of 4, 20.4 % to 98.7 %."
    assert [one["aria-label"] for one in pictures] == [said, said]
    assert [one["class"] for one in page.of("div")][:2] == ["wide", "narrow"]
    assert "capitals, quant: 75.0 % of 4, 20.4 % to 98.7 %" in page.texts  # a tooltip


def test_a_verdict_comes_with_its_exit_code_and_findings_in_the_order_given() -> None:
    findings = (
        Finding(name="ledger", verdict=Verdict.INVALID, reason="3 never recorded"),
        Finding(name="error rate", verdict=Verdict.PASS, reason="0 of 9 failed"),
    )
    page = render(Page(title="t", verdict=Verdict.INVALID, findings=findings))

    texts = Outline(page).texts
    assert texts.index("INVALID") < texts.index("exit code 3")
    assert texts.index("3 never recorded") < texts.index("0 of 9 failed")
    assert "<title>INVALID · t</title>" in page


def test_nothing_asked_is_nothing_shown() -> None:
    texts = Outline(render(Page(title="t", verdict=Verdict.INCONCLUSIVE))).texts

    assert "Nothing was asked of it, so nothing is shown by it." in texts


def test_a_table_has_headers_for_its_columns_and_rows() -> None:
    table = Table(columns=("level", "ms"), rows=(("p50", "12.3"), ("p99", unknown("too few"))))
    page = Outline(render(Page(title="t", sections=(Section(heading="Latency", table=table),))))

    assert [one["scope"] for one in page.of("th")] == ["col", "col", "row", "row"]
    assert page.of("abbr") == [{"title": "too few", "aria-label": f"{DASH}: too few"}]
    assert [one.get("class") for one in page.of("td")] == ["n", "n"]


def test_headings_go_down_by_one_level(hostile: str) -> None:
    levels = [int(tag[1]) for tag, _ in Outline(hostile).elements if re.fullmatch(r"h[1-6]", tag)]

    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
    assert levels.count(1) == 1


def test_a_page_that_cant_be_written_is_an_error_and_leaves_the_old_one(tmp_path: Path) -> None:
    old = write_page(Page(title="old"), tmp_path / "report.html")

    with pytest.raises(StoreError, match="can't be written"):
        write_page(Page(title="new"), tmp_path / "missing" / "report.html")
    assert "<h1>old</h1>" in old.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = digits if len(digits) == 6 else "".join(letter * 2 for letter in digits)
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    "name", ["ink", "muted", "s0", "s1", "s2", "s3", "pass", "fail", "inconclusive", "invalid"]
)
def test_every_colour_of_text_stands_out_from_its_ground(scheme: int, name: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1, on the page and on its panels."""
    blocks = re.findall(r":root \{([^}]*)\}", render(Page(title="t")))[scheme]
    colours = dict(re.findall(r"--([a-z0-9]+): (#[0-9a-f]+);", blocks))

    for ground in ("paper", "panel"):
        lighter, darker = sorted(
            (_luminance(colours[name]), _luminance(colours[ground])), reverse=True
        )
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_half_a_character_does_not_stop_a_page(tmp_path: Path) -> None:
    """A model may cut an emoji in two."""
    path = write_page(Page(title="broken \ud83d emoji"), tmp_path / "report.html")

    assert "<h1>broken ? emoji</h1>" in path.read_text(encoding="utf-8")
