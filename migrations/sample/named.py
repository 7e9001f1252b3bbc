"""What people, restaurants, bots and chats are called."""

from __future__ import annotations

FIRST_NAMES = (
    *(
        "สมชาย",
        "Nok",
        "ปรีชา",
        "Somchai",
        "วรรณา",
        "Mali",
        "Anna",
        "Kenji",
        "美咲",
        "지훈",
        "서연",
        "小明",
        "Linh",
    ),
    *(
        "Minh",
        "Budi",
        "Siti",
        "Aisyah",
        "Carlos",
        "Lucía",
        "Camille",
        "Jules",
        "Lena",
        "Jonas",
        "Grace",
        "Omar",
    ),
)
LAST_NAMES = (
    *("ใจดี", "ศรีสุข", "Wong", "Tanaka", "佐藤", "김", "李", "Nguyễn", "Trần", "Santoso", "Rahman", "García"),
    *("Fernández", "Dubois", "Martin", "Schmidt", "Weber", "Smith", "Brown", "Chaiyasit", "Okafor", "Rossi"),
)
RESTAURANTS = (
    "Baan Suan",
    "Casa Lola",
    "Green Bowl",
    "ครัวคุณยาย",
    "Sakura",
    "Warung Ibu",
    "Chez Paul",
    "Taj Garden",
)
BOT_NAMES = (
    "Nong Mali",
    "Bull Run",
    "Captain Dip",
    "Auntie Chart",
    "Lucky Cat",
    "Doctor Candle",
    "Moon Rabbit",
)
CHAT_TITLES = ("Traders Lounge", "หุ้นไทยวันนี้", "Night Owls", "Makan Makan", "投資クラブ", "Café Charts")
