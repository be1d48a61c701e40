// What went wrong, and uploads: read seldom, so the widget fetches it after its first view.
export const errorsEn = {
  "error.general": "Something went wrong. Please try again.",
  "error.network": "The server cannot be reached. Check the connection and try again.",
  "error.rate_limited": "That was a lot at once. Please wait a moment.",
  "error.overloaded": "The server is busy. It will be tried again.",
  "error.storage.full": "The server cannot take messages at the moment. Yours is kept and will be sent.",
  "error.message.empty": "There is nothing to send.",
  "error.message.too_large": "This message is too long. Please shorten it.",
  "error.message.refused": "This message is not allowed here and was not sent.",
  "error.file.too_large": "This file is too large.",
  "error.file.type": "Files of this type are not accepted.",
  "error.file.empty": "This file is empty.",
  "error.file.quota": "Too many files. Please try again later.",
  "error.file.unreadable": "This file is damaged or not what its name says.",
  "error.file.unknown": "This file is gone. Please attach it again.",
  "error.session.taken": "{detail} has taken this conversation.",
  "error.timeout": "No answer came in time. Please try again.",
  "error.connection.lost": "The server cannot be reached. Check the connection and try again.",
  "upload.progress": "{name}, {percent} % uploaded",
  "upload.cancel": "Cancel upload of {name}",
} as const;

export type ErrorKey = keyof typeof errorsEn;
