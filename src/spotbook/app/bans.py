"""Bans as the books keep them: the limiter's subjects as text, and what counts again after a restart.

The text of a subject, in the journal and in the Admin API::

    address:127.0.0.1                 whoever calls from there (an IPv6 caller's /64, or ``unknown``)
    user:1001@127.0.0.1               user 1001, when calling from there
"""

import re
from ipaddress import ip_network
from typing import cast

from spotbook.app.pages import every
from spotbook.app.ports import Reader
from spotbook.domain.address import UNKNOWN
from spotbook.domain.bans import Subject, SubjectBan
from spotbook.domain.ladder import BanKind
from spotbook.limits import ID_MAX

_SUBJECT = re.compile(r"(?:address:|user:([1-9][0-9]{0,15})@)([0-9A-Za-z.:/]{1,64})", re.ASCII)


def subject_text(subject: Subject) -> str:
    """Return the subject as the books and the operator write it."""
    return f"address:{subject.address}" if subject.user is None else f"user:{subject.user}@{subject.address}"


def subject_of(text: str) -> Subject | None:
    """Return the subject that is written so; None when no subject is. The inverse of `subject_text`."""
    found = _SUBJECT.fullmatch(text)
    if found is None or not _address(found.group(2)):
        return None
    user = int(found.group(1)) if found.group(1) else None
    return None if user is not None and user > ID_MAX else Subject(user, found.group(2))


def _address(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return text == UNKNOWN
    return True


def restore_list(reader: Reader) -> list[SubjectBan]:
    """Return every stored ban that was not lifted, for `Pacer.restore`; bans long served may be among them.

    A ban counts if it began after its subject was last lifted. A row whose subject cannot be read is left out: no
    caller has such a subject.
    """
    lifted = {subject: int(at) for subject, at in every(reader, "ban_lift")}
    bans = []
    for text, began, kind, until in every(reader, "ban"):
        subject = subject_of(str(text))
        if subject is not None and int(began) > lifted.get(text, 0):
            bans.append(SubjectBan(subject, cast("BanKind", kind), int(began), int(until)))
    return bans
