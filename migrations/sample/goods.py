"""What people shop for."""

from __future__ import annotations

CATEGORIES = {
    "electronics": ("wireless earbuds", "power bank", "smart watch", "bluetooth speaker", "action camera"),
    "fashion": ("linen shirt", "running shoes", "canvas bag", "denim jacket", "silk scarf"),
    "home": ("rice cooker", "air purifier", "standing lamp", "floor mat", "bed sheet"),
    "beauty": ("sunscreen", "sheet mask", "lip tint", "hair serum", "hand cream"),
    "groceries": ("jasmine rice", "fish sauce", "instant noodles", "green tea", "coconut oil"),
    "toys": ("building blocks", "plush bear", "board game", "puzzle", "toy train"),
    "sports": ("yoga mat", "football", "badminton racket", "water bottle", "trekking pole"),
    "pets": ("cat litter", "dog harness", "bird cage", "fish food", "scratching post"),
}
"""Categories, the big ones first, and what is sold in them."""

BRANDS = (
    "Arun",
    "Norden",
    "Kumo",
    "Bluefin",
    "Sela",
    "Tigerleaf",
    "Hanok",
    "Mira",
    "Volta",
    "Casa",
    "Lotus",
    "Petra",
)
QUALIFIERS = (
    *(
        "cheap",
        "best",
        "for kids",
        "large",
        "small",
        "black",
        "white",
        "waterproof",
        "gift",
        "light",
        "for women",
    ),
    *("for men", "red", "organic", "premium", "travel size", "set of 2", "new", "blue", "eco friendly"),
)
COLOURS = ("black", "white", "red", "blue", "green", "beige")
