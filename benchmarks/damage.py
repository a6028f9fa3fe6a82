"""Ways in which files are damaged: bytes in, bytes out, the same from the same generator of random numbers."""

import re

import numpy as np

#: What stands in the place of a number in a text.
ODD_NUMBERS = ("nan", "-1", "1e308", "", "null", "0", "99999999999999999999", "inf", '"7"', "[]", "1,5")


def cut(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: rng.integers(0, len(data) + 1)]


def without_beginning(data: bytes, rng: np.random.Generator) -> bytes:
    return data[rng.integers(1, 64) :]


def flipped_bits(data: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for place in rng.integers(0, max(len(data), 1), rng.integers(1, 20)):
        if place < len(data):
            changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def damaged_header(data: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for place in rng.integers(0, 128, rng.integers(1, 6)):
        if place < len(data):
            changed[place] = int(rng.integers(256))
    return bytes(changed)


def block_of_zeros(data: bytes, rng: np.random.Generator) -> bytes:
    start, length = _part(data, rng)
    return data[:start] + bytes(length) + data[start + length :]


def block_of_noise(data: bytes, rng: np.random.Generator) -> bytes:
    start, length = _part(data, rng)
    return data[:start] + rng.bytes(length) + data[start + length :]


def missing_block(data: bytes, rng: np.random.Generator) -> bytes:
    start, length = _part(data, rng)
    return data[:start] + data[start + length :]


def doubled_block(data: bytes, rng: np.random.Generator) -> bytes:
    start, length = _part(data, rng)
    return data[: start + length] + data[start:]


def swapped_halves(data: bytes, rng: np.random.Generator) -> bytes:
    return data[len(data) // 2 :] + data[: len(data) // 2]


def something_else(data: bytes, rng: np.random.Generator) -> bytes:
    others = (b"", bytes(len(data)), rng.bytes(1000), b"<html><title>404</title></html>", b"\x00", b"{}", b"[]\n")
    return others[rng.integers(len(others))]


def trailing_noise(data: bytes, rng: np.random.Generator) -> bytes:
    return data + rng.bytes(int(rng.integers(1, 2000)))


def odd_numbers(data: bytes, rng: np.random.Generator) -> bytes:
    text = data.decode("utf-8", "replace")
    places = list(re.finditer(r"-?\d+(\.\d+)?", text))
    for place in rng.permutation(len(places))[: rng.integers(1, 4)]:
        odd = ODD_NUMBERS[rng.integers(len(ODD_NUMBERS))]
        text = text[: places[place].start()] + odd + text[places[place].end() :]
        places = list(re.finditer(r"-?\d+(\.\d+)?", text))
        if place >= len(places):
            break
    return text.encode()


def changed_lines(data: bytes, rng: np.random.Generator) -> bytes:
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    place = int(rng.integers(len(lines)))
    changes = (
        lines[:place] + lines[place + 1 :],
        lines[:place] + [lines[place]] + lines[place:],
        [*lines[:place], b"<<<<<<< ours\n", lines[place], b"=======\n", b">>>>>>> theirs\n", *lines[place:]],
        lines[::-1],
        lines[:1],
        lines[1:],
    )
    return b"".join(changes[rng.integers(len(changes))])


def another_encoding(data: bytes, rng: np.random.Generator) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(("utf-16", "utf-8-sig", "utf-32", "utf-16-be")[rng.integers(4)])


def renamed_words(data: bytes, rng: np.random.Generator) -> bytes:
    words = sorted(set(re.findall(rb"[A-Za-z_]{3,}", data[:20_000])))
    if not words:
        return data
    return data.replace(words[rng.integers(len(words))], b"x\xc3\xa9", int(rng.integers(1, 1000)))


DAMAGES = (
    *(cut, without_beginning, flipped_bits, damaged_header, block_of_zeros, block_of_noise, missing_block),
    *(doubled_block, swapped_halves, something_else, trailing_noise),
)
DAMAGES_OF_TEXT = (odd_numbers, changed_lines, another_encoding, renamed_words, cut, flipped_bits, something_else)


def damage(data: bytes, rng: np.random.Generator, text: bool) -> bytes:
    """One kind of damage, by chance; text: mostly of the kinds that text editors and spreadsheets do."""
    ways = DAMAGES_OF_TEXT if text and rng.random() < 0.8 else DAMAGES
    return ways[rng.integers(len(ways))](data, rng)


def _part(data: bytes, rng: np.random.Generator) -> tuple[int, int]:
    """Where a part of some bytes begins, and how long it is: short ones are as frequent as long ones."""
    length = int(np.exp(rng.uniform(0, np.log(max(len(data), 2)))))
    return int(rng.integers(0, max(len(data) - length, 0) + 1)), length
