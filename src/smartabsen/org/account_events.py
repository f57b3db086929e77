"""What happens at the dashboard's door, each kind in one place: who came in, who did not and why, who left.

What matters for long is an entry of the audit trail; everything is a line of the security log. An unknown name that was
typed is never repeated: it may be a password in the wrong field.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..kernel.actors import current_actor
from ..kernel.domain import SecurityKind
from ..store.database import Session
from ..trust import audit_rows
from . import sign_in_try_rows
from .security_log import SecurityLog
from .sign_in_try_rows import Claim
from .user_rows import Refusal


def logged_in(security: SecurityLog, session: Session, name: str, *, factor: str, failed: int) -> None:
    """Somebody signed in.

    Args:
        factor: What came beside the password: empty, ``totp`` or ``recovery``.
        failed: Wrong passwords before the right one.
    """
    details = {"factor": factor, "failed": str(failed) if failed else ""}
    given = {key: value for key, value in details.items() if value}
    audit_rows.append(session, actor=name, action="user.login", subject=name, details=given)
    security.note(SecurityKind.LOGIN, actor=name, reason=factor)


def logged_out(security: SecurityLog, session: Session, name: str) -> None:
    """Somebody signed out."""
    audit_rows.append(session, actor=name, action="user.logout", subject=name)
    security.note(SecurityKind.LOGOUT, actor=name)


def login_refused(security: SecurityLog, name: str, reason: Refusal) -> None:
    """A name and a password let nobody in; ``name`` is empty where nobody has the one that was typed."""
    security.note(SecurityKind.LOGIN_REFUSED, actor=name, reason=reason.value)


def locked(session: Session, claim: Claim, name: str) -> None:
    """Wrong passwords filled a counter: one entry for one lock, also of a name that nobody has.

    The same is written in both cases, so that the time tells nothing.
    """
    if sign_in_try_rows.is_locked(session, claim.key_hash):
        action = "user.locked" if name else "user.unknown_locked"
        details = {"tries": str(claim.failures), "device": "unknown" if claim.shared else "known"}
        audit_rows.append(session, actor=name or current_actor(), action=action, subject=name, details=details)


def code_refused(security: SecurityLog, name: str, reason: str) -> None:
    """The right password came with a wrong code: ``wrong``, ``locked`` or ``foreign`` (another server's secret)."""
    security.note(SecurityKind.LOGIN_REFUSED, actor=name, reason=f"code_{reason}")


def code_locked(session: Session, claim: Claim, name: str) -> None:
    """Wrong codes filled a counter."""
    if sign_in_try_rows.is_locked(session, claim.key_hash):
        details = {"tries": str(claim.failures)}
        audit_rows.append(session, actor=name, action="user.totp_locked", subject=name, details=details)


def recovery_code_used(session: Session, name: str, *, left: int) -> None:
    """A recovery code took the place of the app's."""
    audit_rows.append(session, actor=name, action="user.recovery_code", subject=name, details={"left": str(left)})


def confirmed(security: SecurityLog, name: str) -> None:
    """Somebody who is logged in proved again who they are."""
    security.note(SecurityKind.LOGIN, actor=name, reason="confirmed")


def confirmation_refused(security: SecurityLog, name: str) -> None:
    """Somebody who is logged in could not prove it."""
    security.note(SecurityKind.LOGIN_REFUSED, actor=name, reason="not_confirmed")


def account_changed(
    security: SecurityLog, session: Session, actor: str, *, action: str, name: str, details: Mapping[str, str]
) -> None:
    """An account, its role, sessions or second factor were changed.

    Args:
        actor: By whom.
        action: Of the audit entry, as ``user.role``.
        name: Whose.
        details: Further facts.
    """
    audit_rows.append(session, actor=actor, action=action, subject=name, details=details)
    security.note(SecurityKind.ACCOUNT, actor=actor, reason=action, account=name)
