"""Every change of a course: one verb each, keyword-only, one transaction, `by` the actor, `now` the instant."""

from courses.services.applying import apply_plan
from courses.services.assessing import fill_verdicts, reassess, reassess_due
from courses.services.booking import book_session, cancel_session, confirm_session, move_session
from courses.services.calendar import (
    add_absence,
    add_closure,
    close_days,
    closed_days,
    reassess_clinic,
    remove_absence,
    remove_closure,
    set_opening_hours,
    set_working_hours,
    stored_hours,
    working_hours,
)
from courses.services.clinic_details import change_clinic, is_time_zone_open
from courses.services.deciding import discontinue_course, end_phase, restart_course, set_target
from courses.services.disrupted import Outage, drift_values, foresee_drift, is_on_record, sessions_hit
from courses.services.disrupting import outage_of, start_disruption
from courses.services.flagging import acknowledge_flag, record_call, release_flag, snooze_flag
from courses.services.offers import SlotOffer, SlotOffers, offer_moves, offer_slots
from courses.services.pausing import is_pause_too_long, pause_course, remove_pause, resume_course
from courses.services.prescribing import (
    CourseDraft,
    Objection,
    change_prescription,
    check_draft,
    find_objections,
    find_prescribed,
    prescribe_course,
)
from courses.services.proposing import CoursePreview, PlanProposal, preview_course, propose_plan
from courses.services.protocol_versions import ConditionDraft, ProtocolDraft, draft_of
from courses.services.protocols import (
    create_protocol,
    known_conditions,
    reopen_protocol,
    retire_protocol,
    revise_protocol,
)
from courses.services.rebooking import apply_disruption, choose_moves
from courses.services.recording import (
    correct_session,
    record_arrival,
    record_attendance,
    record_no_show,
    record_walk_in,
)
from courses.services.reporting import REPORTED_WITHIN, close_report, may_report, report_reaction
from courses.services.restoring import is_undoable, undo_disruption
from courses.services.rolling import roll_forward_due
from courses.services.rooms import reopen_room, retire_room
from courses.services.screening import (
    end_contraindication,
    override_contraindication,
    record_contraindication,
)
from courses.services.tallying import keeps_tallies, tally_days, write_tallies
from courses.services.undoing import SessionBefore, before_act, find_holder, undo_session
from courses.services.waiting import can_come_earlier, offer_freed_slots, stop_waiting, wait_for_earlier
from courses.services.windows import DayFit, MoveWindow, fit_day, window_for_move

__all__ = [
    "REPORTED_WITHIN",
    "ConditionDraft",
    "CourseDraft",
    "CoursePreview",
    "DayFit",
    "MoveWindow",
    "Objection",
    "Outage",
    "PlanProposal",
    "ProtocolDraft",
    "SessionBefore",
    "SlotOffer",
    "SlotOffers",
    "acknowledge_flag",
    "add_absence",
    "add_closure",
    "apply_disruption",
    "apply_plan",
    "before_act",
    "book_session",
    "can_come_earlier",
    "cancel_session",
    "change_clinic",
    "change_prescription",
    "check_draft",
    "choose_moves",
    "close_days",
    "close_report",
    "closed_days",
    "confirm_session",
    "correct_session",
    "create_protocol",
    "discontinue_course",
    "draft_of",
    "drift_values",
    "end_contraindication",
    "end_phase",
    "fill_verdicts",
    "find_holder",
    "find_objections",
    "find_prescribed",
    "fit_day",
    "foresee_drift",
    "is_on_record",
    "is_pause_too_long",
    "is_time_zone_open",
    "is_undoable",
    "keeps_tallies",
    "known_conditions",
    "may_report",
    "move_session",
    "offer_freed_slots",
    "offer_moves",
    "offer_slots",
    "outage_of",
    "override_contraindication",
    "pause_course",
    "prescribe_course",
    "preview_course",
    "propose_plan",
    "reassess",
    "reassess_clinic",
    "reassess_due",
    "record_arrival",
    "record_attendance",
    "record_call",
    "record_contraindication",
    "record_no_show",
    "record_walk_in",
    "release_flag",
    "remove_absence",
    "remove_closure",
    "remove_pause",
    "reopen_protocol",
    "reopen_room",
    "report_reaction",
    "restart_course",
    "resume_course",
    "retire_protocol",
    "retire_room",
    "revise_protocol",
    "roll_forward_due",
    "sessions_hit",
    "set_opening_hours",
    "set_target",
    "set_working_hours",
    "snooze_flag",
    "start_disruption",
    "stop_waiting",
    "stored_hours",
    "tally_days",
    "undo_disruption",
    "undo_session",
    "wait_for_earlier",
    "window_for_move",
    "working_hours",
    "write_tallies",
]
