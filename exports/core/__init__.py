"""What an export is, when the next one is due, and how people become pseudonyms; pure."""
