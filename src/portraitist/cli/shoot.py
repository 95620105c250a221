"""`portraitist shoot`: portraits in a template, on a backdrop, or as an ID photo."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portraitist.cli.flags import add_flags, given
from portraitist.cli.portraits import as_json, likeness_words
from portraitist.cli.shared import Progress, add_json, ask_consent, open_library, say, say_json, table
from portraitist.cli.shoot_flags import WORDS, WORDS_PAINTED, kind_of
from portraitist.compose.backdrop_config import BackdropConfig
from portraitist.compose.config import ComposeConfig
from portraitist.content_credentials import ALGORITHMS
from portraitist.errors import ConfigError
from portraitist.generate.config import DrawConfig, TwoPassConfig
from portraitist.marks.config import TransferConfig
from portraitist.tasks.config import DrawRequest, FinishConfig, ShootConfig, Stages

if TYPE_CHECKING:
    from portraitist.content_credentials import Credential
    from portraitist.library import Library
    from portraitist.provenance import SavedPortrait


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "shoot",
        help="make portraits: --template PHOTO, --backdrop NAME, --id-photo FORMAT or --style NAME",
        epilog="Example: portraitist shoot anna bob --template couple.jpg --slots 1=anna,2=bob",
    )
    parser.add_argument("sitters", nargs="+", metavar="SITTER", help="a name from the library, or a single photo")
    keep: dict[str, Any] = {"default": argparse.SUPPRESS}
    parser.add_argument("--template", dest="templates", nargs="+", metavar="PHOTO", **keep, help="photos, or folders")
    parser.add_argument("-n", "--count", type=int, metavar="N", **keep, help="portraits a scene (default 1)")
    parser.add_argument("--slots", type=_comma, metavar="1=anna,2=bob", **keep, help="who goes where; none: as it is")
    parser.add_argument("-o", "--out", type=Path, metavar="DIR", help="folder for the files (default: the library)")
    parser.add_argument("--consent", metavar="NAME", help="who agreed, when a photo is given instead of a sitter")
    parser.add_argument(
        "--sign-cert", type=Path, metavar="FILE", help="sign as content credentials: certificate chain, PEM"
    )
    parser.add_argument("--sign-key", type=Path, metavar="FILE", help="the private key that belongs to it, PEM")
    parser.add_argument("--sign-algorithm", choices=ALGORITHMS, default="es256", help="of that key (default es256)")
    add_json(parser)
    add_flags(parser, ShootConfig, "what to make", skip=("templates", "count", "slots"))
    add_flags(parser, ComposeConfig, "in a template")
    add_flags(parser, BackdropConfig, "head shots and ID photos")
    add_flags(parser, FinishConfig, "finishing")
    add_flags(parser, TransferConfig, "the sitter's marks, where there is a map of them: 'portraitist marks map'")
    add_flags(parser, DrawRequest, "in words: --style, --prompt or --pose", skip=("count", "seed", "format", "base"))
    add_flags(parser, DrawConfig, "drawing")
    add_flags(parser, TwoPassConfig, "painting in a template: --engine lora", skip=("guidance_scale",))
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Make and list the portraits; 1 when none was made."""
    if kind_of(parsed) in (WORDS, WORDS_PAINTED):
        return _run_in_words(parsed)
    from portraitist.tasks.shoot import shoot

    library, progress = open_library(parsed), Progress()
    request, credential = given(parsed, ShootConfig), _credential(parsed)
    compose = given(parsed, ComposeConfig, backdrop=given(parsed, BackdropConfig))
    stages = Stages(compose, given(parsed, TwoPassConfig), _finishing(parsed))
    sitters = [_sitter(library, name, parsed.consent, progress) for name in parsed.sitters]
    made = shoot(library, sitters, request, stages, out=parsed.out, credential=credential, report=progress)
    progress.close()
    _print(made, parsed.json)
    return 0 if made else 1


def _run_in_words(parsed: argparse.Namespace) -> int:
    """Portraits in a style, by the sitter's identity."""
    from portraitist.tasks.draw import draw

    if len(parsed.sitters) != 1:
        raise ConfigError(f"--style: expected one sitter, found {len(parsed.sitters)}; two need a --template")
    library, progress = open_library(parsed), Progress()
    name, request = library.sitter(parsed.sitters[0]).name, given(parsed, DrawRequest)
    drawing, credential = given(parsed, DrawConfig), _credential(parsed)
    stages = Stages(given(parsed, ComposeConfig), given(parsed, TwoPassConfig), _finishing(parsed))
    drawn = draw(library, name, request, drawing, stages, out=parsed.out, credential=credential, report=progress)
    progress.close()
    _print(drawn.saved, parsed.json)
    if not parsed.json and drawn.attributes:
        say(f"from the album's captions: {', '.join(drawn.attributes)}")
    return 0 if drawn.saved else 1


def _finishing(parsed: argparse.Namespace) -> FinishConfig:
    return given(parsed, FinishConfig, marks=given(parsed, TransferConfig))


def _credential(parsed: argparse.Namespace) -> Credential | None:
    """What signs the portraits; tried before any work is done. Both files, or neither."""
    if (parsed.sign_cert is None) != (parsed.sign_key is None):
        raise ConfigError("signing: expected --sign-cert and --sign-key together, found only one")
    if parsed.sign_cert is None:
        return None
    from portraitist.content_credentials import Credential

    return Credential.load(parsed.sign_cert, parsed.sign_key, algorithm=parsed.sign_algorithm)


def _comma(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _sitter(library: Library, name: str, consent: str | None, progress: Progress) -> str:
    """A sitter's name as it is; a photo's path becomes an unnamed sitter with an album of that photo."""
    path = Path(name).expanduser()
    looks_like_path = path.is_file() and (path.suffix or len(path.parts) > 1)
    if not looks_like_path:
        return library.sitter(name).name
    from portraitist.image import open_photo
    from portraitist.library import unnamed_id
    from portraitist.tasks.add import add

    identifier = unnamed_id(open_photo(path).digest)
    agreed = None if library.has_sitter(identifier) else ask_consent(path.name, consent)
    add(library, identifier, [path], consent=agreed, report=progress)
    progress.close()
    return identifier


def _print(made: list[SavedPortrait], as_json_wanted: bool) -> None:
    if as_json_wanted:
        say_json([as_json(portrait) for portrait in made])
        return
    table(
        ("likeness", "sitter", "file"),
        [(likeness_words(p.recipe.likeness), ", ".join(p.recipe.sitters), p.path) for p in made],
    )
    warnings = {w for portrait in made for w in portrait.recipe.details.get("warnings", ())}
    for warning in sorted(warnings):
        say(f"note: {warning}")
    for name in sorted({n for p in made for n in p.recipe.sitters if n.startswith("unnamed-")}):
        say(f"'portraitist erase {name}' removes everything of this person")
