"""What an installation does besides the methods of its facade: one object for each subject, made on first use."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from ..attendance.attendance_log import AttendanceLog
from ..attendance.corrections import Corrections
from ..attendance.desk import DayQuery, Desk
from ..attendance.desk_export import ExportFile, ExportFormat, export_days
from ..attendance.leave import Leave
from ..gallery.calibrate import Calibration
from ..gallery.duplicates import Duplicates
from ..gallery.enrolled_photos import EnrolledPhotos
from ..gallery.enrolments import Enrolments
from ..gallery.evaluate import Evaluation
from ..gallery.gallery_watch import GalleryWatch
from ..gallery.nightly import Nightly
from ..gallery.reembed import Reembedding
from ..gallery.refusals import Refusals
from ..gallery.training_job import TrainingJobs
from ..kernel.domain import Check
from ..kernel.once import made_once
from ..kiosk.checkin import CheckIn
from ..org.limits import RateLimits
from ..org.secrets import ServerSecret
from ..org.security_log import SecurityLog
from ..org.users import Users
from ..org.web_sessions import WebSessions
from ..privacy.erase import carry_tombstones
from ..privacy.keys import Keys
from ..privacy.privacy import Privacy
from ..qr.phones import Phones, carry_revocations
from ..qr.signin import SignIn
from ..trust.audit import AuditTrail
from ..upkeep import doctor, readiness
from ..upkeep.backups import Backups
from ..upkeep.clock_care import ClockCare
from ..upkeep.databases import Databases
from ..upkeep.serving import Serving
from ..upkeep.system import System
from ..upkeep.tls import Tls
from .bootstrap import Services


class UseCases:
    """The subjects of one installation; :class:`smartabsen.SmartAbsen` has them as attributes.

    Args:
        services: Its parts.
    """

    def __init__(self, services: Services) -> None:
        self.services = services

    def now(self) -> datetime:
        """Return the time (UTC) by the database, or by this machine where that never told it."""
        return self.services.instant()

    @made_once
    def clock(self) -> ClockCare:
        """This machine's clock: whether it is right, and a person's word that it is."""
        return ClockCare(self.services)

    @made_once
    def users(self) -> Users:
        """Who may sign in to the dashboard."""
        return Users(self.services)

    @made_once
    def desk(self) -> Desk:
        """What the dashboard shows."""
        return Desk(self.services)

    @made_once
    def corrections(self) -> Corrections:
        """Correcting times, with reasons."""
        return Corrections(self.services)

    @made_once
    def leave(self) -> Leave:
        """Leave: Izin and Sakit."""
        return Leave(self.services)

    @made_once
    def enrolments(self) -> Enrolments:
        """Adding people and their pictures from the dashboard."""
        return Enrolments(self.services)

    @made_once
    def photos(self) -> EnrolledPhotos:
        """The photos that people were enrolled with, one by one."""
        return EnrolledPhotos(self.services)

    @made_once
    def system(self) -> System:
        """What is installed and in use."""
        return System(self.services)

    def export_days(self, query: DayQuery, *, format: ExportFormat) -> ExportFile:
        """Return the days of a query as a file; see :func:`smartabsen.attendance.desk_export.export_days`."""
        return export_days(self.services, query, format=format)

    @made_once
    def trainings(self) -> TrainingJobs:
        """Trainings in the background."""
        return TrainingJobs(self.services)

    @made_once
    def audit(self) -> AuditTrail:
        """Who did what to whom."""
        return AuditTrail(self.services)

    @made_once
    def attendance_log(self) -> AttendanceLog:
        """The CSV files."""
        return AttendanceLog(self.services)

    @made_once
    def backups(self) -> Backups:
        """Backups of this installation.

        A restore erases again whoever was erased since the backup was made, and revokes the phones that were revoked.
        """
        backups = Backups(self.services, self.audit)
        backups.before_swap.append(partial(carry_tombstones, self.services))
        backups.before_swap.append(partial(carry_revocations, self.services))
        backups.after_restore.append(self.privacy.apply_tombstones)
        return backups

    @made_once
    def databases(self) -> Databases:
        """The database as a whole."""
        return Databases(self.services, self.audit)

    @made_once
    def signin(self) -> SignIn:
        """Requests to sign in with a phone."""
        return SignIn(self.services)

    @made_once
    def phones(self) -> Phones:
        """Paired phones and PINs of employees."""
        return Phones(self.services)

    @made_once
    def checkin(self) -> CheckIn:
        """Attendance by a burst of frames from a browser."""
        return CheckIn(self.services, self.limits, lambda: self.gallery_watch)

    @made_once
    def gallery_watch(self) -> GalleryWatch:
        """What makes this home follow the other machines; it runs from its first use until everything is closed.

        It loads no engine: whom another machine erases leaves the files here though nobody was recognised yet.
        """
        return self.services.on_close.enter_context(GalleryWatch(self.services))

    @made_once
    def duplicates(self) -> Duplicates:
        """People who are perhaps enrolled under two codes."""
        return Duplicates(self.services)

    @made_once
    def nightly(self) -> Nightly:
        """What a server does once a night: it runs from its first use until everything is closed."""
        services = self.services
        nightly = Nightly(self.duplicates.search_of_night, lambda: services.instant().astimezone(services.site_zone))
        return services.on_close.enter_context(nightly)

    @made_once
    def serving(self) -> Serving:
        """The web server: what it needs, and its address."""
        return Serving(self.services)

    @made_once
    def tls(self) -> Tls:
        """Certificates for https."""
        return Tls(self.services)

    @made_once
    def privacy(self) -> Privacy:
        """Consents, copies for people, erasure, retention."""
        return Privacy(self.services)

    @made_once
    def reembedding(self) -> Reembedding:
        """Another engine for the people who are enrolled, from their kept faces."""
        return Reembedding(self.services)

    @made_once
    def keys(self) -> Keys:
        """The keys that biometric data is sealed with."""
        return Keys(self.services)

    @made_once
    def web_sessions(self) -> WebSessions:
        """Sessions of browsers."""
        return WebSessions(self.services)

    @made_once
    def limits(self) -> RateLimits:
        """How often something may be tried."""
        return RateLimits(self.services)

    @property
    def security(self) -> SecurityLog:
        """The security log: what was refused, from which address."""
        return self.services.security

    @property
    def secret(self) -> ServerSecret:
        """The server's secret; the first use may make one in the home. Raises StorageError."""
        return self.services.secret

    @made_once
    def evaluation(self) -> Evaluation:
        """Measures how well people are recognised: on a folder, on pairs, on the enrolled gallery."""
        return Evaluation(self.services)

    @made_once
    def calibration(self) -> Calibration:
        """Chooses threshold and margin for the people who are enrolled."""
        return Calibration(self.services)

    @made_once
    def refusals(self) -> Refusals:
        """Tells why people were refused at kiosks and in browsers."""
        return Refusals(self.services)

    def check_health(self) -> tuple[Check, ...]:
        """Check what can be checked; each row says what was found and what mends it."""
        return doctor.check_health(self.services)

    def check_readiness(self) -> tuple[Check, ...]:
        """Check quickly whether a server can do its work: database, engine, trained model; no model is loaded."""
        return readiness.check_readiness(self.services)
