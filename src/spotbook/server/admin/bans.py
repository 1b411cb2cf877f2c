"""Bans: those in force, and their lifting."""

from typing import Literal

from spotbook.app.bans import subject_of, subject_text
from spotbook.domain.bans import SubjectBan
from spotbook.domain.commands import LiftBan
from spotbook.server.admin.endpoint import Call, Endpoint, Out, Reply
from spotbook.server.admin.fields import TextPage, Time
from spotbook.server.admin.office import Office
from spotbook.server.admin.refusals import failure


class BanShown(Out, frozen=True):
    """A ban in force. `user` is null for a ban of the address itself."""

    subject: str
    user: int | None
    address: str
    kind: Literal["ban", "blacklist"]
    began: Time
    until: Time


class Bans(Out, frozen=True):
    """Bans by subject; `next` is the `after` of the next page, null at the end."""

    bans: list[BanShown]
    next: str | None


def _shown(ban: SubjectBan) -> BanShown:
    subject = ban.subject
    return BanShown(subject_text(subject), subject.user, subject.address, ban.kind, ban.began_ms, ban.until_ms)


async def _list(office: Office, call: Call) -> Reply:
    after, limit = call.query.after, call.query.limit
    bans = [_shown(ban) for ban in office.parts.pacer.bans(office.parts.pace_clock())]
    page = sorted((ban for ban in bans if ban.subject > after), key=lambda ban: ban.subject)[:limit]
    return Reply(200, Bans(page, page[-1].subject if len(page) == limit else None))


async def _lift(office: Office, call: Call) -> Reply:
    text = call.path["subject"]
    subject = subject_of(text)
    if subject is None:
        return failure(404, "unknown_subject", "write it as the list of bans does: address:… or user:…@…")
    await office.carry_out(LiftBan(text, office.parts.pace_clock()), call, gives_free=True)
    office.parts.pacer.lift(subject, office.parts.pace_clock())
    return Reply(204, None)


LIST = Endpoint("GET", "/bans", "view", "List the bans in force", _list, {200: Bans}, query=TextPage)
LIFT = Endpoint(
    "DELETE",
    "/bans/{subject}",
    "operate",
    "Pardon a subject: no ban or limit error of it is remembered",
    _lift,
    {204: None},
    wide="subject",
)
