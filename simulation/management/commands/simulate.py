import random
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from clinics.models import Clinic
from courses.services import add_closure
from reminders.services import drain, seed_rules
from simulation.clinic import actor_of, found_clinic
from simulation.ledger import Ledger, Sink
from simulation.misfortune import Misfortune, own_journals
from simulation.story import Story
from simulation.world import World

# The virtual days begin here, a Monday, so that the same seed tells the same story on every real day.
BEGIN: Final = datetime(2026, 1, 5, 6, tzinfo=UTC)


class Command(BaseCommand):
    help = (
        "Let virtual days pass over a clinic in a scratch database: bookings, misses, illness, closures, messages. "
        "Prints the ledger and every broken rule; exit 1 if any is broken."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, required=True, help="how many days, 1 to 730")
        parser.add_argument("--seed", type=int, default=1, help="another seed tells another story")
        parser.add_argument("--clients", type=int, default=24, help="how many clients, 1 to 500")
        parser.add_argument(
            "--faults",
            action="store_true",
            help="let senders die at every point, servers fail, clocks jump and people change their minds",
        )

    def handle(
        self, *, days: int, seed: int, clients: int, faults: bool, verbosity: int, **options: Any
    ) -> None:
        if not 1 <= days <= 730:
            raise CommandError("--days must lie from 1 to 730.")
        if not 1 <= clients <= 500:
            raise CommandError("--clients must lie from 1 to 500.")
        # Never in the database of an installation: a scratch one beside it, gone afterwards.
        name = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            ledger = simulate(days=days, seed=seed, client_count=clients, has_faults=faults)
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)
        self.stdout.write(f"seed {seed}, {days} days, {clients} clients")
        for figure, count in ledger.figures_at_end.items():
            self.stdout.write(f"{figure:>10} {count:>6}")
        for what, number in sorted(ledger.misfortunes.items()):
            self.stdout.write(f"{number:>6} {what}")
        for text in ledger.broken:
            self.stdout.write(f"broken: {text}")
        self.stdout.write(f"{len(ledger.broken)} broken rules")
        if ledger.broken:
            sys.exit(1)


def simulate(*, days: int, seed: int, client_count: int, has_faults: bool = False) -> Ledger:
    """Let the days pass over a new clinic in the database at hand and return the ledger."""
    with TemporaryDirectory(prefix="regimen-simulation-") as folder, own_journals(Path(folder)):
        return _simulate(days=days, seed=seed, client_count=client_count, has_faults=has_faults)


def _simulate(*, days: int, seed: int, client_count: int, has_faults: bool) -> Ledger:
    rng = random.Random(seed)  # noqa: S311  # a story, not a secret
    first_on = BEGIN.date()
    last_on = first_on + timedelta(days=days - 1)
    end = BEGIN + timedelta(days=days)
    cast = found_clinic(
        rng=rng,
        now=BEGIN,
        client_count=client_count,
        first_on=first_on,
        last_on=last_on + timedelta(days=400),
        password=None,
    )
    seed_rules(clinic=cast.clinic, now=BEGIN)
    plots = Story(cast, rng, today=last_on).begin_evenly(first_on, last_on, client_count + client_count // 3)
    world = World(cast, rng, plots, until=end)
    world.has_reminders = True
    sink = Sink()
    ledger = Ledger(cast.clinic, sink)

    def drain_into_sink(at: datetime) -> object:
        sink.now = at
        return drain(clock=lambda: at, factories={"email": sink.open})

    def end_day(world: World, day: object) -> None:
        ledger.check_day(world.clock.date(), world.clock, is_up=misfortune is None or misfortune.is_quiet)
        if misfortune is not None:
            misfortune.end_day(world.clock)
        if rng.random() < 0.02:
            _close_unexpectedly(cast.clinic, world)

    def _close_unexpectedly(clinic: Clinic, world: World) -> None:
        on = world.clock.date() + timedelta(days=rng.randint(1, 4))
        if not clinic.closures.filter(from_on__lte=on, to_on__gte=on).exists():
            add_closure(
                clinic=clinic,
                from_on=on,
                to_on=on,
                by=actor_of(cast.receptionist),
                now=world.clock,
                reason="Burst pipe",
            )

    world.drain = drain_into_sink
    world.after_day = end_day
    # Chance of its own, so that the same seed tells the same story with and without faults.
    misfortune = Misfortune(world, sink, random.Random(seed + 1)) if has_faults else None  # noqa: S311
    world.run(first_on, last_on)
    if misfortune is not None:
        ledger.misfortunes = misfortune.counts
    ledger.check_figures()
    ledger.figures_at_end = ledger.figures()
    return ledger
