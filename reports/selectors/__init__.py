"""What reports count, each from the rows of one clinic; a page and its files ask the same."""

from reports.selectors.overview import FindingCount, PeriodFigures, period_figures, uncounted_courses
from reports.selectors.scope import Scope

__all__ = ["FindingCount", "PeriodFigures", "Scope", "period_figures", "uncounted_courses"]
