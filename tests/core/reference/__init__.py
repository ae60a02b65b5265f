"""An independent, slow reference of the drift rules, and the random requests it is asked."""
