"""Arithmetic of reports: shares, periods, retention, forecasts and working time; pure."""

from reports.core.forecast import WEEKS_AHEAD, Outlook, expected_days, week_of
from reports.core.periods import Period, usual_periods, weeks_ahead
from reports.core.shares import Difference, Share, difference_between, heat_level, median_of
from reports.core.survival import Fate, Step, retention_steps
from reports.core.working_time import Span, overlap_minutes, span_minutes, working_minutes

__all__ = [
    "WEEKS_AHEAD",
    "Difference",
    "Fate",
    "Outlook",
    "Period",
    "Share",
    "Span",
    "Step",
    "difference_between",
    "expected_days",
    "heat_level",
    "median_of",
    "overlap_minutes",
    "retention_steps",
    "span_minutes",
    "usual_periods",
    "week_of",
    "weeks_ahead",
    "working_minutes",
]
