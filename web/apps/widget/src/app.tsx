// The chat itself, once somebody needs it.
import { effect } from "@preact/signals";
import { render } from "preact";
import { Chat } from "./model/chat";
import type { Given } from "./model/entrance";
import { App } from "./view/app";

export function startChat(baseUrl: string, inboxKey: string, given: Given | undefined): void {
  const root = document.getElementById("app");
  if (!root) return;
  const chat = new Chat(baseUrl, inboxKey, given);
  const stop = effect(() => {
    if (!chat.ready.value) return;
    // Takes the place of what was seen meanwhile, in one step.
    window.queueMicrotask(() => {
      stop();
      root.textContent = "";
      render(<App chat={chat} />, root);
    });
  });
  chat.start();
}
