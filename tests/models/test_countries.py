"""The country of a number is the one that the phonenumbers library gives its example numbers for."""

import phonenumbers
import pytest
from django.db import connection as database
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from connections_app.models.countries import COUNTRY_NAMES, COUNTRY_OF, country_of

MOBILE, FIXED = PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE
SHARES_590 = "it has Guadeloupe's code 590, and its ranges lie among Guadeloupe's"
# Which country we say instead, and why no prefix can tell.
OTHERWISE = {
    ("AX", MOBILE): ("FI", "mobile numbers are Finland's, given out in all of it"),
    ("BL", MOBILE): ("GP", SHARES_590),
    ("BL", FIXED): ("GP", SHARES_590),
    ("CC", MOBILE): ("AU", "mobile numbers are Australia's"),
    ("CX", MOBILE): ("AU", "mobile numbers are Australia's"),
    ("EH", MOBILE): ("MA", "mobile numbers are Morocco's"),
    ("EH", FIXED): ("MA", "+212 5288 is of Agadir as well; +212 5289 alone is told"),
    ("IM", MOBILE): ("GB", "the library too reads its own example, +44 7924, as the United Kingdom’s"),
    ("MF", MOBILE): ("GP", SHARES_590),
    ("MF", FIXED): ("GP", SHARES_590),
    ("SJ", MOBILE): ("NO", "mobile numbers are Norway's"),
    ("VA", MOBILE): ("IT", "mobile numbers are Italy's"),
}
NAMELESS = {"BL", "MF"}


def e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def examples() -> dict[tuple[str, int], str]:
    """The library's number of each kind in each region that has such."""
    return {
        (region, kind): e164(number)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in (MOBILE, FIXED)
        if (number := phonenumbers.example_number_for_type(region, kind))
    }


def expected() -> dict[tuple[str, int], str]:
    return {
        (region, kind): OTHERWISE[region, kind][0] if (region, kind) in OTHERWISE else region
        for region, kind in examples()
    }


def test_python_finds_every_country() -> None:
    assert len(examples()) > 480
    assert {key: country_of(number) for key, number in examples().items()} == expected()


@pytest.mark.django_db
def test_the_database_finds_the_same() -> None:
    numbers = examples()
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT sift_country(number) FROM unnest(%s::text[]) WITH ORDINALITY AS one (number, place)"
            " ORDER BY place",
            [list(numbers.values())],
        )
        told = [country for (country,) in cursor.fetchall()]
    assert dict(zip(numbers, told, strict=True)) == expected()


def test_codes_of_no_country_have_none() -> None:
    for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS:
        number = phonenumbers.example_number_for_non_geo_entity(code)
        assert (code, country_of(e164(number))) == (code, None)


def test_every_country_has_a_name_and_a_prefix() -> None:
    assert phonenumbers.SUPPORTED_REGIONS - set(COUNTRY_NAMES) == NAMELESS
    assert set(COUNTRY_NAMES) == set(COUNTRY_OF.values())
    assert all(COUNTRY_NAMES.values())
