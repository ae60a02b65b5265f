"""Courses as FHIR R5: one bundle each, with everybody and everything that it refers to (docs/fhir.md)."""

from reports.fhir.bundles import MEDIA_TYPE, course_bundle, course_bundles

__all__ = ["MEDIA_TYPE", "course_bundle", "course_bundles"]
