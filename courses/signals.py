"""News for the apps above: sent inside the transaction that changed the course, carrying ids only."""

from django.dispatch import Signal

# Arguments: course_id (int), now (aware datetime). Whoever listens writes in the same transaction or not at all.
course_changed = Signal()
