"""The pure heart: cadence, drift and planning over dates, without Django and without a clock."""
