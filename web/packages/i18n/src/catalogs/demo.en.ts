// Texts of the demo shop.
export const demoEn = {
  "demo.name": "Spruce Tea",
  "demo.tagline": "Handmade tea ware from Longquan",
  "demo.nav_shop": "Shop",
  "demo.nav_story": "Our kiln",
  "demo.hero_title": "Tea tastes of the cup it is poured into",
  "demo.hero_text": "Celadon, stoneware and bamboo, made in small batches by four potters in Longquan. Shipped in moss, not in plastic.",
  "demo.hero_button": "Ask us about a set",
  "demo.products": "This month's firing",
  "demo.gaiwan": "Celadon gaiwan",
  "demo.gaiwan_text": "120 ml, plum-green glaze. For oolong and white tea.",
  "demo.teapot": "Stoneware teapot",
  "demo.teapot_text": "280 ml, iron glaze, ball filter. Pours without a drop.",
  "demo.cups": "Four small cups",
  "demo.cups_text": "60 ml each, ice-crackle glaze, no two alike.",
  "demo.tray": "Bamboo tray",
  "demo.tray_text": "38 x 24 cm with a drawer for water.",
  "demo.ask": "Ask about it",
  "demo.ask_label": "Ask about it: {product}",
  "demo.story_title": "Four potters, one kiln",
  "demo.story_text": "We fire on the first Saturday of each month. What cracks becomes gravel for the path; what does not, goes to you.",
  "demo.console": "Open the console beside",
  "demo.console_text": "This shop is a demo. Write in the chat, and answer as an agent in the console.",
  "demo.footer": "Spruce Tea is made up. The chat is Frontdesk.",
  "demo.missing": "The demo is not set up on this server.",
} as const;

export type DemoKey = keyof typeof demoEn;
