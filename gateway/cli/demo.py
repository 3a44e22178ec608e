"""`gateway demo`: a day of a small shop, or one provider's messages, with really signed requests."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

import click
from rich.table import Table

from gateway.cli.day import Step, day
from gateway.cli.first_run import DATA, DataFolder
from gateway.cli.output import as_json, console, print_json, settings_of
from gateway.cli.plays import Scene, play
from gateway.cli.private_gateway import private_gateway
from gateway.cli.shop import Line, Shop, moment
from gateway.errors import ConfigurationError
from gateway.keys import Keys
from gateway.mail.tokens import LinkTokens
from gateway.providers.base import CannotRehearseError
from gateway.providers.registry import KINDS
from gateway.settings import Settings

_ALL = "all"


@click.command()
@click.option("--token", help="Operator token; default the one that the first `gateway serve` made.")
@click.option(
    "--provider",
    "kind",
    type=click.Choice([*KINDS, _ALL]),
    help="Play STOP, HELP and START through this provider. Without an account of it, in a gateway of its own.",
)
@as_json
@click.pass_context
def demo(context: click.Context, token: str | None, kind: str | None, *, as_json: bool) -> None:
    """Play STOP, "Stop.", START, HELP, a duplicate, a forgery and one-click unsubscribes."""
    if kind is None:
        _show_day(_shop(settings_of(context), token), as_json=as_json)
        return
    with _shops(context, kind, token) as shops:
        _show_plays(shops, as_json=as_json)


def _show_day(shop: Shop, *, as_json: bool) -> None:
    steps: list[Step] = []
    table = Table("time", "what happened", "the gateway answered", "who is out, and why", show_lines=True)
    for step in day(shop):
        steps.append(step)
        table.add_row(step.hour, step.what, step.answered, step.recorded)
    if as_json:
        print_json(
            [{"time": s.hour, "what": s.what, "answered": s.answered, "recorded": s.recorded} for s in steps]
        )
        return
    console().print(table)
    console().print("The same for a person of your own:  gateway status +15550100123")


def _show_plays(shops: Sequence[Shop], *, as_json: bool) -> None:
    scenes: list[Scene] = []
    for shop in shops:
        if not as_json:
            console().print(f"[bold]{shop.line.kind}[/]")
        for scene in play(shop):
            scenes.append(scene)
            if not as_json:
                _show_scene(scene)
    if as_json:
        print_json([asdict(scene) for scene in scenes])


def _show_scene(scene: Scene) -> None:
    show = console()
    show.print(f"  {scene.what}")
    for name, text in (("sent", scene.sent), ("answered", scene.answered), ("recorded", scene.recorded)):
        show.print(f"    {name:<9} {text}", markup=False, no_wrap=True, overflow="ellipsis")


@contextmanager
def _shops(context: click.Context, kind: str, token: str | None) -> Iterator[Sequence[Shop]]:
    """Give the shop of a configured account of this kind, else one with a gateway of its own."""
    own = None if kind == _ALL else _configured_shop(_settings_if_any(context), kind, token)
    if own is not None:
        yield [own]
        return
    with private_gateway(KINDS if kind == _ALL else [kind]) as shops:
        yield shops


def _settings_if_any(context: click.Context) -> Settings | None:
    """Load the settings; None where there are none: the demo of a provider needs none."""
    try:
        return settings_of(context)
    except ConfigurationError:
        if context.find_root().obj:
            raise
        return None


def _configured_shop(settings: Settings | None, kind: str, token: str | None) -> Shop | None:
    if settings is None or not any(account.provider == kind for account in settings.accounts.values()):
        return None
    line = _line(settings, kind)
    return None if line is None else _at(settings, line, token)


def _shop(settings: Settings, token: str | None) -> Shop:
    line = _line(settings)
    if line is None:
        raise ConfigurationError(
            "the demo needs an account whose secrets are ours: of twilio, for example. "
            "One without settings: gateway demo --provider twilio"
        )
    return _at(settings, line, token)


def _at(settings: Settings, line: Line, token: str | None) -> Shop:
    programs = [(slug, program) for slug, program in settings.programs.items() if program.senders]
    if not programs:
        raise ConfigurationError("the demo needs a program with a sender")
    slug, program = programs[0]
    return Shop(
        base=settings.server.public_url,
        line=line,
        sender=program.senders[0],
        program=slug,
        bearer=token or _first_token(),
        links=LinkTokens(Keys.of(settings.keys).links),
    )


def _line(settings: Settings, kind: str | None = None) -> Line | None:
    """Return the first account that can be rehearsed with the secrets we have."""
    for name, account in settings.accounts.items():
        line = Line.of(f"{account.public_url or settings.server.public_url}/sms/{name}", account)
        if kind in {None, account.provider} and _can_be_played(line):
            return line
    return None


def _can_be_played(line: Line) -> bool:
    try:
        line.message("HELP", "+15550100123", "+15550100100", at=moment())
    except CannotRehearseError:
        return False
    return True


def _first_token() -> str:
    path = DataFolder(DATA).token
    if not path.exists():
        raise ConfigurationError("no operator token: give one with --token (gateway token create makes it)")
    return path.read_text().strip()
