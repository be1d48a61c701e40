// The browser's side of the signals: a short chime made on the spot, desktop notifications, the count
// in the page's icon, and whether somebody is at this tab.
import { signal } from "@preact/signals-core";
import type { Bells, Permission, Reason } from "../model/signals";
import type { Row } from "../model/types";

/** Two notes, a fifth apart, soft enough for an office. */
const notes: readonly (readonly [hertz: number, afterS: number])[] = [
  [660, 0],
  [990, 0.13],
];
const noteS = 0.35;
const loudness = 0.12;

export type BellTexts = (reason: Reason, row: Row) => { readonly title: string; readonly body: string };

function permissionNow(): Permission {
  if (typeof Notification !== "function") return "unsupported";
  return Notification.permission === "default" ? "unasked" : Notification.permission;
}

export function browserBells(texts: BellTexts): Bells {
  const attended = signal(false);
  const permission = signal<Permission>(permissionNow());
  let audio: AudioContext | undefined;

  const look = () => {
    attended.value = document.visibilityState === "visible" && document.hasFocus();
    permission.value = permissionNow();
  };
  look();
  document.addEventListener("visibilitychange", look);
  window.addEventListener("focus", look);
  window.addEventListener("blur", look);

  // Browsers make no sound before the person has done something on the page.
  const wake = () => {
    audio ??= typeof AudioContext === "function" ? new AudioContext() : undefined;
    void audio?.resume().catch(() => undefined);
  };
  document.addEventListener("pointerdown", wake);
  document.addEventListener("keydown", wake);

  return {
    attended,
    permission,
    ask: async () => {
      if (typeof Notification !== "function") return;
      await Notification.requestPermission();
      permission.value = permissionNow();
    },
    canSound: () => audio?.state === "running",
    sound: () => {
      if (audio === undefined) return;
      for (const [hertz, afterS] of notes) chime(audio, hertz, audio.currentTime + afterS);
    },
    notify: (reason, row, open) => {
      if (permissionNow() !== "granted") return;
      const { title, body } = texts(reason, row);
      try {
        const shown = new Notification(title, { body, tag: `frontdesk-${row.conversation}` });
        shown.onclick = () => {
          window.focus();
          open();
          shown.close();
        };
      } catch {
        // Chrome on Android knows the constructor and forbids it: there the sound has to do.
      }
    },
  };
}

function chime(audio: AudioContext, hertz: number, atS: number): void {
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = hertz;
  tone.type = "sine";
  volume.gain.setValueAtTime(0, atS);
  volume.gain.linearRampToValueAtTime(loudness, atS + 0.015);
  volume.gain.exponentialRampToValueAtTime(0.001, atS + noteS);
  tone.connect(volume).connect(audio.destination);
  tone.start(atS);
  tone.stop(atS + noteS);
}

const iconPx = 64;

/** Puts a count into the page's icon; 0 shows the plain one again. */
export function drawIcon(count: number): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (link === null) return;
  link.dataset["plain"] ??= link.getAttribute("href") ?? "";
  const { plain = "" } = link.dataset;
  if (count === 0) {
    link.setAttribute("href", plain);
    link.setAttribute("type", "image/svg+xml");
    link.dataset["count"] = "";
    return;
  }
  link.dataset["count"] = String(count);
  const image = new Image();
  image.onload = () => {
    // A newer count may have been drawn meanwhile.
    if (link.dataset["count"] !== String(count)) return;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = iconPx;
    const pen = canvas.getContext("2d");
    if (pen === null) return;
    pen.drawImage(image, 0, 0, iconPx, iconPx);
    const text = count > 99 ? "99" : String(count);
    const radius = text.length > 1 ? 22 : 19;
    pen.fillStyle = "#d02f2f";
    pen.beginPath();
    pen.arc(iconPx - radius, iconPx - radius, radius, 0, Math.PI * 2);
    pen.fill();
    pen.fillStyle = "#fff";
    pen.font = `bold ${text.length > 1 ? 26 : 30}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(text, iconPx - radius, iconPx - radius + 2);
    link.setAttribute("type", "image/png");
    link.setAttribute("href", canvas.toDataURL("image/png"));
  };
  image.src = plain;
}
