// What a team puts on its website, and the address of the chat's own page. `base` is where this
// installation lies, with the last slash.

/** The queue takes calls until the loader is there, so the order of the two lines does not matter. */
export function snippet(base: string, inboxKey: string): string {
  const script = new URL("widget.js", base).href;
  return [
    `<script>window.frontdesk=window.frontdesk||function(){(frontdesk.q=frontdesk.q||[]).push(arguments)};frontdesk("boot",{inbox:"${inboxKey}"})</script>`,
    `<script async src="${script}"></script>`,
  ].join("\n");
}

export function chatPage(base: string, inboxKey: string): string {
  return new URL(`c/${encodeURIComponent(inboxKey)}`, base).href;
}
