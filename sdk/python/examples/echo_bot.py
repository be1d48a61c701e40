"""Says back what the visitor says.

FRONTDESK_URL=http://127.0.0.1:8080 FRONTDESK_BOT_KEY=fd_... python examples/echo_bot.py
"""

import asyncio
import os

from frontdesk import Conversation, Frontdesk, Message


async def main() -> None:
    bot = Frontdesk(os.environ["FRONTDESK_URL"]).bot(os.environ["FRONTDESK_BOT_KEY"])

    @bot.on_message
    async def answer(conversation: Conversation, message: Message) -> None:
        await conversation.reply(message.text)

    await bot.start()
    print("ready", flush=True)
    await bot.run()


asyncio.run(main())
