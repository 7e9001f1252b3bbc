"""What people and bots write in English."""

from __future__ import annotations

from migrations.sample.language import Language

ENGLISH = Language(
    code="en",
    items=(
        *(
            "chicken burger",
            "margherita pizza",
            "iced latte",
            "caesar salad",
            "fish and chips",
            "club sandwich",
        ),
        *(
            "beef ramen",
            "pad thai",
            "mushroom risotto",
            "lamb shawarma",
            "blueberry cheesecake",
            "oyster platter",
        ),
    ),
    counts=("one", "two", "three", "four", "five", "six", "eight", "ten", "a dozen"),
    places=("downtown", "the airport", "Riverside", "Oak Street", "the harbour", "Station Road", "Hill Park"),
    times=("noon", "7 pm", "tomorrow morning", "half past six", "Friday night", "an hour ago", "9 am"),
    topics=(
        "the lease",
        "health insurance",
        "parental leave",
        "the return policy",
        "data retention",
        "travel costs",
    ),
    asks=(
        "Hi, can I order {count} {item} for {time}?",
        "Do you still have {item} today?",
        "How much is the {item}?",
        "Could you deliver {count} {item} to {place}?",
        "My order from {time} has not arrived yet",
        "A table for {count} at {time}, please",
        "Please change the delivery address to {place}",
        "Is the {item} gluten free?",
        "I was charged twice for the {item}",
        "What time does the {place} branch close?",
    ),
    answers=(
        "Sure, {count} {item} will be ready by {time}",
        "Sorry, we are out of {item}; may we suggest something else?",
        "The {place} branch is open until 10 pm",
        "Your table for {count} at {time} is confirmed",
        "The rider has just left {place}",
        "We have refunded the {item}; it takes three working days",
        "The {item} is ten per cent off until {time}",
    ),
    closings=("thanks", "thank you so much", "no rush", "please hurry", "see you soon", "cash on delivery"),
    questions=(
        "What does the handbook say about {topic}?",
        "Summarise the section on {topic}",
        "On which page is {topic} explained?",
        "How did {topic} change since last year?",
    ),
    passages=(
        "According to the agreement, {topic} must be settled in writing within thirty days.",
        "The chapter on {topic} asks for {count} signed copies of the application form.",
        "Questions about {topic} go to the office at {place}, which answers within two working days.",
        "Members who do not follow the rules on {topic} may lose the benefits named in section four.",
    ),
    chatter=(
        "{symbol} looks strong today",
        "anyone still holding {symbol}?",
        "I would wait for a dip in {symbol}",
        "news about {symbol} at {time}",
        "sold all my {symbol}, lunch is {item}",
    ),
)
