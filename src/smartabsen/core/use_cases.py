"""What an installation does besides the methods of its facade: one object for each subject, made on first use."""

from __future__ import annotations

from functools import cached_property

from .audit import AuditTrail
from .bootstrap import Services
from .limits import RateLimits
from .phones import Phones
from .secrets import ServerSecret
from .signin import SignIn
from .web_sessions import WebSessions


class UseCases:
    """The subjects of one installation; :class:`smartabsen.SmartAbsen` has them as attributes.

    Args:
        services: Its parts.
    """

    def __init__(self, services: Services) -> None:
        self.services = services

    @cached_property
    def audit(self) -> AuditTrail:
        """Who did what to whom."""
        return AuditTrail(self.services)

    @cached_property
    def signin(self) -> SignIn:
        """Requests to sign in with a phone."""
        return SignIn(self.services)

    @cached_property
    def phones(self) -> Phones:
        """Paired phones and PINs of employees."""
        return Phones(self.services)

    @cached_property
    def web_sessions(self) -> WebSessions:
        """Sessions of browsers."""
        return WebSessions(self.services)

    @cached_property
    def limits(self) -> RateLimits:
        """How often something may be tried."""
        return RateLimits(self.services)

    @property
    def secret(self) -> ServerSecret:
        """The server's secret; the first use may make one in the home. Raises StorageError."""
        return self.services.secret
