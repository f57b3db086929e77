"""Makes the Flask application."""

from __future__ import annotations

from typing import Final

from flask import Flask
from flask_babel import Babel
from werkzeug.middleware.proxy_fix import ProxyFix

from .._version import __version__
from ..app.facade import SmartAbsen
from ..kernel.i18n import LANGUAGES, _, current_language
from . import access, admin, assets, attendance, auth, authority, faults, health, hosts, security, trace, verify
from .languages import LanguageMiddleware, current_locale, language_links
from .library import EXTENSION
from .sessions import DatabaseSessions

MAX_BODY_BYTES: Final = 5_000_000
"""Of a request; a route that takes more says so in the access table."""
_MAX_FORM_PARTS: Final = 100


def create_app(app: SmartAbsen | None = None) -> Flask:
    """Make the WSGI application of an installation.

    It opens no database and loads no model: each worker process does both when it first needs them, so it may be
    called before a fork.

    Args:
        app: The library; by default the installation that environment and ``smartabsen.toml`` describe.

    Raises:
        ConfigError: A setting is unknown or out of range, or a server in production has no good secret.
    """
    library = app or SmartAbsen.open()
    settings = library.settings
    library.serving.expect_many()
    library.serving.share_cores()
    flask = Flask("smartabsen.web", static_folder=None)
    flask.extensions[EXTENSION] = library
    flask.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_PARTS=_MAX_FORM_PARTS,
        TEMPLATES_AUTO_RELOAD=False,
        **{attendance.WARM_UP: True},
    )
    flask.jinja_env.trim_blocks = flask.jinja_env.lstrip_blocks = True
    flask.session_interface = DatabaseSessions()
    Babel(flask, locale_selector=current_locale, timezone_selector=lambda: settings.site.zone)
    flask.jinja_env.globals.update(
        _=_,
        current_language=current_language,
        language_links=language_links,
        languages=LANGUAGES,
        site_name=settings.site.name,
        version=__version__,
    )
    # What is done to answers is done in the opposite order: pages are packed last.
    assets.init_app(flask)
    # The order matters: whatever is written of a request has its address, and who may not come in is sent away before
    # anything of the request is read.
    trace.init_app(flask, library)
    hosts.init_app(flask, library)
    access.init_app(flask)
    security.init_app(flask, library)
    faults.init_app(flask)
    for module in (auth, verify, attendance, health, authority, admin):
        flask.register_blueprint(module.blueprint)
    https = settings.server.public_url.startswith("https:")
    flask.wsgi_app = LanguageMiddleware(flask.wsgi_app, settings.language, https=https)  # type: ignore[method-assign]
    if settings.server.proxies:
        count = settings.server.proxies
        flask.wsgi_app = ProxyFix(flask.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
    return flask
