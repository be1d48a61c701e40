// A real PNG of any size, drawn by the browser.
import { Buffer } from "node:buffer";

export async function picture(page, width, height, colour) {
  const url = await page.evaluate(
    ([w, h, fill]) => {
      const canvas = document.createElement("canvas");
      canvas.width = w;
      canvas.height = h;
      const draw = canvas.getContext("2d");
      draw.fillStyle = fill;
      draw.fillRect(0, 0, w, h);
      draw.fillStyle = "#ffffff";
      draw.beginPath();
      draw.arc(w / 2, h / 2, Math.min(w, h) / 4, 0, 7);
      draw.fill();
      return canvas.toDataURL("image/png");
    },
    [width, height, colour],
  );
  return Buffer.from(url.split(",")[1], "base64");
}
