"""Says where an order is: asks for its number with a form, and gives the visitor to a person who wants one.

FRONTDESK_URL=... FRONTDESK_BOT_KEY=fd_... python examples/order_bot.py
"""

import asyncio
import os
import re

from frontdesk import Choice, Conversation, Field, Frontdesk, Message


def status_of(order: str) -> str | None:
    """A shop would look into its own books here."""
    digits = re.search(r"\d+$", order)
    states = ("is being packed", "is on its way", "has arrived")
    return None if digits is None else states[int(digits.group()) % len(states)]


async def answer(conversation: Conversation, message: Message) -> None:
    if message.kind == "form_reply":
        order = message.values.get("order", "")
        status = status_of(order)
        if status is not None:
            await conversation.reply(f"Order {order} {status}.", quote_seq=message.seq)
        else:
            buttons = [Choice("again", "Try again"), Choice("person", "Ask a person")]
            await conversation.choices(f"There is no order {order}.", buttons)
    elif message.choice == "person":
        await conversation.hand_over(note="The visitor's order number was not found.")
    else:
        fields = [Field("order", "Order number", "order_number", required=True)]
        await conversation.form("Which order is it about?", fields, submit="Look it up")


async def main() -> None:
    bot = Frontdesk(os.environ["FRONTDESK_URL"]).bot(os.environ["FRONTDESK_BOT_KEY"])
    bot.on_message(answer)
    await bot.start()
    print("ready", flush=True)
    await bot.run()


asyncio.run(main())
