"""The generator gives the numbers that its authors published."""

import pytest

from sim.draws import philox

# Random123 1.14, tests/kat_vectors: philox4x32, 10 rounds. Counter and key, then the four words.
KNOWN_ANSWERS = [
    ((0, 0, 0, 0, 0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 6, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("given", "expected"), KNOWN_ANSWERS)
def test_philox_gives_the_published_answers(given, expected):
    assert tuple(int(word) for word in philox(*given)) == expected
