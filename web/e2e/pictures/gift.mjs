// The photograph an agent sends in the pictures: a lidded bowl in its wooden box, drawn for it.
import { Buffer } from "node:buffer";

const GIFT = `<svg xmlns="http://www.w3.org/2000/svg" width="960" height="640" viewBox="0 0 960 640">
  <defs>
    <linearGradient id="wall" x2="0" y2="1"><stop stop-color="#efe6d8"/><stop offset="1" stop-color="#e2d3bd"/></linearGradient>
    <linearGradient id="table" x2="0" y2="1"><stop stop-color="#b98f63"/><stop offset="1" stop-color="#9a7147"/></linearGradient>
    <linearGradient id="glaze" x2="1" y2="1"><stop stop-color="#c4ddcf"/><stop offset=".55" stop-color="#8fb8a4"/><stop offset="1" stop-color="#6a9783"/></linearGradient>
    <radialGradient id="light" cx=".3" cy=".2" r=".9"><stop stop-color="#fff" stop-opacity=".5"/><stop offset="1" stop-color="#fff" stop-opacity="0"/></radialGradient>
  </defs>
  <rect width="960" height="640" fill="url(#wall)"/>
  <rect y="430" width="960" height="210" fill="url(#table)"/>
  <ellipse cx="480" cy="560" rx="380" ry="38" fill="#5d4024" opacity=".35"/>
  <path d="M150 300h660l40 70v180H110V370z" fill="#d9b98c"/>
  <path d="M150 300h660l40 70H110z" fill="#8d5f3b"/>
  <path d="M172 310h616l28 50H144z" fill="#7c2f2b"/>
  <path d="M110 370h740v180H110z" fill="#d2ae7d"/>
  <path d="M110 370h740v14H110z" fill="#e6cda6"/>
  <path d="M450 384h60v166h-60z" fill="#c49c68"/>
  <path d="M465 452h30v34h-30z" rx="4" fill="#8a6a3c"/>
  <path d="M300 230c0 82 56 126 180 126s180-44 180-126z" fill="url(#glaze)"/>
  <ellipse cx="480" cy="230" rx="180" ry="34" fill="#7aa591"/>
  <path d="M312 222c14-62 84-92 168-92s154 30 168 92c-40 22-100 30-168 30s-128-8-168-30z" fill="url(#glaze)"/>
  <ellipse cx="480" cy="128" rx="40" ry="15" fill="#b4d3c4"/><ellipse cx="480" cy="120" rx="30" ry="10" fill="#8fb8a4"/>
  <path d="M352 206c22-38 66-54 110-56" fill="none" stroke="#fff" stroke-opacity=".7" stroke-width="7" stroke-linecap="round"/>
  <path d="M338 262c8 32 26 54 56 68" fill="none" stroke="#fff" stroke-opacity=".5" stroke-width="7" stroke-linecap="round"/>
  <path d="M660 330c60-30 120-18 160 22-30 14-70 20-104 12s-50-20-56-34z" fill="#f3eee4"/>
  <rect width="960" height="640" fill="url(#light)"/>
</svg>`;

export async function gift(browser) {
  const page = await browser.newPage({ viewport: { width: 960, height: 640 } });
  try {
    await page.setContent(`<style>body{margin:0}img{display:block}</style><img src="data:image/svg+xml;base64,${Buffer.from(GIFT).toString("base64")}">`);
    return { name: "box.png", mimeType: "image/png", buffer: await page.screenshot() };
  } finally {
    await page.close();
  }
}
