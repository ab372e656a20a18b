"""A result as JSON, and its page beside it."""

from pathlib import Path

import msgspec

from harness.report.page import Page, render
from harness.runs.journal import cannot_write, write_whole


def write(folder: Path, name: str, document: msgspec.Struct, page: Page) -> Path:
    """Both files whole, or not at all; the page's path. Raises StoreError."""
    path = folder / name
    html = path.with_suffix(".html")
    shown = render(page).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
    write_whole(path, msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    write_whole(html, shown)
    return html
