"""What Adam gives or asks for, and what may become of him meanwhile, and of Mia, whom it is about."""

from __future__ import annotations

import pytest

from tests.enrollment.passes import issue
from tests.people import World

ROLE = "UPDATE staff SET role = '{}' WHERE email LIKE '{}@%'"
JOINED = (
    "INSERT INTO staff (account_id, user_id, email, role) SELECT accounts.id, users.id, users.email, '{}' "
    "FROM accounts, users WHERE accounts.name = 'Other' AND users.email SIMILAR TO '{}@%'"
)
OF_MIA = "UPDATE users SET {} WHERE email LIKE 'mia@%'"
OF_ADAMS_APP = "FROM users WHERE users.id = user_id AND email LIKE 'adam@%'"

# What becomes of Adam, an admin who gave or asked for something, and of Mia, a member whom it is about.
NOT_ANY_MORE = {
    "she is an owner": ROLE.format("OWNER", "mia"),
    "she has a role where he has none": "; ".join([JOINED.format("MEMBER", "mia"), JOINED.format("OWNER", "olive")]),
    "she is an owner where he is an admin": "; ".join(
        [JOINED.format("OWNER", "(mia|olive)"), JOINED.format("ADMIN", "adam")]
    ),
    "she disputed a reset": OF_MIA.format("enrollment_stopped_at = now()"),
    "he is a member": ROLE.format("MEMBER", "adam"),
    "he has no MFA": "DELETE FROM factors USING users WHERE users.id = user_id AND email LIKE 'adam@%'",
    "he has enrolled anew": f"UPDATE factors SET enabled_at = now() {OF_ADAMS_APP}",
}
STILL = {
    "nothing": "SELECT",
    "he is an owner, as she is": "; ".join([ROLE.format("OWNER", "adam"), ROLE.format("OWNER", "mia")]),
    "both have a role elsewhere, too": "; ".join(
        [JOINED.format("MEMBER", "mia"), JOINED.format("ADMIN", "adam"), JOINED.format("OWNER", "olive")]
    ),
    "she was invited elsewhere": JOINED.format("MEMBER", "mia") + "; UPDATE staff SET invited_at = now() "
    "FROM accounts WHERE accounts.id = account_id AND accounts.name = 'Other' AND email LIKE 'mia@%'",
}
not_any_more = pytest.mark.parametrize("change", NOT_ANY_MORE.values(), ids=NOT_ANY_MORE.keys())
still = pytest.mark.parametrize("change", STILL.values(), ids=STILL.keys())


async def given(world: World) -> str:
    """A recovery pass that Adam gave to Mia."""
    adam = await world.enrolled("adam")
    await world.let_have_mfa("mia")
    return str((await issue(adam, world))["recoveryPass"])
