// What else can be done, under the header's last button. Loaded when that is first pressed.
import { LOCALE_NAMES } from "@frontdesk/i18n";
import type { MenuItem } from "@frontdesk/ui";
import { Menu } from "@frontdesk/ui";
import type { JSX } from "preact";
import { chooseLanguage, otherLanguage, setLoud } from "../model/actions";
import type { Chat } from "../model/chat";

// From Lucide, as the other icons.
const GLOBE = ["M12 2a10 10 0 1 0 0 20 10 10 0 1 0 0-20", "M12 2a14.5 14.5 0 0 0 0 20 14.5 14.5 0 0 0 0-20", "M2 12h20"];
const BELL = ["M10.268 21a2 2 0 0 0 3.464 0", "M3.262 15.326A1 1 0 0 0 4 17h16a1 1 0 0 0 .74-1.673C19.41 13.956 18 12.499 18 8A6 6 0 0 0 6 8c0 4.499-1.411 5.956-2.738 7.326"];
const BELL_OFF = ["M10.268 21a2 2 0 0 0 3.464 0", "M17 17H4a1 1 0 0 1-.74-1.673C4.59 13.956 6 12.499 6 8a6 6 0 0 1 .258-1.742", "m2 2 20 20", "M8.668 3.01A6 6 0 0 1 18 8c0 2.687.77 4.653 1.707 6.05"];
const LEAVE = ["m16 17 5-5-5-5", "M21 12H9", "M9 21H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4"];
const TRASH = ["M10 11v6", "M14 11v6", "M19 6v14a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V6", "M3 6h18", "M8 6V4a2 2 0 0 1 2-2h4a2 2 0 0 1 2 2v2"];

export function HeaderMenu({ chat }: { chat: Chat }): JSX.Element {
  const { texts } = chat;
  const other = otherLanguage(chat);
  const loud = chat.loud.value;
  const items: MenuItem[] = [
    { key: "sound", icon: loud ? BELL : BELL_OFF, label: texts.t(loud ? "widget.sound_off" : "widget.sound_on"), run: () => setLoud(chat, !loud) },
  ];
  if (chat.choosesLanguage.value) {
    items.unshift({ key: "language", icon: GLOBE, label: LOCALE_NAMES[other], run: () => chooseLanguage(chat, other) });
  }
  if (chat.sessionOpen.value && chat.inbox.value.mayEnd) {
    items.push({ key: "end", icon: LEAVE, label: texts.t("widget.end"), run: () => (chat.question.value = "end") });
  }
  if (chat.rows.value.length > 0) {
    items.push({ key: "forget", icon: TRASH, label: texts.t("widget.forget"), run: () => (chat.question.value = "forget") });
  }
  return <Menu label={texts.t("widget.menu")} items={items} opened />;
}
