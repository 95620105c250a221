"""`portraitist poses`: the library of poses."""

from __future__ import annotations

import argparse

from portraitist.cli.shared import add_json, say_json, table


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("poses", help="list the poses of the head that 'shoot --pose' knows")
    add_json(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """List them."""
    from portraitist.generate.poses import poses
    from portraitist.options import to_mapping

    if parsed.json:
        say_json([to_mapping(pose) for pose in poses().values()])
        return 0
    rows = [
        (p.key, p.name_zh, p.yaw, p.pitch, p.roll, _or_own(p.smile), _or_own(p.mouth_open)) for p in poses().values()
    ]
    table(("pose", "名称", "yaw", "pitch", "roll", "smile", "mouth open"), rows)
    return 0


def _or_own(value: float | None) -> str:
    return "the sitter's" if value is None else f"{value:g}"
