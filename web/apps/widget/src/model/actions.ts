// What a visitor does seldom: ends the chat, asks for a person, is forgotten, rates, chooses. Loaded with
// what asks for it.
import type { VisitorCommand } from "@frontdesk/client";
import { Refused } from "@frontdesk/client";
import type { Locale } from "@frontdesk/i18n";
import { LOCALES } from "@frontdesk/i18n";
import type { Chat } from "./chat";
import { keepLanguage } from "./look";

export async function endChat(chat: Chat): Promise<void> {
  chat.question.value = "none";
  await command(chat, { close: {} });
}

/** Leaves the bot for the queue of people. True when the server took it. */
export function askForPerson(chat: Chat): Promise<boolean> {
  return command(chat, { askForPerson: {} });
}

/** What did not work is told over the conversation. */
async function command(chat: Chat, asked: VisitorCommand): Promise<boolean> {
  try {
    await chat.client.command(asked);
    chat.trouble.value = "";
    return true;
  } catch (error) {
    chat.trouble.value = error instanceof Refused ? error.code : "general";
    return false;
  }
}

export async function forget(chat: Chat): Promise<void> {
  chat.question.value = "none";
  // Offline the device forgets all the same; the session then closes by itself.
  if (chat.sessionOpen.peek()) await chat.client.command({ close: {} }).catch(() => undefined);
  chat.client.forget();
  chat.draft.value = "";
  chat.quoting.value = 0;
  chat.recallContact();
}

/** True when the server took it. */
export async function rate(chat: Chat, session: string, rating: number, comment: string): Promise<boolean> {
  try {
    await chat.client.command({ rate: { rating, comment } });
    chat.ratingThanked.value = session;
    return true;
  } catch {
    return false;
  }
}

/** How the question for an address ended: it is not asked again on this device. */
export function contactDone(chat: Chat, how: "known" | "given" | "put off"): void {
  chat.contact.value = how;
  chat.client.keep("contact", how);
}

export function setLoud(chat: Chat, loud: boolean): void {
  chat.loud.value = loud;
  chat.client.keep("sound", loud ? "on" : "off");
}

export function chooseLanguage(chat: Chat, locale: Locale): void {
  keepLanguage(locale);
  void chat.texts.use(locale).catch(() => (chat.trouble.value = "network"));
}

/** There are two. */
export function otherLanguage(chat: Chat): Locale {
  return LOCALES.find((locale) => locale !== chat.texts.locale.value) ?? "en";
}
