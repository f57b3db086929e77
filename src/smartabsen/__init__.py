"""smartabsen: attendance by face recognition with phone verification by QR.

The public API, listed in ``__init__.pyi``. Each name is imported on first use, so that ``import smartabsen`` is
quick and loads neither OpenCV nor a model::

    from smartabsen import SmartAbsen

    with SmartAbsen.open() as app:
        app.enrol("Sample Name", ["a.jpg", "b.jpg"], code="E001", consent=True)
        app.train()
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
