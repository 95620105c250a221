"""Which styles there are, how one is found by name, and the prompt it makes."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path

from portraitist.errors import ConfigError
from portraitist.library import Library
from portraitist.styles.style import Prompt, Style, StyleLora, split_phrases
from portraitist.styles.style_file import checked_target, read_style, write_style

__all__ = [
    "Prompt",
    "Style",
    "StyleLora",
    "add_styles",
    "compose_prompt",
    "find_style",
    "own_folder",
    "style_named",
    "styles",
]


def styles(library: Library | None = None) -> Mapping[str, Style]:
    """Every style by key: the built-in ones, then the user's own of `<library>/styles/*.yaml`.

    library: None is the built-in ones alone. Raises ConfigError for a file that is no style, and when two styles have
    a key or a name in common: neither hides the other.
    """
    found = dict(_built_in())
    own = sorted(own_folder(library).glob("*.yaml")) if library is not None else []
    for path in own:
        style = read_style(path)
        _check_free(style, found, str(path))
        found[style.key] = style
    return found


def add_styles(library: Library, new: Sequence[Style]) -> list[Path]:
    """Write styles into the user's folder; the files. Raises ConfigError, before the first is written, when a key or a
    name is taken, InputError when a file is."""
    known = dict(styles(library))
    paths = [own_folder(library) / f"{style.key}.yaml" for style in new]
    for style, path in zip(new, paths, strict=True):
        checked_target(path)
        _check_free(style, known, path.name)
        known[style.key] = style
    return [write_style(path, style) for path, style in zip(paths, new, strict=True)]


def _check_free(style: Style, known: Mapping[str, Style], where: str) -> None:
    for name in sorted(_names(style)):
        taken = next((other for other in known.values() if name in _names(other)), None)
        if taken is not None:
            raise ConfigError(f"{where}: the style '{taken.key}' has the name '{name}' already; choose another")


def own_folder(library: Library) -> Path:
    """Where the user's own styles lie."""
    return library.root / "styles"


def find_style(name: str, library: Library | None = None) -> Style:
    """The style of that key, English name or Chinese name, in small or capital letters.

    Raises ConfigError with the nearest names when there is none.
    """
    style = style_named(name, library)
    if style is None:
        raise ConfigError(f"style '{name}': unknown; {_nearest(_plain(name), styles(library).values())}")
    return style


def style_named(name: str, library: Library | None = None) -> Style | None:
    """`find_style` where a style need not be there: None then."""
    return next((style for style in styles(library).values() if _plain(name) in _names(style)), None)


def compose_prompt(
    style: Style, *, extra: str = "", trigger: str | None = None, attributes: Sequence[str] = ()
) -> tuple[str, str]:
    """(prompt, negative prompt): the subject, the trigger token, the style's phrases, the user's, the sitter's.

    extra: the user's own words. trigger: the token that the identity was learned on. attributes: phrases about the
    sitter, as in the album's captions; one that the prompt says already is not said again.

    >>> style = Style("plain", "Plain", "素", "Plain.", Prompt("portrait", place="dark background"))
    >>> compose_prompt(style, extra="smiling", trigger="sitter", attributes=("glasses", "smiling"))
    ('portrait, sitter, dark background, smiling, glasses', '')
    """
    said = split_phrases(style.prompt.subject)
    said += [trigger] if trigger else []
    said += [*style.prompt.phrases(), *split_phrases(extra), *attributes]
    return ", ".join(_once(said)), ", ".join(style.negative)


def _once(phrases: Iterable[str]) -> list[str]:
    said: dict[str, str] = {}
    for phrase in phrases:
        said.setdefault(phrase.casefold(), phrase)
    return list(said.values())


@functools.cache
def _built_in() -> Mapping[str, Style]:
    with resources.as_file(resources.files("portraitist.styles") / "library") as folder:
        return {path.stem: read_style(path) for path in sorted(folder.glob("*.yaml"))}


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _names(style: Style) -> set[str]:
    return {_plain(name) for name in (style.key, style.name, style.name_zh)}


def _nearest(wanted: str, known: Iterable[Style]) -> str:
    key_of = {name: style.key for style in known for name in _names(style)}
    near = list(dict.fromkeys(key_of[name] for name in difflib.get_close_matches(wanted, key_of, n=6, cutoff=0.45)))
    hint = f"the nearest are {', '.join(near[:3])}; " if near else ""
    return f"{hint}'portraitist style list' shows all {len(set(key_of.values()))}"
