// WCAG contrast, computed: whatever accent a team chooses, text on it and text in it stay AA.

type Rgb = readonly [number, number, number];

export type AccentColours = {
  /** As chosen. */
  readonly accent: string;
  /** Text on the accent: at least 4.5 to 1. */
  readonly onAccent: string;
  /** The accent as text on a light page and on a dark one: at least 4.5 to 1. */
  readonly textLight: string;
  readonly textDark: string;
};

const AA = 4.5;
const LIGHT_PAGE: Rgb = [255, 255, 255];
const DARK_PAGE: Rgb = [23, 24, 28];
const BLACK: Rgb = [0, 0, 0];

/** Reads "#rgb" or "#rrggbb"; anything else is undefined. */
export function parseColour(text: string): Rgb | undefined {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text);
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  const parts = short ? short.slice(1).map((digit) => digit + digit) : long?.slice(1);
  if (!parts) return undefined;
  const [red = 0, green = 0, blue = 0] = parts.map((part) => parseInt(part, 16));
  return [red, green, blue];
}

export function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((channel) => {
    const share = channel / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
}

export function contrast(a: Rgb, b: Rgb): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
}

/** What goes with an accent; undefined where the text is no colour. */
export function accentColours(text: string): AccentColours | undefined {
  const accent = parseColour(text);
  if (!accent) return undefined;
  const white = contrast(accent, LIGHT_PAGE);
  return {
    accent: write(accent),
    // One of the two always reaches 4.5 to 1; people prefer white where it does.
    onAccent: write(white >= AA ? LIGHT_PAGE : BLACK),
    textLight: write(towards(accent, BLACK, LIGHT_PAGE)),
    textDark: write(towards(accent, LIGHT_PAGE, DARK_PAGE)),
  };
}

/** Moves a colour towards another one until it can be read on the page. */
function towards(colour: Rgb, end: Rgb, page: Rgb): Rgb {
  for (let step = 0; step <= 20; step++) {
    const share = step / 20;
    const [red = 0, green = 0, blue = 0] = colour.map((channel, at) => Math.round(channel + ((end[at] ?? 0) - channel) * share));
    if (contrast([red, green, blue], page) >= AA) return [red, green, blue];
  }
  return end;
}

function write(colour: Rgb): string {
  return `#${colour.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}
