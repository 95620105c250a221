"""A CLIP tokenizer whose words are those of the captions; anything else falls apart into letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTokenizer

from portraitist.diffusion.captions import vocabulary

_ENDS = ("<|startoftext|>", "<|endoftext|>")


def build_tokenizer(max_tokens: int) -> CLIPTokenizer:
    """One token a word of the vocabulary, one a byte for the rest; prompts are padded to max_tokens.

    The order of the tokens follows from the vocabulary alone: trained weights depend on it.
    """
    letters = sorted(ByteLevel.alphabet())
    merges = learn_merges(vocabulary())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *(one + other for one, other in merges), *_ENDS]
    vocab = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=max_tokens)


def learn_merges(words: Sequence[str]) -> list[tuple[str, str]]:
    """Byte-pair encoding (Sennrich et al. 2016, algorithm 1) until every word is one piece; ties go by the alphabet.

    >>> learn_merges(["hat", "hair"])
    [('h', 'a'), ('ha', 'i'), ('ha', 't</w>'), ('hai', 'r</w>')]
    """
    pieces = [[*word[:-1], f"{word[-1]}</w>"] for word in words]
    merges = []
    while pairs := Counter(pair for word in pieces for pair in pairwise(word)):
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        pieces = [_merged(word, best) for word in pieces]
    return merges


def _merged(word: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    for piece in word:
        if out and (out[-1], piece) == pair:
            out[-1] += piece
        else:
            out.append(piece)
    return out
