// Texts of the widget that are fetched after its first view.
import { errorsEn } from "./errors.en";

export const widgetLaterEn = {
  ...errorsEn,
  "widget.end": "End chat",
  "widget.end_question": "End this chat?",
  "widget.end_text": "You can write again at any time.",
  "widget.end_keep": "Keep chatting",
  "widget.forget": "End and forget me on this device",
  "widget.forget_question": "Forget this conversation here?",
  "widget.forget_text": "This device will no longer show it. The team keeps what was written.",
  "widget.forget_do": "Forget",
  "widget.rate_title": "How was it?",
  "widget.rate_star": { one: "{count} of 5 stars", other: "{count} of 5 stars" },
  "widget.rate_comment": "Tell us more (optional)",
  "widget.rate_send": "Send rating",
  "widget.rate_thanks": "Thank you for your rating.",
  "widget.rate_later": "Not now",
  "widget.rate_failed": "The rating could not be sent. Please try again.",
  "widget.open_image": "Open image {name}",
  "widget.download": "Download {name}",
  "widget.image_failed": "The image could not be loaded.",
  "widget.stopped": "This chat is not available.",
  "widget.stopped_origin": "This chat is not set up for this website.",
  "widget.stopped_inbox": "This chat does not exist.",
  "widget.stopped_disabled": "This chat is closed.",
  "widget.stopped_identity": "This chat is for visitors who are signed in.",
  "widget.stopped_retry": "Try again",
} as const;

export type WidgetLaterKey = keyof typeof widgetLaterEn;
