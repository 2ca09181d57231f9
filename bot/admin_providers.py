"""``reelay admin provider …``: how the generators are, and what an operator may do about it."""

# ruff: noqa: FBT002 - typer reads the options from the signatures

from __future__ import annotations

from typing import Annotated, Any

import typer

from bot.admin_way import JSON, do, said_as_json, say_pauses, table

Generator = Annotated[str, typer.Argument(metavar="GENERATOR", help="A generator's name.")]

provider = typer.Typer(
    rich_markup_mode=None, help="How the generators are; pause and resume them; choose the default one."
)


@provider.callback(invoke_without_command=True)
def _without_a_word(context: typer.Context, as_json: JSON = False) -> None:
    if context.invoked_subcommand is None:
        _list(as_json=as_json)


@provider.command("list")
def provider_list(as_json: JSON = False) -> None:
    """Show every generator: how it is and since when, what runs and waits, recent outcomes, today's cost."""
    _list(as_json=as_json)


def _list(*, as_json: bool) -> None:
    told = do("providers", {})
    if said_as_json(told, as_json):
        return
    rows = [
        {
            **each,
            "default": "*" if each["default"] else "",
            "models": ", ".join(each["models"]),
            "outcomes": ", ".join(f"{n} {name}" for name, n in each["outcomes"].items()),
            "cost": each["cost_today"],
        }
        for each in told["generators"]
    ]
    columns = ("name", "default", "title", "models", "state", "since", "until", "why", "running", "waiting", "outcomes")
    table("Generators", (*columns, "cost"), rows)
    if told["chosen"] is not None and told["chosen"] != told["default"]:
        typer.echo(f"! {told['chosen']} was chosen as the default generator and is not configured now.")
    elif told["chosen"] is not None:
        typer.echo(f"{told['chosen']} was chosen as the default generator; by the settings it is {told['configured']}.")


@provider.command("pause")
def provider_pause(
    name: Generator,
    reason: Annotated[str, typer.Option(help="Why.")] = "paused by the operator",
    as_json: JSON = False,
) -> None:
    """Submit nothing more to GENERATOR. What waits goes to another one where it may; polls and deliveries go on."""
    told = do("pause", {"name": name, "reason": reason})
    if not said_as_json(told, as_json):
        say_pauses(told)


@provider.command("resume")
def provider_resume(name: Generator, as_json: JSON = False) -> None:
    """End whatever holds GENERATOR up: a pause of yours or of Reelay's own, and what stands against its health."""
    told = do("resume", {"name": name})
    if not said_as_json(told, as_json):
        typer.echo("Resumed: " + (", ".join(told["resumed"]) or "nothing was paused"))
        say_pauses(told)


@provider.command("default")
def provider_default(
    name: Annotated[str, typer.Argument(metavar="GENERATOR", help="A generator's name, or unset.")],
    as_json: JSON = False,
) -> None:
    """Make GENERATOR the one of new orders that name none. It wins over REELAY_PROVIDER until ``unset``."""
    told: dict[str, Any] = do("default", {"name": name})
    if not said_as_json(told, as_json):
        why = "by the settings" if told["chosen"] is None else "until it is unset"
        typer.echo(f"The default generator is {told['default']}, {why}.")
