"""What can be drawn on a page: data in, `Chart` out. Altair makes the Vega-Lite of them.

Charts are given aggregates, never records, so a page of a million requests is as small as any.
Importing this takes a second: import it where a report is written.
"""

from harness.report.charts.distributions import Curve, distribution
from harness.report.charts.intervals import Estimate, Group, Span, bands, forest, rates
from harness.report.charts.over_time import timeline
from harness.report.charts.tallies import tally

__all__ = [
    "Curve",
    "Estimate",
    "Group",
    "Span",
    "bands",
    "distribution",
    "forest",
    "rates",
    "tally",
    "timeline",
]
