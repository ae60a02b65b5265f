"""Arithmetic of the staff pages; pure."""
