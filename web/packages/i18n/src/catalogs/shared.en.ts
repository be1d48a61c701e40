// Texts that widget and console share.
import { errorsEn } from "./errors.en";
import { timelineEn } from "./timeline.en";

export const sharedEn = { ...timelineEn, ...errorsEn } as const;

export type SharedKey = keyof typeof sharedEn;
