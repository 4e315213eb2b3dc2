"""The parties of calls: numbers of several countries, browser clients, and a few invalid numbers."""

import random

import phonenumbers

CLIENTS = (
    "ana",
    "jimmy",
    "kofi",
    "marta",
    "noor",
    "oleg",
    "priya",
    "quentin",
    "rosa",
    "sven",
    "tomo",
    "yara",
)
NOT_VALID = ("+15554443333", "+15550001111", "+19995550100", "+4400000000", "+99912345")
# Prefix in E.164, the number of digits that follow, and the relative frequency.
SHAPES = (
    ("+1415", 7, 8),
    ("+1212", 7, 8),
    ("+1650", 7, 6),
    ("+1312", 7, 5),
    ("+44207946", 4, 4),
    ("+447911", 6, 3),
    ("+4930", 7, 4),
    ("+4915123", 6, 2),
    ("+331423", 5, 3),
    ("+9198", 8, 3),
    ("+612937", 5, 2),
    ("+8180", 8, 1),
    ("+5511987", 6, 1),
)
OURS = ("+14155550100", "+442079460018", "+493090182000")


def numbers(seed: int, count: int) -> list[str]:
    """Return `count` valid numbers in E.164, always the same for a seed."""
    chance = random.Random(seed)  # noqa: S311
    prefixes = [(prefix, digits) for prefix, digits, _ in SHAPES]
    weights = [weight for _, _, weight in SHAPES]
    found: list[str] = []
    while len(found) < count:
        prefix, digits = chance.choices(prefixes, weights)[0]
        number = prefix + "".join(str(chance.randint(0, 9)) for _ in range(digits))
        if phonenumbers.is_valid_number(phonenumbers.parse(number)):
            found.append(number)
    return found
