"""The Admin API: what the operator's people and their programs do with the books, on a listener of its own.

`routes.py` lists every endpoint; the routing and ``/openapi.json`` are both made from that one table. An endpoint is in
the file of its noun: what comes in and goes out as structs, and a function that does it. `dispatch.py` has what comes
before and after every one of them, `refusals.py` the one table from what the books say no to, to status and code.
"""

from spotbook.server.admin.app import admin_app

__all__ = ["admin_app"]
