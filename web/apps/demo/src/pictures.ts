// Pictures of the shop, drawn with the DOM: a policy without inline markup does not mind them.

type Shape = readonly [tag: string, attributes: Readonly<Record<string, string>>];

const SVG = "http://www.w3.org/2000/svg";

const SHAPES = {
  gaiwan: [
    ["ellipse", { cx: "120", cy: "150", rx: "78", ry: "12", class: "shade" }],
    ["path", { d: "M62 82 Q66 136 96 142 L144 142 Q174 136 178 82 Z", class: "glaze" }],
    ["path", { d: "M62 82 Q120 96 178 82 Q120 70 62 82 Z", class: "deep" }],
    ["path", { d: "M70 78 Q120 46 170 78 Q120 90 70 78 Z", class: "light" }],
    ["ellipse", { cx: "120", cy: "58", rx: "13", ry: "6", class: "glaze" }],
    ["path", { d: "M48 146 Q120 168 192 146 Q120 156 48 146 Z", class: "glaze" }],
  ],
  teapot: [
    ["ellipse", { cx: "120", cy: "154", rx: "74", ry: "10", class: "shade" }],
    ["path", { d: "M60 108 Q60 152 120 152 Q180 152 180 108 Q180 78 120 78 Q60 78 60 108 Z", class: "clay" }],
    ["path", { d: "M176 104 Q198 98 208 74 L216 78 Q206 118 178 126 Z", class: "clay" }],
    ["path", { d: "M64 98 Q32 88 34 112 Q36 136 66 132", class: "handle" }],
    ["path", { d: "M90 80 Q120 64 150 80 Q120 88 90 80 Z", class: "clay-deep" }],
    ["circle", { cx: "120", cy: "66", r: "7", class: "clay-deep" }],
    ["path", { d: "M76 100 Q80 90 96 88", class: "gleam" }],
  ],
  cups: [
    ["ellipse", { cx: "120", cy: "154", rx: "88", ry: "9", class: "shade" }],
    ["path", { d: "M34 104 Q36 142 52 146 L72 146 Q88 142 90 104 Z", class: "light" }],
    ["ellipse", { cx: "62", cy: "104", rx: "28", ry: "7", class: "tea" }],
    ["path", { d: "M92 90 Q94 138 112 144 L132 144 Q148 138 150 90 Z", class: "glaze" }],
    ["ellipse", { cx: "121", cy: "90", rx: "29", ry: "7", class: "tea" }],
    ["path", { d: "M150 104 Q152 142 168 146 L188 146 Q204 142 206 104 Z", class: "light" }],
    ["ellipse", { cx: "178", cy: "104", rx: "28", ry: "7", class: "tea" }],
    ["path", { d: "M102 104 L114 118 L108 132 M132 104 L124 122 L136 134", class: "crackle" }],
  ],
  tray: [
    ["ellipse", { cx: "120", cy: "150", rx: "96", ry: "9", class: "shade" }],
    ["path", { d: "M28 108 L60 82 L212 82 L180 108 Z", class: "bamboo" }],
    ["path", { d: "M28 108 L180 108 L180 140 L28 140 Z", class: "bamboo-deep" }],
    ["path", { d: "M180 108 L212 82 L212 114 L180 140 Z", class: "bamboo-dark" }],
    ["path", { d: "M56 102 L88 88 M84 102 L116 88 M112 102 L144 88 M140 102 L172 88", class: "slit" }],
    ["path", { d: "M92 122 L116 122", class: "slit" }],
  ],
  hero: [
    ["path", { d: "M0 360 L90 150 L150 220 L240 90 L340 240 L400 170 L520 360 Z", class: "far" }],
    ["path", { d: "M0 360 L110 250 L220 320 L330 240 L520 360 Z", class: "near" }],
    ["circle", { cx: "410", cy: "80", r: "38", class: "sun" }],
    ["path", { d: "M222 236 Q228 316 270 324 L330 324 Q372 316 378 236 Z", class: "glaze" }],
    ["path", { d: "M222 236 Q300 254 378 236 Q300 218 222 236 Z", class: "tea" }],
    ["path", { d: "M204 330 Q300 352 396 330 Q300 342 204 330 Z", class: "deep" }],
    ["path", { d: "M280 210 Q270 186 284 170 Q296 154 286 134 M318 208 Q308 188 320 174 Q330 160 322 146", class: "steam" }],
  ],
} as const satisfies Record<string, readonly Shape[]>;

export type PictureName = keyof typeof SHAPES;

export function picture(name: PictureName, label: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", name === "hero" ? "0 0 520 360" : "0 0 240 180");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  svg.setAttribute("class", `picture picture-${name}`);
  for (const [tag, attributes] of SHAPES[name]) {
    const shape = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    svg.appendChild(shape);
  }
  return svg;
}
