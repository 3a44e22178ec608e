"""`gateway sync`: the ledger beside a provider's own list of opt-outs."""

from collections.abc import Sequence

import click

from gateway.cli.output import as_json, house_of, print_json
from gateway.consent.masking import mask_address
from gateway.errors import CallerError, OurTroubleError
from gateway.flows.provider_sync import Drift, Listed, NoListError, ProviderSync
from gateway.house import provider_sync_of
from gateway.providers.account import Sync
from gateway.providers.opt_outs import ListUnavailableError
from gateway.store.ledger import now_microseconds

_SAMPLE = 20


class SyncIsOffError(CallerError):
    """The account's lists are not to be kept in step."""


@click.command()
@click.argument("account")
@click.option("--dry-run", is_flag=True, help="Change nothing, neither here nor at the provider.")
@as_json
@click.pass_context
def sync(context: click.Context, account: str, *, dry_run: bool, as_json: bool) -> None:
    """Show who is out at ACCOUNT's provider only, in the ledger only, and in both; then put it right.

    What is put right is what the account's setting sync says: pull records what only the provider has, push
    has the worker tell the provider what only the ledger has. Numbers are masked.
    """
    house = house_of(context)
    flow = provider_sync_of(house)
    setting = house.settings.accounts[account].sync if account in house.settings.accounts else Sync.OFF
    if not dry_run and setting is Sync.OFF:
        raise SyncIsOffError(f"accounts.{account}.sync is off: set it, or look with --dry-run")
    drift = _drift(flow, account)
    pulled, pushed = (0, 0) if dry_run else _put_right(flow, account, setting, drift)
    if as_json:
        print_json(_document(drift) | {"recorded": pulled, "to_be_told": pushed})
        return
    _print(drift)
    if not dry_run:
        click.echo(f"{pulled} recorded here, {pushed} to be told to the provider by the worker")


def _drift(flow: ProviderSync, account: str) -> Drift:
    try:
        return flow.drift(account)
    except NoListError:
        raise
    except ListUnavailableError as error:
        raise OurTroubleError(str(error)) from error


def _put_right(flow: ProviderSync, account: str, setting: Sync, drift: Drift) -> tuple[int, int]:
    now = now_microseconds()
    recorded = sum(flow.take_over(account, now)) if setting.pulls else 0
    asked = flow.ask(account, drift.only_here, now) if setting.pushes else 0
    return recorded, asked


def _document(drift: Drift) -> dict[str, object]:
    return {
        "only_there": len(drift.only_there),
        "only_here": len(drift.only_here),
        "both": drift.both,
        "samples": {
            "only_there": [_sample(each) for each in drift.only_there[:_SAMPLE]],
            "only_here": [_sample(each) for each in drift.only_here[:_SAMPLE]],
        },
    }


def _print(drift: Drift) -> None:
    _lines("out at the provider only", drift.only_there)
    _lines("out in the ledger only", drift.only_here)
    click.echo(f"out in both: {drift.both}")


def _lines(title: str, found: Sequence[Listed]) -> None:
    click.echo(f"{title}: {len(found)}")
    for each in found[:_SAMPLE]:
        sample = _sample(each)
        click.echo(f"  {sample['address']} at {sample['sender'] or 'the whole account'}")
    if len(found) > _SAMPLE:
        click.echo(f"  and {len(found) - _SAMPLE} more")


def _sample(listed: Listed) -> dict[str, str]:
    shown = "erased" if listed.address is None else mask_address(listed.address)
    return {"address": shown, "sender": listed.sender}
