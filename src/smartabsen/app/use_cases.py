"""What an installation does besides the methods of its facade: one object for each subject, made on first use."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime
from functools import partial

from ..attendance.attendance_log import AttendanceLog
from ..attendance.close.exports import PeriodExports
from ..attendance.close.rows import closed_days
from ..attendance.close.service import Periods
from ..attendance.close.vault import PeriodVault
from ..attendance.corrections import Corrections
from ..attendance.desk import DayQuery, Desk
from ..attendance.desk_export import ExportFile, ExportFormat, export_days
from ..attendance.imports.service import PunchImport
from ..attendance.leave.book import LeaveBook
from ..attendance.leave.letters import Letters
from ..attendance.leave.service import Leave
from ..attendance.overtime.service import Overtime
from ..attendance.policy.service import Policies
from ..attendance.punch import punch_by_pin
from ..attendance.results.model import DaySources
from ..attendance.results.service import Results
from ..attendance.rules.model import PlannedDay
from ..attendance.schedule.calendar import Calendar
from ..attendance.schedule.grid import RosterGrid
from ..attendance.schedule.planning import Planning, load_plans
from ..attendance.schedule.roster import Roster
from ..attendance.schedule.service import Shifts
from ..attendance.standing import MondayToFriday, OneSite, Org, WorkCalendar
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
from ..org.addresses import public_url
from ..org.departments.service import Departments
from ..org.limits import RateLimits
from ..org.secrets import ServerSecret
from ..org.security_log import SecurityLog
from ..org.sites.service import Sites
from ..org.users import Users
from ..org.web_sessions import WebSessions
from ..people.employment.service import Employments
from ..people.employment.wages import Wages, opened
from ..privacy import attendance_check_rows
from ..privacy.erase import carry_tombstones
from ..privacy.keys import Keys
from ..privacy.privacy import Privacy
from ..qr.phones import Phones, carry_revocations
from ..qr.signin import SignIn
from ..store.database import Session
from ..trust.active_key import ring_for_writing
from ..trust.audit import AuditTrail
from ..trust.work import Units
from ..upkeep import doctor, readiness
from ..upkeep.backups import Backups
from ..upkeep.clock_care import ClockCare
from ..upkeep.databases import Databases
from ..upkeep.serving import Serving
from ..upkeep.system import System
from ..upkeep.tls import Tls
from .bootstrap import Services
from .directory import PeopleDirectory
from .health import CHECKS


class UseCases:
    """The subjects of one installation; :class:`smartabsen.SmartAbsen` has them as attributes.

    Args:
        services: Its parts.
    """

    def __init__(self, services: Services) -> None:
        self.services = services

    @property
    def units(self) -> Units:
        """Begins units of work: what is read together, and what is changed together."""
        return self.services.units

    def now(self) -> datetime:
        """Return the time (UTC) by the database, or by this machine where that never told it."""
        return self.services.instant()

    def today(self) -> date:
        """Return the date at the site."""
        return self.now().astimezone(self.services.site_zone).date()

    @made_once
    def clock(self) -> ClockCare:
        """This machine's clock: whether it is right, and a person's word that it is."""
        return ClockCare(self.services)

    @made_once
    def users(self) -> Users:
        """Who may sign in to the dashboard."""
        services = self.services
        return Users(
            services.units,
            services.web_sessions,
            services.security,
            secret=lambda: services.secret,
            desk=services.settings.desk,
            issuer=services.settings.site.name or "smartabsen",
        )

    @made_once
    def sites(self) -> Sites:
        """Where people work, and which kiosks stand there."""
        return Sites(self.services.units, this_kiosk=lambda: self.services.kiosk_name)

    @made_once
    def departments(self) -> Departments:
        """The parts of the firm."""
        return Departments(self.services.units)

    @made_once
    def employments(self) -> Employments:
        """Who works where, on which terms, from when on."""
        return Employments(self.services.units, now=self.now, home_zone=self.services.site_zone)

    @made_once
    def wages(self) -> Wages:
        """What people earn, sealed."""
        services = self.services
        return Wages(
            services.units,
            ensure_key=services.ensure_key,
            read_ring=services.key_chain.ring,
            write_ring=lambda session: ring_for_writing(session, services.key_chain),
            today=self.employments.today,
        )

    @made_once
    def desk(self) -> Desk:
        """What the dashboard shows."""
        return Desk(self.services)

    @made_once
    def corrections(self) -> Corrections:
        """Correcting times, with reasons."""
        services = self.services
        return Corrections(
            services.units,
            services.rules,
            zone=services.site_zone,
            kiosk=services.kiosk_name,
            clock=services.look_at_clock,
            log=lambda logged: services.csv_log.append(logged),
        )

    @made_once
    def leave(self) -> Leave:
        """Leave: Izin and Sakit."""
        return Leave(self.services)

    @made_once
    def _org(self) -> Org:
        return OneSite()

    @made_once
    def _work_calendar(self) -> WorkCalendar:
        return MondayToFriday()

    @made_once
    def policies(self) -> Policies:
        """What the firm decides of its working time, from which date."""
        return Policies(self.services.units, self._org)

    @made_once
    def overtime(self) -> Overtime:
        """Orders for overtime, and what hours are worth."""
        return Overtime(self.services.units, self.policies, self._work_calendar)

    @made_once
    def results(self) -> Results:
        """Results of days, kept by revision."""
        return Results(self.services.units, self._day_sources, self.now)

    @made_once
    def _day_sources(self) -> DaySources:
        return DaySources(
            plans=self._plans_of_days,
            terms=self.policies.terms,
            leave=self.leave_book.leave_on_days,
            orders=self.overtime.orders_on_days,
            closed=closed_days,
        )

    def _plans_of_days(
        self, session: Session, _employee_ids: Collection[int], first: date, last: date
    ) -> Callable[[int, date], PlannedDay]:
        return load_plans(session, self.directory, first, last).plan

    @made_once
    def _period_vault(self) -> PeriodVault:
        return PeriodVault(self.services.key_chain, self.services.ensure_key)

    @made_once
    def periods(self) -> Periods:
        """Months: checked, closed, opened again."""
        chain = self.services.key_chain
        return Periods(
            self.services.units,
            self.results,
            self.policies,
            self._period_vault,
            today=self.today,
            leave=self.leave_book.sums_in_session,
            wages=lambda session, ids: opened(session, chain.ring, ids),
        )

    @made_once
    def period_exports(self) -> PeriodExports:
        """What closed months give to payroll."""
        return PeriodExports(self.services.units, self._period_vault)

    @made_once
    def punch_import(self) -> PunchImport:
        """Punches of other devices."""
        zone = self.services.settings.site.zone
        return PunchImport(self.services.units, self.results, closed_days, home_zone=zone, now=self.now)

    @made_once
    def leave_book(self) -> LeaveBook:
        """Requests for leave, their approval, and balances."""
        return LeaveBook(
            self.services.units,
            policies=self.policies,
            calendar=self._work_calendar,
            org=self._org,
            letters=Letters(self.services.key_chain, self.services.ensure_key),
            today=self.today,
        )

    @made_once
    def shifts(self) -> Shifts:
        """Shifts, patterns and presets."""
        return Shifts(self.services.units, self.today)

    @made_once
    def roster(self) -> Roster:
        """Who works when."""
        return Roster(self.services.units, self.directory)

    @made_once
    def roster_grid(self) -> RosterGrid:
        """The roster of a month as a sheet."""
        return RosterGrid(self.services.units, self.directory)

    @made_once
    def calendar(self) -> Calendar:
        """Holidays and joint leave."""
        return Calendar(self.services.units, self.directory)

    @made_once
    def planning(self) -> Planning:
        """What is planned for people and dates."""
        return Planning(self.services.units, self.directory)

    @made_once
    def directory(self) -> PeopleDirectory:
        """Where people belong, as the schedule asks it."""
        return PeopleDirectory(self.services.settings.site.zone)

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
        services = self.services
        return AuditTrail(
            services.units,
            services.trail_keeper,
            check_days=lambda session, ring: attendance_check_rows.check(session, services.rules, ring),
            zone=services.site_zone,
            key_place=services.key_chain.place,
        )

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
        backups.before_swap.append(carry_revocations)
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
        services = self.services
        return Phones(
            services.units,
            services.security,
            secret=lambda: services.secret,
            public_url=lambda: public_url(services.settings),
            punch=partial(punch_by_pin, services),
        )

    @made_once
    def checkin(self) -> CheckIn:
        """Attendance by a burst of frames from a browser."""
        return CheckIn(self.services, self.limits, lambda: self.gallery_watch, self.services.refusal_store)

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
        return WebSessions(self.services.web_sessions)

    @made_once
    def limits(self) -> RateLimits:
        """How often something may be tried."""
        return RateLimits(self.services.rate_limits)

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
        return Refusals(self.services.database)

    def check_health(self) -> tuple[Check, ...]:
        """Check what can be checked; each row says what was found and what mends it."""
        return doctor.check_health(self.services, CHECKS)

    def check_readiness(self) -> tuple[Check, ...]:
        """Check quickly whether a server can do its work: database, engine, trained model; no model is loaded."""
        return readiness.check_readiness(self.services)
