"""What people call our categories: their own names, plurals, synonyms, and the languages of the places we deliver to.

The catalogue is written in English. A word or two that name a category in another way are found here, and the other
words of a question are looked for in the products. Compared without case, accents and hyphens, so each term stands
once; a term that is a category's title need not stand here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.catalogue.model import Shelf

# By category: English, then German, French, Italian, Spanish, Portuguese, Dutch, Polish, Swedish and Danish.
TERMS: Mapping[str, str] = {
    "t-shirts": "tshirt, t shirt, tee, tee shirt, shirt; hemd, leibchen; maillot, chemise; maglietta, maglia, "
    "magliette; camiseta, playera; camisola; shirtje; koszulka, koszulki; troja, trojor; bluse",
    "long-sleeves": "long sleeve, longsleeve, long sleeved; langarm, langarmshirt; manches longues, manche longue; "
    "maniche lunghe, manica lunga; manga larga; manga comprida; lange mouw, lange mouwen; dlugi "
    "rekaw; langarmad; langaermet",
    "sweatshirts": "sweat, sweater, jumper, pullover, crewneck; pulli, sweatshirt; pull; felpa, maglione; sudadera, "
    "jersey; camisola de moletom; trui; bluza, bluzy; tjocktroja; traeje",
    "hoodies": "hoody, hooded sweatshirt; kapuzenpullover, kapuzenpulli, kapuzenjacke, kapuze; sweat a capuche, "
    "capuche; felpa con cappuccio, cappuccio; sudadera con capucha, capucha; capuz; hoodie trui, "
    "capuchon; bluza z kapturem, kaptur; huvtroja; haettetroje",
    "polos": "polo shirt, poloshirt; polohemd; polo; polokoszulka",
    "tank-tops": "tank, tank top, singlet, vest, sleeveless; traegershirt, tragershirt, achselshirt, unterhemd; "
    "debardeur; canotta, canottiera; camiseta sin mangas, tirantes; regata; hemdje; podkoszulek; "
    "linne; undertroje",
    "kids": "kid, children, child, childrens, boys, girls, toddler, baby; kinder, kind, kindershirt; enfant, "
    "enfants; bambino, bambini, bambina; nino, ninos, nina; crianca, criancas; kinderen; dzieci, "
    "dzieciece; barn; boern",
    "totes": "tote, tote bag, shopper, shopping bag, bag, bags; tasche, taschen, beutel, stoffbeutel, "
    "jutebeutel; sac, sacs, cabas; borsa, borse; bolsa, bolsas, bolso; saco; tas, tassen; torba, "
    "torby; vaska, tygkasse; taske, mulepose",
    "caps": "cap, hat, hats, baseball cap; muetze, mutze, muetzen, kappe, kappen; casquette, casquettes; "
    "cappello, cappellino; gorra, gorras; bone; pet, petten; czapka, czapki; keps, kepsar; kasket",
    "aprons": "apron, kitchen apron; schuerze, schurze, schuerzen, kochschuerze; tablier, tabliers; grembiule, "
    "grembiuli; delantal, delantales; avental; schort, schorten; fartuch, fartuchy; forklade; "
    "forklaede",
    "headphones": "headphone, headset, over ear; kopfhoerer, kopfhorer; casque, casque audio; cuffie, cuffia; "
    "auriculares, cascos; auscultadores, fones; koptelefoon; sluchawki; horlurar; hovedtelefoner",
    "earbuds": "earbud, earphone, earphones, in ear; ohrhoerer, ohrhorer, ohrstoepsel; ecouteurs, ecouteur; "
    "auricolari; audifonos; auriculares in ear; oordopjes, oortjes; dokanalowe; oronsnackor; "
    "oerepropper",
    "watches": "watch, smartwatch, wristwatch; uhr, uhren, armbanduhr; montre, montres; orologio, orologi; "
    "reloj, relojes; relogio, relogios; horloge, horloges; zegarek, zegarki; klocka, klockor; ur, ure",
    "speakers": "speaker, loudspeaker, soundbox; lautsprecher, box, boxen; enceinte, enceintes, haut parleur; "
    "altoparlante, altoparlanti, cassa; altavoz, altavoces; coluna, colunas; luidspreker, "
    "luidsprekers; glosnik, glosniki; hogtalare; hojttaler",
    "phones": "phone, smartphone, mobile, mobile phone, cell phone, cellphone; handy, handys, telefon, "
    "mobiltelefon; telephone, portable; telefono, telefoni, cellulare; movil, moviles; telemovel; "
    "telefoon, mobieltje; komorka; mobil",
    "tablets": "tablet, tablet computer; tablette, tablettes; tableta, tabletas; surfplatta",
    "laptops": "laptop, notebook, computer; klapprechner, rechner; ordinateur, ordinateurs, ordinateur portable; "
    "portatile, computer portatile; portatil, ordenador; computador; schootcomputer; komputer; dator, "
    "barbar dator; baerbar",
    "cameras": "camera, photo camera; kamera, kameras, fotoapparat; appareil photo, appareils photo; fotocamera; "
    "camara, camaras; maquina fotografica; fototoestel; aparat, aparat fotograficzny; systemkamera",
    "turntables": "turntable, record player, phonograph, vinyl player; plattenspieler, schallplattenspieler; "
    "platine, tourne disque, platine vinyle; giradischi; tocadiscos; gira discos; platenspeler; "
    "gramofon, gramofony; skivspelare; pladespiller",
    "lamps": "lamp, light, lights, desk lamp, table lamp; lampe, lampen, leuchte, leuchten, licht; lampes, "
    "luminaire, lumiere; lampada, lampade, luce; lampara, lamparas, luz; candeeiro, luminaria; "
    "lampje, verlichting; lampa, lampy; lampor; lamper",
}
WORDS: Mapping[str, str] = {
    "moon": "mond, lune, luna, lua, maan, ksiezyc, mane, maane",
    "sun": "sonne, soleil, sole, sol, zon, slonce",
    "waves": "welle, wellen, vague, vagues, onda, onde, ola, olas, golf, golven, fala, fale, vagor, bolger",
    "mountain": "berg, berge, montagne, montagnes, montagna, montana, montanha, bergen, gora, gory, bjerg",
    "flower": "blume, blumen, blute, fleur, fleurs, fiore, fiori, flor, flores, bloem, kwiat, blomma, blomst",
    "constellation": "sternbild, stern, sterne, etoile, etoiles, stella, stelle, estrella, estrellas, ster, gwiazda",
    "fish": "fisch, fische, poisson, poissons, pesce, pesci, pez, peces, peixe, vis, vissen, ryba, ryby, fisk",
    "birds": "vogel, vogels, oiseau, oiseaux, uccello, uccelli, pajaro, pajaros, passaro, ptak, ptaki, faglar, fugle",
    "skyline": "stadt, ville, citta, ciudad, cidade, stad, miasto, by",
    "harbour": "hafen, port, porto, puerto, haven, hamn, havn",
    "tree": "baum, arbre, albero, arbol, arvore, boom, drzewo, trad, trae",
    "map": "karte, landkarte, carte, mappa, mapa, kaart, karta, kort",
    "brass": "messing, laiton, ottone, laton, latao, mosiadz, massing",
    "leather": "leder, cuir, cuoio, pelle, cuero, couro, leer, skora, lader, laeder",
    "cotton": "baumwolle, coton, cotone, algodon, algodao, katoen, bawelna, bomull, bomuld",
    "organic": "bio, biologique, biologico, ecologico, organico, biologisch, ekologiczny, ekologisk, okologisk",
    "linen": "leinen, lin, lino, linho, linnen, len, hor",
    "walnut": "nussbaum, noyer, noce, nogal, nogueira, notenhout, orzech, valnot, valnod",
    "battery": "akku, batterie, batteria, bateria, accu, batterij, batteri",
}
"""What the prints show and what things are made of: the catalogue's word, then that of the same languages."""
_LONGEST_TERM = 4  # words
_LETTERS = str.maketrans({"ø": "o", "æ": "a", "œ": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})


@dataclass(frozen=True, slots=True)
class Question:
    """A question, divided into the categories that it names and all other words."""

    shelves: tuple[str, ...]
    other: str


class Vocabulary:
    """Finds categories in questions."""

    def __init__(self, shelves: Iterable[Shelf]) -> None:
        self._shelves: dict[str, tuple[str, ...]] = {}
        for shelf in shelves:
            for term in (shelf.title, shelf.slug, *_terms(TERMS.get(shelf.slug, ""))):
                key = " ".join(map(_key, _words(term)))
                self._shelves[key] = tuple(dict.fromkeys((*self._shelves.get(key, ()), shelf.slug)))
        self._english = {_key(word): english for english, words in WORDS.items() for word in _terms(words)}

    def read(self, question: str) -> Question:
        """Return what a question names; of terms that overlap, the longest one counts."""
        words = _words(question)
        found: dict[str, None] = {}
        other = []
        place = 0
        while place < len(words):
            for length in range(min(_LONGEST_TERM, len(words) - place), 0, -1):
                shelves = self._find(" ".join(map(_key, words[place : place + length])))
                if shelves:
                    found |= dict.fromkeys(shelves)
                    place += length
                    break
            else:
                other.append(self._english.get(_key(words[place]), words[place]))
                place += 1
        return Question(tuple(found), " ".join(other))

    def _find(self, term: str) -> tuple[str, ...]:
        return self._shelves.get(term) or (self._shelves.get(term[:-1], ()) if term.endswith("s") else ())


def _terms(text: str) -> list[str]:
    return text.replace(";", ",").split(",")


def _words(text: str) -> list[str]:
    """Return a text's words in small letters, without accents and hyphens."""
    decomposed = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return "".join(character if character.isalnum() else " " for character in plain).split()


def _key(word: str) -> str:
    """Return what is equal for the ways to write one word with an umlaut."""
    return word.replace("ae", "a").replace("oe", "o").replace("ue", "u")
