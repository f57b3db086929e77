"""The web server: sign-in by phone, attendance by face in the browser, and the pages of the administrators.

:func:`create_app` is what a WSGI server needs; ``smartabsen serve`` brings one along.
"""

from .factory import create_app

__all__ = ["create_app"]
