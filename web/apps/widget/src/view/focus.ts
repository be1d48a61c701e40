// Where the focus goes when what had it goes away.

/** To the conversation: a phone opens no keyboard for it. */
export function restFocus(): void {
  document.querySelector<HTMLElement>(".scroller")?.focus({ preventScroll: true });
}
