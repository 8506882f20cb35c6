"""What customers call our categories, in the languages of the places that we deliver to."""

import pytest

from app.catalogue.shelves import Shelves

VOCABULARY = Shelves().vocabulary


@pytest.mark.parametrize(
    ("question", "shelf", "other"),
    [
        ("t-shirts", "t-shirts", ""),
        ("T-Shirt", "t-shirts", ""),
        ("tshirts", "t-shirts", ""),
        ("tee shirt moon", "t-shirts", "moon"),
        ("Kapuzenpullover", "hoodies", ""),
        ("Mond Kapuzenpulli", "hoodies", "moon"),
        ("Mütze", "caps", ""),
        ("muetzen", "caps", ""),
        ("Kopfhörer aus Leder", "headphones", "aus leather"),
        ("sac", "totes", ""),
        ("casque audio", "headphones", ""),
        ("débardeur", "tank-tops", ""),
        ("camiseta sin mangas", "tank-tops", ""),
        ("giradischi", "turntables", ""),
        ("Høyttaler", "", "hoyttaler"),
        ("højttaler", "speakers", ""),
        ("głośnik", "speakers", ""),
        ("long sleeves", "long-sleeves", ""),
        ("smartphones", "phones", ""),
        ("qwerty", "", "qwerty"),
        ("", "", ""),
    ],
)
def test_a_question_is_divided_into_category_and_other_words(question: str, shelf: str, other: str) -> None:
    named = VOCABULARY.read(question)
    assert named.shelves == ((shelf,) if shelf else ())
    assert named.other == other
