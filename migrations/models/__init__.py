"""The five systems as they are once every migration has run.

Each lives in a PostgreSQL schema of its own; all share one metadata. A class whose plain name could be any
system's (User, Message, Conversation) carries its system's name.
"""

from migrations.models.declarative import Base
from migrations.models.line_support import Document, LineConversation, LineUser, SystemLog, WebhookEvent
from migrations.models.market_research import (
    MarketAnalysis,
    Product,
    ProductCategory,
    ProductSearch,
    ProductSearchArchive,
    ProductSearchResult,
)
from migrations.models.rag_chat import Citation, RagConversation, RagMessage, UserSession
from migrations.models.telegram_bots import (
    Bot,
    BotHolding,
    BotMemory,
    BotStance,
    Chat,
    Setting,
    TelegramMessage,
    TelegramMessageArchive,
)
from migrations.models.whatsapp_agent import AiInteraction, Customer, Restaurant, WhatsappMessage

metadata = Base.metadata
"""What the database is compared with."""

__all__ = [
    "AiInteraction",
    "Base",
    "Bot",
    "BotHolding",
    "BotMemory",
    "BotStance",
    "Chat",
    "Citation",
    "Customer",
    "Document",
    "LineConversation",
    "LineUser",
    "MarketAnalysis",
    "Product",
    "ProductCategory",
    "ProductSearch",
    "ProductSearchArchive",
    "ProductSearchResult",
    "RagConversation",
    "RagMessage",
    "Restaurant",
    "Setting",
    "SystemLog",
    "TelegramMessage",
    "TelegramMessageArchive",
    "UserSession",
    "WebhookEvent",
    "WhatsappMessage",
    "metadata",
]
