// Addresses of websites as people type them and as browsers name them: scheme, host and port.

/** The origin of what was typed; null where it is no website. */
export function originOf(text: string): string | null {
  try {
    const url = new URL(text.trim());
    return url.protocol === "https:" || url.protocol === "http:" ? url.origin : null;
  } catch {
    return null;
  }
}

/** As `originOf`, for somebody who leaves out "https://". */
export function siteOf(text: string): string | null {
  const typed = text.trim();
  if (/^[\w-]+(\.[\w-]+)+(:\d+)?(\/.*)?$/.test(typed)) return originOf(`https://${typed}`);
  return originOf(typed);
}

/** One a line (or after a comma); what is no website stands in `wrong`. */
export function parseOrigins(text: string): { readonly origins: readonly string[]; readonly wrong: readonly string[] } {
  const origins: string[] = [];
  const wrong: string[] = [];
  for (const line of text.split(/[\s,，]+/)) {
    if (line === "") continue;
    const origin = siteOf(line);
    if (origin === null) wrong.push(line);
    else if (!origins.includes(origin)) origins.push(origin);
  }
  return { origins, wrong };
}
