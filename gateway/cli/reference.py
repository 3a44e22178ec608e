"""Writes docs/reference/commands.md: `python -m gateway.cli.reference > docs/reference/commands.md`."""

import sys
from collections.abc import Iterator

import click

from gateway.cli.main import main as gateway

_WIDTH = 88
_HEAD = """\
# Commands

Generated from the code by `make docs`: what `--help` prints. From the folder of the project the command is \
`.venv/bin/gateway`.

Every command finds its settings as [Settings](settings.md) says. What goes wrong is told on standard error, and \
the exit code is 1; a wrong option makes it 2. `config check`, `doctor`, `accounts test`, \
`ledger verify`, `ledger rebuild` and `dead-letters replay` end with 1 when they have found something, and with 0 when all is well.
"""


def reference() -> str:
    """Return the page: the help of every command, each below the group it belongs to."""
    root = click.Context(gateway, info_name="gateway", terminal_width=_WIDTH, **gateway.context_settings)
    return "\n".join([_HEAD.rstrip("\n"), *_pages(gateway, root)]) + "\n"


def main() -> None:
    """Write the page to standard output."""
    sys.stdout.write(reference())


def _pages(command: click.Command, context: click.Context) -> Iterator[str]:
    yield from ("", f"## `{context.command_path}`", "", "```text", command.get_help(context), "```")
    if not isinstance(command, click.Group):
        return
    for name, inner in sorted(command.commands.items()):
        yield from _pages(inner, click.Context(inner, context, info_name=name, terminal_width=_WIDTH))


if __name__ == "__main__":
    main()
