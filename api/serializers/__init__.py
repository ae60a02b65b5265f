"""What the operations of the API take and answer: one class for each body, rules stay in the services."""
