"""``reelay admin …``: asks the running process through its socket, or, when none runs, does it itself under the instance lock."""

# ruff: noqa: FBT002 - typer reads the options from the signatures

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.admin_providers import provider
from bot.admin_way import JSON, do, only_here, said_as_json, say_alerts, say_limits, say_pauses, table
from bot.exits import EXIT_FAULT, EXIT_RUNNING, EXIT_STORAGE, end, settings_or_exit

Who = Annotated[str, typer.Argument(help="web:NAME, discord:ID, telegram:ID or the id of an account.", metavar="WHO")]
SCOPES = "person, chat, role or everybody."
SUBJECTS = "WHO for a person; the chat's or role's name; all for everybody."
Scope = Annotated[str, typer.Argument(help=SCOPES, metavar="SCOPE")]
Subject = Annotated[str, typer.Argument(help=SUBJECTS, metavar="SUBJECT")]
Period = Annotated[str, typer.Argument(help="day or month.", metavar="PERIOD")]
NOW = ("limit", "held", "spent", "left")
Limit = Annotated[int, typer.Option(help="At most so many, from 1 to 1000.")]

admin = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Steer a Reelay, whether it runs or not.")
quota = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Limits in credits. Unset, 0 and unlimited are three things."
)
ledger = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The lines of every hold, charge, release and grant."
)
admin.add_typer(quota, name="quota")
admin.add_typer(ledger, name="ledger")
admin.add_typer(provider, name="provider")


@admin.command()
def status(as_json: JSON = False) -> None:
    """Whether Reelay runs, where, and what is wrong."""
    from bot.admin_socket import FellSilent, NobodyAnswers, ask

    settings = settings_or_exit()
    try:
        told = ask(settings.data_dir, "status", {})
    except NobodyAnswers:
        end(EXIT_FAULT, f"Reelay does not run on {settings.data_dir}, or is just starting.")
    except FellSilent as error:
        end(EXIT_RUNNING, str(error))
    if said_as_json(told, as_json):
        return
    typer.echo(f"Reelay {told['release']} is {'ready' if told['ready'] else 'not ready'} at {told['address']}")
    typer.echo(
        f"process {told['pid']} since {told['started_at']} on {told['data_dir']}; generators: {', '.join(told['generators'])}"
    )
    typer.echo("live jobs: " + (", ".join(f"{n} {key}" for key, n in told["jobs"].items()) or "none"))
    for each in told["broken"]:
        typer.echo(f"✗ {each['part']} since {each['since']}: {each['why']}")
    say_pauses(told)
    say_alerts(told)


@admin.command(context_settings={"ignore_unknown_options": True})
def grant(
    who: Who,
    credits: Annotated[int, typer.Argument(metavar="N", help="Credits; below zero takes back what is unused.")],
    note: Annotated[str, typer.Option(help="Why, for the ledger.")] = "",
    as_json: JSON = False,
) -> None:
    """Give credits that outlast every day and month."""
    told = do("grant", {"who": who, "credits": credits, "note": note})
    if not said_as_json(told, as_json):
        typer.echo(f"{told['who']} has {told['balance']} granted credits now.")


@quota.command("show")
def quota_show(
    scope: Annotated[str | None, typer.Argument(help=SCOPES, metavar="SCOPE", show_default=False)] = None,
    subject: Annotated[str | None, typer.Argument(help=SUBJECTS, metavar="SUBJECT", show_default=False)] = None,
    as_json: JSON = False,
) -> None:
    """Show the defaults, every limit that was set, and what is left for SUBJECT (without one: for everybody)."""
    told = do("quota", {"scope": scope, "subject": subject})
    if said_as_json(told, as_json):
        return
    defaults = told["defaults"]
    typer.echo(f"Unset limits: {defaults['person_day']} a day and {defaults['person_month']} a month for a person, "
          f"{defaults['everybody_day']} a day for everybody together.")  # fmt: skip
    say_limits("Set limits", told["limits"], "amount")
    say_limits("Now", told["now"], *NOW)
    if told["granted"] is not None:
        typer.echo(f"Granted credits beside these: {told['granted']}")


@quota.command("set", context_settings={"ignore_unknown_options": True})
def quota_set(
    scope: Scope,
    subject: Subject,
    period: Period,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="A whole number, unlimited, or unset. 0 means none.")],
    as_json: JSON = False,
) -> None:
    """Set a limit, from now on."""
    _limit({"scope": scope, "subject": subject, "period": period, "amount": amount}, as_json=as_json)


@quota.command("unset")
def quota_unset(scope: Scope, subject: Subject, period: Period, as_json: JSON = False) -> None:
    """Take a limit away, so that the configured default applies again."""
    _limit({"scope": scope, "subject": subject, "period": period, "amount": "unset"}, as_json=as_json)


def _limit(args: dict[str, Any], *, as_json: bool) -> None:
    told = do("limit", args)
    if not said_as_json(told, as_json):
        say_limits("Now", told["now"], *NOW)


@admin.command()
def jobs(
    state: Annotated[
        list[str] | None, typer.Option(help="Only jobs in this state, or live; may be given again.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="Only this person's: WHO.", metavar="WHO")] = None,
    limit: Limit = 50,
    as_json: JSON = False,
) -> None:
    """List jobs, newest first, without their prompts."""
    told = do("jobs", {"states": state or [], "account": account, "limit": limit})
    if not said_as_json(told, as_json):
        columns = ("id", "state", "who", "provider", "price", "charged", "error_code", "created_at")
        table("Jobs", columns, told["jobs"])


@admin.command()
def cancel(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The id of a job, as jobs lists it.")], as_json: JSON = False
) -> None:
    """Cancel a job, as its owner could."""
    told = do("cancel", {"job": job})
    if not said_as_json(told, as_json):
        ended = told["state"] == "cancelled"
        typer.echo(
            f"Job {told['job']} is cancelled."
            if ended
            else f"Job {told['job']} is {told['state']} and will be stopped."
        )


@admin.command()
def token(
    who: Who,
    program: Annotated[bool, typer.Option("--program", help="A token for a program (the default).")] = False,
    signin: Annotated[
        bool, typer.Option("--signin", help="A link that signs a browser in, once, within a day.")
    ] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="End every token and unused link instead.")] = False,
    as_json: JSON = False,
) -> None:
    """Make a token or a sign-in link. It is shown once; only its hash is kept."""
    if program + signin + revoke > 1:
        raise typer.BadParameter("give one of --program, --signin and --revoke")
    if revoke:
        told = do("revoke", {"who": who})
        if not said_as_json(told, as_json):
            typer.echo(
                f"{told['revoked']} tokens and links of {told['who']} have ended. Browsers that are signed in stay so; see block."
            )
        return
    told = do("token", {"who": who, "kind": "signin" if signin else "program"})
    if not said_as_json(told, as_json):
        typer.echo(told["link"] if signin else told["token"])
        if signin and (hint := only_here(told["link"])) is not None:
            typer.echo(hint, err=True)


@admin.command()
def block(who: Who, as_json: JSON = False) -> None:
    """Refuse every order of somebody until unblock. Signing in and looking go on, and what is live too (see cancel)."""
    told = do("block", {"who": who})
    if not said_as_json(told, as_json):
        live = f" Still live: {', '.join(told['live_jobs'])}." if told["live_jobs"] else ""
        typer.echo(f"{told['who']} is blocked.{live}")


@admin.command()
def unblock(who: Who, as_json: JSON = False) -> None:
    """Take orders of somebody again."""
    told = do("unblock", {"who": who})
    if not said_as_json(told, as_json):
        typer.echo(f"{told['who']} is not blocked.")


@admin.command()
def takedown(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job's id, as cards' details and the trail name it.")],
    as_json: JSON = False,
) -> None:
    """Remove somebody's clip everywhere: its file, its links, its history, and the messages that show it."""
    told = do("takedown", {"job": job})
    if not said_as_json(told, as_json):
        typer.echo(f"{told['job']} is taken down; {told['removed']} of {told['messages']} messages are removed.")


Name = Annotated[
    str | None,
    typer.Argument(metavar="GENERATOR", help="A generator's name, or intake for new jobs.", show_default=False),
]


@admin.command()
def pause(
    name: Name = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "paused by the operator",
    as_json: JSON = False,
) -> None:
    """Submit nothing more to GENERATOR (without a name: to any); polls and deliveries go on, jobs queue. ``intake``: take no new jobs."""
    told = do("pause", {"name": name, "reason": reason})
    if not said_as_json(told, as_json):
        say_pauses(told)


@admin.command()
def resume(name: Name = None, as_json: JSON = False) -> None:
    """End the pause of GENERATOR (without a name: of every one), or of ``intake``."""
    told = do("resume", {"name": name})
    if not said_as_json(told, as_json):
        typer.echo("Resumed: " + (", ".join(told["resumed"]) or "nothing was paused"))
        say_pauses(told)


@admin.command()
def backup(
    target: Annotated[
        Path, typer.Argument(metavar="TARGET", help="A name that is not taken: a folder, or a file NAME.tar.")
    ],
    clips: Annotated[bool, typer.Option("--clips", help="The clips and pictures too.")] = False,
    as_json: JSON = False,
) -> None:
    """Back the database and the keys up, also while Reelay runs."""
    told = do("backup", {"target": str(target.absolute()), "clips": clips})
    if not said_as_json(told, as_json):
        also = f" and {told['clip_files']} files of clips" if clips else "; the clips are not in it (--clips)"
        typer.echo(f"{told['target']} holds database and keys{also}: {told['bytes'] / 1e6:,.1f} MB. Keep it secret.")


@admin.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="What backup wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Although there is something: it is put aside.")] = False,
    as_json: JSON = False,
) -> None:
    """Bring a backup back. Only while Reelay does not run."""
    from bot.restore import Home
    from bot.restore import restore as bring_back
    from core.errors import AlreadyRunning, RequestError, StorageError
    from providers.registry import REGISTRY

    settings = settings_or_exit()
    unpaid = tuple(entry.name for entry in REGISTRY if not entry.paid)
    home = Home(settings.data_dir, settings.database_path, unpaid)
    try:
        told = bring_back(source, home, force=force, now=time.time_ns() // 1_000_000, actor="operator@direct")
    except AlreadyRunning as error:
        end(EXIT_RUNNING, str(error))
    except RequestError as error:
        end(EXIT_FAULT, str(error))
    except (StorageError, OSError) as error:
        end(EXIT_STORAGE, str(error))
    if said_as_json(told, as_json):
        return
    brought = f"{told['clip_files']} files of clips were brought back."
    none = "the backup holds no clips: it was made without --clips."
    typer.echo(f"{told['data_dir']} is as it was at {told['made_at']}; {brought if told['with_clips'] else none}")
    if told["clips_missing"]:
        typer.echo(f"! {told['clips_missing']} files of clips are not there: they were not in the backup.")
    if told["aside"]:
        typer.echo(f"What was there before lies in {told['aside']}.")
    for name, waiting in told["paused"].items():
        typer.echo(
            f"! {name} is paused: {waiting} jobs waited for it then and may have run since. Look at them, then: reelay admin resume {name}"
        )


@admin.command()
def audit(limit: Limit = 50, as_json: JSON = False) -> None:
    """List what operators did, newest first."""
    told = do("audit", {"limit": limit})
    if not said_as_json(told, as_json):
        rows = [
            {**row, "details": ", ".join(f"{key}={value}" for key, value in row["details"].items())}
            for row in told["audit"]
        ]
        table("Audit", ("at", "actor", "verb", "details"), rows)


@ledger.command("check")
def ledger_check(as_json: JSON = False) -> None:
    """Compare every sum with the lines it comes from. Exit code 0 or 1."""
    told = do("ledger", {})
    if not said_as_json(told, as_json):
        for sentence in told["wrong"]:
            typer.echo(f"✗ {sentence}")
        if not told["wrong"]:
            typer.echo("✓ every sum agrees with its lines")
    raise SystemExit(EXIT_FAULT if told["wrong"] else 0)


@admin.command()
def alerts(
    clear: Annotated[
        str | None, typer.Option(help="Take the alert of this cause off the list.", metavar="CAUSE")
    ] = None,
    as_json: JSON = False,
) -> None:
    """Show what needs an operator."""
    told = do("alerts", {"clear": clear})
    if not said_as_json(told, as_json):
        say_alerts(told)
        if not told["alerts"]:
            typer.echo("✓ nothing needs you")
