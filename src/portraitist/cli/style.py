"""`portraitist style list|show|from|import`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portraitist.cli.shared import add_json, open_library, say, say_json, table

if TYPE_CHECKING:
    from portraitist.styles.from_image import Look
    from portraitist.styles.style import Style

NEEDS = ("mini", "hub")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command group to the parser."""
    group = commands.add_parser("style", help="named looks: list, show, measure from a picture, import")
    verbs = group.add_subparsers(metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="every style, the built-in ones and your own")
    listing.add_argument("--needs", choices=NEEDS, help="only those that need portrait-mini, or a hub base")
    add_json(listing)
    listing.set_defaults(run=run_list)
    showing = verbs.add_parser("show", help="one style: its settings and the prompt it makes")
    showing.add_argument("name", help="key, English name or Chinese name")
    add_json(showing)
    showing.set_defaults(run=run_show)
    _register_makers(verbs)


def _register_makers(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    measuring = verbs.add_parser("from", help="measure colours, light and framing of a picture; write a style of them")
    measuring.add_argument("image", type=Path, metavar="IMAGE")
    measuring.add_argument(
        "--out", type=Path, required=True, metavar="KEY.yaml", help="file to write, named by its key"
    )
    measuring.add_argument("--needs", choices=NEEDS, default="hub", help="mini: only words it knows (default hub)")
    add_json(measuring)
    measuring.set_defaults(run=run_from)
    importing = verbs.add_parser("import", help="styles of the older system (JSON) into your library")
    importing.add_argument("file", type=Path, metavar="FILE")
    add_json(importing)
    importing.set_defaults(run=run_import)


def run_list(parsed: argparse.Namespace) -> int:
    """List the styles."""
    from portraitist.styles.looks import styles

    rows = [row for row in styles(open_library(parsed)).values() if parsed.needs in (None, row.needs)]
    if parsed.json:
        say_json([_plain(row) for row in rows])
        return 0
    # The Chinese name goes last: its characters are two columns wide and would push what follows aside.
    shown = [(r.key, r.name, r.needs, "yes" if r.tested else "no", r.about, r.name_zh) for r in rows]
    table(("key", "name", "needs", "tested", "what", "名称"), shown)
    return 0


def run_show(parsed: argparse.Namespace) -> int:
    """Print one style."""
    import yaml

    from portraitist.styles.looks import find_style

    plain = _plain(find_style(parsed.name, open_library(parsed)))
    if parsed.json:
        say_json(plain)
    else:
        say(yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=110).rstrip())
    return 0


def run_from(parsed: argparse.Namespace) -> int:
    """Measure a picture and write the style."""
    from portraitist.image import open_photo
    from portraitist.styles.from_image import MAX_SIDE, measure_look, style_from_look
    from portraitist.styles.looks import add_styles, own_folder
    from portraitist.styles.style_file import checked_target, write_style

    library, key = open_library(parsed), checked_target(parsed.out)
    measured = measure_look(open_photo(parsed.image).pixels(2 * MAX_SIDE))
    look = style_from_look(key, measured, parsed.image.name, needs=parsed.needs)
    mine = own_folder(library)
    is_mine = parsed.out.resolve().parent == mine.resolve()
    if is_mine:
        add_styles(library, [look.style])
    else:
        write_style(parsed.out, look.style)
    _print_look(look, parsed)
    if not parsed.json and not is_mine:
        say(f"put it into {mine} to use it by its name")
    return 0


def run_import(parsed: argparse.Namespace) -> int:
    """Import a JSON file and say what stayed behind."""
    from portraitist.styles.importer import import_styles
    from portraitist.styles.looks import add_styles

    library = open_library(parsed)
    found = import_styles(parsed.file)
    paths = add_styles(library, [one.style for one in found])
    if parsed.json:
        rows = zip(found, paths, strict=True)
        say_json([{"file": str(path), **_plain(one.style), "left_out": one.left_out} for one, path in rows])
        return 0
    for one, path in zip(found, paths, strict=True):
        say(f"{one.style.key}: {path}")
        for sentence in one.left_out:
            say(f"  not carried over: {sentence}")
    return 0


def _print_look(look: Look, parsed: argparse.Namespace) -> None:
    import dataclasses

    if parsed.json:
        measured = dataclasses.asdict(look.measured)
        words = {"known_to_mini": look.known_to_mini, "unknown_to_mini": look.unknown_to_mini}
        say_json({"file": str(parsed.out), **_plain(look.style), "measured": measured, **words})
        return
    say(f"{parsed.out}: {look.style.about}")
    if not look.measured.has_face:
        say("no face found: nothing is said about light on the face and framing")
    say(f"prompt: {', '.join([look.style.prompt.subject, *look.style.prompt.phrases()])}")
    say(f"portrait-mini knows: {', '.join(look.known_to_mini) or 'none of it'}")


def _plain(style: Style) -> dict[str, Any]:
    """Every field, defaults too, and the prompts that the style makes."""
    import dataclasses

    from portraitist.styles.looks import compose_prompt

    prompt, negative = compose_prompt(style)
    composed = {"composed": {"prompt": prompt, "negative": negative}}
    return {**dataclasses.asdict(style), "negative": list(style.negative), **composed}
