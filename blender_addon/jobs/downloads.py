"""Downloads that wait for a yes: what a job lacks, how large it is and under which licence."""

from standee.formatting import size
from standee.wire.messages import Download
from standee.wire.session import Task

from ..i18n.translations import say
from .job import Job
from .presence import Notice


def offered(asked: Task[tuple[Download, ...]], job: Job) -> Notice:
    """Return what is said of downloads that were asked for; the notice's button says yes."""
    if asked.error is not None:
        return Notice(asked.error.message, asked.error.fix)
    lacking = asked.result()
    names = ", ".join(f"{one.repository} ({size(one.size)})" for one in lacking)
    licences = ", ".join(dict.fromkeys(one.licence or say("not named") for one in lacking))
    fix = say("Its licence: {licences}.", licences=licences)
    for one in lacking:
        if one.gated:
            fix += " " + say("It has to be accepted first: {page}", page=one.licence_url)
    return Notice(
        say("Not on the daemon's machine: {names}.", names=names),
        fix,
        "standee.cut_out" if job.layer else "standee.compose",
    )
