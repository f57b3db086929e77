"""What is installed and in use, for the dashboard's page about the system."""

from __future__ import annotations

import platform
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from .._version import __version__
from ..app.bootstrap import Services
from ..gallery import template_rows as templates
from ..gallery.model_file import load_model
from ..gallery.stored_gallery import name_owners
from ..kernel.domain import ModelIdentity
from ..kernel.errors import KeyMissingError, ModelError
from ..people import employee_rows as employees


@dataclass(frozen=True, slots=True)
class TrainedFacts:
    """The trained model in use; ``trained_at`` is local to the site."""

    version: str
    trained_at: datetime
    matcher: str
    employees: int
    templates: int
    accuracy: float | None
    threshold: float
    current: bool
    """Whether it belongs to the engine in use."""


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """What is installed and in use.

    Attributes:
        engine_why: Message id.
        model: Identity of the gallery's embeddings, empty before the first enrolment.
        trained: None where there is no trained model, or its files are damaged.
        templates: Of the model in use.
        damaged: Whose templates are damaged and not used; empty where all are well, or the key is missing.
    """

    version: str
    python: str
    engine: str
    engine_why: str
    model: str
    trained: TrainedFacts | None
    database: str
    database_address: str
    zone: str
    employees: int
    active_employees: int
    templates: int
    damaged: str


class System:
    """Facts about one installation; nothing is loaded for them but the small files of the trained model.

    Args:
        services: The installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def facts(self) -> SystemFacts:
        """Return what is installed and in use."""
        services = self._services
        model = services.active_model()
        choice = services.engine_choice()
        found = services.database.database_facts()
        with services.database.read() as session:
            _, everybody = employees.find_page(session, limit=0)
            _, active = employees.find_page(session, include_inactive=False, limit=0)
            count = 0 if model is None else templates.count(session, model)
        return SystemFacts(
            version=__version__,
            python=platform.python_version(),
            engine=choice.name,
            engine_why=choice.why,
            model="" if model is None else str(model),
            trained=self._trained(),
            database=f"{found.kind} {found.version}",
            database_address=found.address,
            zone=services.settings.site.zone,
            employees=everybody,
            active_employees=active,
            templates=count,
            damaged=self._damaged(model),
        )

    def _damaged(self, model: ModelIdentity | None) -> str:
        if model is None:
            return ""
        with suppress(KeyMissingError), self._services.database.read(long=True) as session:
            return name_owners(templates.gallery(session, model, ring=self._services.key_chain.ring()).damaged)
        return ""

    def _trained(self) -> TrainedFacts | None:
        try:
            trained = load_model(self._services.settings.assets_dir, self._services.key_chain.ring())
        except ModelError:
            return None
        return TrainedFacts(
            version=trained.version,
            trained_at=trained.trained_at.astimezone(self._services.site_zone),
            matcher=trained.matcher,
            employees=len(set(trained.employee_ids.tolist())),
            templates=len(trained.employee_ids),
            accuracy=trained.leave_one_out_accuracy,
            threshold=trained.threshold,
            current=trained.model == self._services.active_model(),
        )
