"""A page to keep good samples of a generator: the next ones are drawn around them, or training goes on with them."""

from __future__ import annotations

import argparse
from pathlib import Path

from portraitist.progress import Report, Step


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stage's flags."""
    parser.add_argument("--source", type=Path, required=True, help="generator file to pick from")
    parser.add_argument("--picks", type=Path, help="where the choice is kept (default: RUN/picks.json)")
    parser.add_argument("--port", type=int, default=0, help="port of the page (default: a free one)")
    parser.add_argument("--no-browser", action="store_true", help="only print where the page is")
    parser.add_argument("--write", metavar="NAME", help="no page: write what was kept as the domain NAME and end")


def run(asked: argparse.Namespace, report: Report) -> None:
    """Serve the page until Ctrl+C, or write the domain that `transfer --domain NAME` goes on with."""
    from portraitist.cli.local_server import serve
    from portraitist.cli.picking_server import PickingServer
    from portraitist.stylize.domain import save_domain
    from portraitist.stylize.generator.generator_file import load_generator
    from portraitist.stylize.generator.picking import PickingTable
    from recipes.painters.stage_prepare import domain_path

    table = PickingTable(load_generator(asked.source), asked.picks or asked.run / "picks.json")
    if asked.write:
        domain = table.domain(asked.write)
        path = save_domain(domain_path(asked.run, domain.side, asked.write), domain)
        report(Step("pick", message=f"! {path}: {len(domain)} kept samples"))
        return
    with PickingServer(table, asked.port) as server:
        serve(server, shows=not asked.no_browser)
    report(Step("pick", message=f"! {table.kept_in_all} samples kept in {table.file}"))
