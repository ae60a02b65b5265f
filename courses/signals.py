"""News for the apps above: sent inside the transaction that changed the course."""

from django.dispatch import Signal

# Arguments: course_id (int), now (aware datetime), course: its row as this transaction has it, where whoever changed it
# has clinic, client and protocol at hand, else None. Whoever listens writes in the same transaction or not at all.
course_changed = Signal()

# The same of several courses of one clinic at once. Arguments: courses, each as this transaction has it, with clinic, client
# and protocol; now.
courses_changed = Signal()
