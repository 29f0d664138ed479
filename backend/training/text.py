"""Vocabularies, tokenizers and text encoders of the mini model.

Both vocabularies hold whole words: those of all figures' Unicode names, of the places, and the
function words that a prompt may contain. T5 takes a word as one piece and maps any other word to
`<unk>`; CLIP's byte-pair merges are laid out so that each known word becomes one token, and an
unknown word falls apart into letters. Nothing is learned from text, so two runs agree exactly.
"""

from __future__ import annotations

import itertools
import re

import torch
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5TokenizerFast,
)

from training.world import light
from training.world.names import KNOWN_BY_NAME

MAX_TOKENS = 24  # a place and two names; more is cut off
WIDTH = 128  # of both encoders

FUNCTION_WORDS = """
a an the of on in at with and or by under over near beside behind before above below to from for
is are it its this that there one two three four five six some many no not empty alone together
standing sitting lying floating flying next left right middle centre center front back top bottom
picture photo image scene view background landscape place figure figures figurine toy object
big small large little tiny huge old new bright dark light clear sunny cloudy colourful colorful
"""
PLACE_WORDS = """
beach seaside coast shore sand sandy meadow field grass grassy green flowers hill hills night sky
starry stars moon sunset sun dusk dawn sunrise red desert dunes dune snow snowy winter ice mountains
ocean sea water waves blue lake studio wall floor grey gray white orange yellow teal purple pink
brown black plain noon morning evening day daylight afternoon clouds mountain forest city room
street fog rain wet lake warm dim lamp moonlight sunlight shade shadow
"""
SENTENCE_STARTS = "a an the of on in at with empty one two three four some many " + PLACE_WORDS


def vocabulary(names: list[str]) -> list[str]:
    """Every known lower-case word, sorted; hyphens stay inside words."""
    words = {*FUNCTION_WORDS.split(), *PLACE_WORDS.split()}
    lights = [phrase for kind in light.KINDS.values() for phrase in kind.words]
    lights += [phrase for lamp in light.LAMPS.values() for phrase in lamp[2]]
    words |= {word for phrase in lights for word in phrase.split()}
    words |= {word for name in (*names, *KNOWN_BY_NAME.values()) for word in name.split()}
    return sorted(words)


def build_t5_tokenizer(words: list[str]) -> T5TokenizerFast:
    """Unigram over whole words. A sentence may also start with a capital or end with a mark."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -20.0)]
    pieces += [("▁" + word, -1.0) for word in words]
    pieces += [("▁" + word.capitalize(), -1.0) for word in sorted(set(SENTENCE_STARTS.split()))]
    pieces += [("▁", -2.0), (".", -2.0), (",", -2.0), ("!", -2.0)]
    return T5TokenizerFast(vocab=pieces, extra_ids=0, model_max_length=MAX_TOKENS)


def build_clip_tokenizer(words: list[str]) -> CLIPTokenizer:
    """Byte-pair merges under which every word is one token.

    Words are added one by one: what the merges so far leave of a word is joined from the left by
    new merges. New merges rank below older ones, so an older word's result never changes.
    """
    letters = _byte_letters()
    merges: dict[tuple[str, str], int] = {}
    for word in words:
        for part in re.findall(r"[a-z]+|[0-9]|[^a-z0-9\s]+", word):
            pieces = _apply_merges([*part[:-1], part[-1] + "</w>"], merges)
            while len(pieces) > 1:
                merges.setdefault((pieces[0], pieces[1]), len(merges))
                pieces = _apply_merges(pieces, merges)
    tokens = [*letters, *(letter + "</w>" for letter in letters)]
    tokens += dict.fromkeys(left + right for left, right in merges)
    tokens = [*dict.fromkeys(tokens), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(
        vocab={token: index for index, token in enumerate(tokens)},
        merges=list(merges),
        model_max_length=MAX_TOKENS,
    )


def _byte_letters() -> list[str]:
    """The printable stand-ins of the 256 bytes, as GPT-2 and CLIP define them."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) for byte in shown] + [chr(256 + index) for index in range(len(hidden))]


def _apply_merges(pieces: list[str], merges: dict[tuple[str, str], int]) -> list[str]:
    """Byte-pair encoding of one word: join the best-ranked pair until none is left."""
    while True:
        pairs = itertools.pairwise(pieces)
        ranked = [(merges[pair], pair) for pair in pairs if pair in merges]
        if not ranked:
            return pieces
        left, right = min(ranked)[1]
        joined, index = [], 0
        while index < len(pieces):
            if pieces[index : index + 2] == [left, right]:
                joined.append(left + right)
                index += 2
            else:
                joined.append(pieces[index])
                index += 1
        pieces = joined


def build_t5(tokenizer: T5TokenizerFast) -> T5EncoderModel:
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=WIDTH,
        d_kv=32,
        num_heads=4,
        num_layers=2,
        d_ff=256,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
        is_encoder_decoder=False,
        use_cache=False,
    )
    return T5EncoderModel(config)


def build_clip(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=MAX_TOKENS,
        projection_dim=WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
    )
    return CLIPTextModel(config)


def token_ids(
    tokenizer: T5TokenizerFast | CLIPTokenizer, captions: list[str], length: int = MAX_TOKENS
) -> torch.Tensor:
    """(N, length) ids, padded as FluxPipeline.encode_prompt pads."""
    batch = tokenizer(
        captions, padding="max_length", max_length=length, truncation=True, return_tensors="pt"
    )
    return batch.input_ids


def encode(
    t5: T5EncoderModel, clip: CLIPTextModel, t5_ids: torch.Tensor, clip_ids: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """What FluxPipeline.encode_prompt computes: (N, MAX_TOKENS, WIDTH) states, (N, WIDTH) pooled."""
    return t5(t5_ids)[0], clip(clip_ids).pooler_output
