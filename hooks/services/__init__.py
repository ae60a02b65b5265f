"""What may be done about endpoints and their calls."""
