"""News for the apps above: sent inside the transaction that changed the course.

All carry ids, the rows as this transaction has them where they are at hand, and words of our own; never names or
clinical text. Whoever listens writes in the same transaction or not at all.
"""

from django.dispatch import Signal

# Arguments: course_id (int), now (aware datetime), course: its row, where whoever changed it has clinic, client and
# protocol at hand, else None.
course_changed = Signal()

# The same of several courses of one clinic at once. Arguments: courses, each with clinic, client
# and protocol; now.
courses_changed = Signal()

# One verb was done. Arguments: course_id, course as above, action (as in the audit trail, without "course."), details
# (those of the audit event, as JSON), now.
course_acted = Signal()

# A course was completed, or taken back from that. Arguments: course_id, course, is_over (bool), now.
course_ended = Signal()

# A session was booked, or stands otherwise than before. Arguments: session_id, session, course, before (its Stand, None
# for one that is new), now.
session_changed = Signal()

# A flag was opened or resolved. Arguments: flag_id, flag, course, now.
flag_changed = Signal()
