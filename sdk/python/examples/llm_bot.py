"""Answers with a language model: any endpoint that speaks OpenAI's chat completions, over plain HTTP. The answer grows in
the visitor's window while the model writes. What the model cannot be asked goes to a person.

FRONTDESK_URL=... FRONTDESK_BOT_KEY=fd_... LLM_BASE_URL=http://127.0.0.1:11434/v1 LLM_MODEL=... [LLM_API_KEY=...]
[LLM_TIMEOUT_S=60] python examples/llm_bot.py
"""

import asyncio
import json
import os
import urllib.request
from collections.abc import Callable

from frontdesk import Conversation, Frontdesk, Message

SYSTEM = "You answer customers of a shop: shortly, kindly, in their language. What you do not know you do not make up."
# Turns of a conversation that the model is shown.
TURNS_MAX = 20
# Conversations whose turns are kept; of the one longest unused they are forgotten.
CONVERSATIONS_MAX = 1_000

Turns = list[dict[str, str]]
turns: dict[str, Turns] = {}


def complete(messages: Turns, write: Callable[[str], None]) -> None:
    """Gives the pieces of the model's answer to `write`. Blocks; runs beside the event loop."""
    body = {"model": os.environ.get("LLM_MODEL", "default"), "messages": messages, "stream": True}
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("LLM_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    asked = urllib.request.Request(
        f"{os.environ['LLM_BASE_URL']}/chat/completions", json.dumps(body).encode(), headers
    )
    with urllib.request.urlopen(asked, timeout=float(os.environ.get("LLM_TIMEOUT_S", "60"))) as lines:
        for line in lines:
            data = line.removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
            if data and data != b"[DONE]":
                for choice in json.loads(data).get("choices", [])[:1]:
                    write(choice.get("delta", {}).get("content") or "")


async def answer(conversation: Conversation, message: Message) -> None:
    said = [*turns.get(conversation.id, []), {"role": "user", "content": message.text}][-TURNS_MAX:]
    stream = conversation.stream()
    loop = asyncio.get_running_loop()

    def write(piece: str) -> None:
        loop.call_soon_threadsafe(stream.write, piece)

    try:
        await asyncio.to_thread(complete, [{"role": "system", "content": SYSTEM}, *said], write)
    except (OSError, ValueError) as error:
        print(error, flush=True)
        stream.abort()
        await conversation.hand_over(note="The language model cannot be reached.")
        return
    await stream.end()
    turns.pop(conversation.id, None)
    turns[conversation.id] = [*said, {"role": "assistant", "content": stream.text}]
    while len(turns) > CONVERSATIONS_MAX:
        del turns[next(iter(turns))]


async def main() -> None:
    bot = Frontdesk(os.environ["FRONTDESK_URL"]).bot(os.environ["FRONTDESK_BOT_KEY"])
    bot.on_message(answer)
    await bot.start()
    print("ready", flush=True)
    await bot.run()


asyncio.run(main())
