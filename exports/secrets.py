"""The secret of a clinic's own that turns codes into pseudonyms: made when first needed, kept sealed."""

import secrets
from datetime import datetime

from clinics.models import Clinic
from exports.models import PseudonymKey
from reminders.sealing import seal, unseal

_BYTES = 32


def pseudonym_key(clinic: Clinic, *, now: datetime) -> bytes:
    """Return the clinic's key, the same for ever: files made years apart still join.

    Raises: SealError when SECRET_KEY was changed without keeping the former one.
    Cost: one query, two when the key is made.
    """
    kept = PseudonymKey.objects.filter(clinic=clinic).first()
    if kept is None:
        sealed = seal({"key": secrets.token_hex(_BYTES)})
        # Whoever was quicker made the one that counts.
        kept, _ = PseudonymKey.objects.get_or_create(
            clinic=clinic, defaults={"sealed": sealed, "created_at": now}
        )
    return bytes.fromhex(unseal(kept.sealed)["key"])
