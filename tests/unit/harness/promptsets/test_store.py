"""A promptset is what its manifest says, or it isn't loaded."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from harness import version
from harness.errors import PromptsetError, StoreError
from harness.plan import PromptsetRef
from harness.promptsets import manifest as manifests
from harness.promptsets.compatibility import compatible
from harness.promptsets.store import load, shipped

Make = Callable[..., Path]
ROOT = Path(__file__).parents[4]


def edit(folder: Path, **fields: object) -> None:
    path = folder / manifests.FILE
    document = msgspec.json.decode(path.read_bytes()) | fields
    path.write_bytes(msgspec.json.encode(document))


def test_a_folder_is_loaded(make: Make) -> None:
    found = load(str(make()))
    assert found.name == "sums"
    assert [row.prompt_id for row in found.rows] == ["sum-1", "sum-2", "sum-3"]
    assert found.manifest.categories == {"even": 1, "odd": 2}


def test_a_changed_row_is_refused_with_both_digests(make: Make) -> None:
    folder = make()
    rows = folder / manifests.ROWS
    expected = load(str(folder)).manifest.sha256
    rows.write_bytes(rows.read_bytes().replace(b"2+2", b"2+3"))
    with pytest.raises(PromptsetError) as caught:
        load(str(folder))
    assert str(rows) in str(caught.value)
    assert expected in str(caught.value)
    assert manifests.digest(rows.read_bytes()) in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"count": 4}, r"prompts.jsonl: 4 rows are expected, found 3"),
        ({"harness": ">=1"}, r"manifest.json: a harness >=1 is expected, this is 0.1.0"),
        ({"harness": "new"}, "is no bound"),
        ({"name": "../sums"}, "matching regex"),
        ({"version": 0}, ">= 1"),
        ({"colour": "red"}, "unknown field `colour`"),
        ({"sha256": "abc"}, "matching regex"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused(
    make: Make, fields: dict[str, object], message: str
) -> None:
    folder = make()
    edit(folder, **fields)
    with pytest.raises(PromptsetError, match=message):
        load(str(folder))


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_a_torn_manifest_is_refused(make: Make, payload: bytes) -> None:
    folder = make()
    (folder / manifests.FILE).write_bytes(payload)
    with pytest.raises(PromptsetError, match=manifests.FILE):
        load(str(folder))


def test_a_faulty_row_is_refused_with_its_line(make: Make) -> None:
    folder = make()
    rows = folder / manifests.ROWS
    payload = rows.read_bytes().replace(
        b'"max_tokens":8,"prompt":"What is 2', b'"prompt":"What is 2'
    )
    rows.write_bytes(payload)
    edit(folder, sha256=manifests.digest(payload))
    with pytest.raises(PromptsetError, match=r"prompts.jsonl:2: .*max_tokens"):
        load(str(folder))


def test_the_version_that_was_asked_for_is_the_one(make: Make) -> None:
    folder = make(version=3)
    assert load(str(folder), version=3).manifest.version == 3
    with pytest.raises(PromptsetError, match="version 2 is expected, found 3"):
        load(str(folder), version=2)


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(PromptsetError, match=r"'nope'; known are .*canary.*tiny"):
        load("nope")


@pytest.mark.parametrize(
    "where", ["..", ".", "", "../canary", "sources", "canary/..", "/etc/passwd", "CANARY", "a\\b"]
)
def test_a_name_leads_nowhere_else(where: str) -> None:
    with pytest.raises(PromptsetError):
        load(where)


def test_a_reference_selects_by_labels(make: Make) -> None:
    found = load(str(make()))
    ref = found.ref(split="eval_holdout", categories=("odd",), buckets=("long",))
    assert [row.prompt_id for row in found.select(ref)] == ["sum-3"]
    assert found.select(found.ref()) == found.rows


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"split": "train"}, "no row has the split 'train'; there are eval_holdout"),
        ({"categories": ("prime",)}, "no row has the category 'prime'; there are even, odd"),
        ({"buckets": ("huge",)}, "no row has the bucket 'huge'; there are long, short"),
        ({"categories": ("even",), "buckets": ("long",)}, "no row is in all"),
    ],
)
def test_a_reference_to_nothing_is_refused(
    make: Make, labels: dict[str, object], message: str
) -> None:
    with pytest.raises(PromptsetError, match=message):
        load(str(make())).ref(**labels)  # type: ignore[arg-type]


def test_a_reference_to_another_content_is_refused(make: Make) -> None:
    found = load(str(make()))
    other = PromptsetRef(name="sums", version=1, sha256="0" * 64)
    with pytest.raises(PromptsetError, match="the plan was made with sums version 1"):
        found.select(other)


def test_a_folder_with_other_things_is_not_overwritten(make: Make) -> None:
    folder = make()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(PromptsetError, match=r"notes\.txt"):
        make()
    assert (folder / "notes.txt").read_text() == "mine"


def test_what_can_not_be_written_leaves_nothing(tmp_path: Path, make: Make) -> None:
    (tmp_path / "in-the-way").write_text("a file")
    with pytest.raises(StoreError, match="nothing was written"):
        make(name="in-the-way/sums")
    assert [path.name for path in tmp_path.iterdir()] == ["in-the-way"]


def test_writing_again_leaves_just_the_two_files(tmp_path: Path, make: Make) -> None:
    folder = make()
    make(version=2)
    assert load(str(folder)).manifest.version == 2
    assert {path.name for path in folder.iterdir()} == {manifests.FILE, manifests.ROWS}
    assert [path.name for path in tmp_path.iterdir()] == ["sums"]


@pytest.mark.parametrize(
    ("specification", "own", "expected"),
    [
        (">=0.1,<1", "0.1.0", True),
        (">=0.1,<1", "0.9.12", True),
        (">=0.1,<1", "1.0.0", False),
        (">=0.1,<1", "0.0.9", False),
        ("==0.1", "0.1.0", True),
        ("!=0.1", "0.1.0", False),
        (">0.1, <=0.2.5", "0.2.5", True),
        (">=0.10", "0.9.0", False),
    ],
)
def test_versions_are_compared_by_their_numbers(
    specification: str, own: str, *, expected: bool
) -> None:
    assert compatible(specification, own) is expected


def test_the_harness_has_the_version_of_its_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == version.VERSION


def test_all_sets_are_shipped() -> None:
    assert set(shipped()) == {
        "benchmark-eval",
        "benchmark-finetune",
        "benchmark-quant",
        "canary",
        "eval-calibration",
        "failures",
        "finetune-domain",
        "performance",
        "quant-quality",
        "tiny",
    }


def test_loading_imports_nothing_that_the_jobs_do_not_have() -> None:
    heavy = ("boto3", "click", "jinja2", "numpy", "rich", "scipy", "tokenizers")
    code = (
        "import sys; from harness.promptsets.store import load; load('tiny');"
        f"print(sorted(sys.modules.keys() & set({heavy!r})))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"
