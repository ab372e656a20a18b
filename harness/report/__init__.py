"""Reports: one self-contained HTML page, and CSV beside it.

`page` is what a page is made of, `charts` what can be drawn on one, `run` the page of a run. What
draws takes a second to import, so nothing of it is imported with this package.
"""

from pathlib import Path


def write(run_folder: Path) -> Path:
    """Makes `report.html`, `records.csv` and `summary.csv` of a run; returns the page's path.

    Raises StoreError where the run can't be read or the files can't be written.
    """
    from harness.report.writing import write_run  # noqa: PLC0415  # see above

    return write_run(run_folder)


__all__ = ["write"]
