// Texts of the visitor's widget and of the stand-alone page: what its first view reads.
import { timelineEn } from "./timeline.en";

export const widgetEn = {
  ...timelineEn,
  "widget.close": "Close chat",
  "widget.menu": "More",
  "widget.greeting": "Hello! How can we help?",
  "widget.intro": "Write to us here. You can close this window at any time, your conversation is kept.",
  "widget.attended": "We are here",
  "widget.unattended": "Nobody is online",
  "widget.answers_in": { one: "Usually answers in a minute", other: "Usually answers in {count} min" },
  "widget.questions": "Suggested questions",
  "widget.emoji": "Emoji",
  "widget.reply": "Reply to this message",
  "widget.placeholder": "Write a message",
  "widget.typing": "{name} is typing",
  "widget.typing_somebody": "Somebody is typing",
  "widget.conversation": "Conversation",
  "widget.you": "You",
  "widget.team": "Team",
  "widget.new_message_from": "New message from {name}",
  "widget.unread_title": { one: "({count}) New message", other: "({count}) New messages" },
} as const;

export type WidgetKey = keyof typeof widgetEn;
