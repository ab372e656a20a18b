import asyncio
from pathlib import Path

from harness.local.published import NewLines, document_after, url_in, version


def test_a_document_is_waited_for(tmp_path: Path) -> None:
    """Looks go on until it is there, and something is done at each."""
    file = tmp_path / "engines.json"
    looks: list[int] = []

    def meanwhile() -> None:
        looks.append(len(looks))
        file.write_text('{"engines": {}}')

    assert asyncio.run(document_after(file, None, meanwhile=meanwhile)) == {"engines": {}}
    assert looks == [0, 1]


def test_an_older_document_is_not_taken_for_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "engines.json"
    file.write_text('{"engines": {"old": {}}}')

    def replaced() -> None:
        newer = tmp_path / "newer"
        newer.write_text('{"engines": {"new": {}}}')
        newer.replace(file)

    found = asyncio.run(document_after(file, version(file), meanwhile=replaced))

    assert found == {"engines": {"new": {}}}


def test_an_address_is_read_once_it_is_there(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("http://127.0.0.1:1")

    assert asyncio.run(url_in(file)) == "http://127.0.0.1:1"


def test_lines_are_told_once_and_whole(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("one\ntw")
    lines = NewLines(log)

    assert lines() == ["one"]
    with log.open("a") as file:
        file.write("o\nthree\n")
    assert lines() == ["two", "three"]
    assert lines() == []
