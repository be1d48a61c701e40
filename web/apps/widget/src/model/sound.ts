// The sound of a new message: two soft tones, made here, so nothing is fetched for them. One tab of
// a visitor sounds, and none while one of them is looked at.

const SOUNDED_KEY = "frontdesk/sounded";
/** A tab that is looked at says so within this time. */
const LOOKED_AT_MS = 250;
const TONES_HZ = [660, 880] as const;
const TONE_S = 0.14;
const LOUD = 0.08;

let context: AudioContext | undefined;

/** Sounds once for a message, unless a tab of this browser has it already; `quiet` only takes it. */
export async function sound(message: string, quiet: boolean): Promise<void> {
  if (!quiet) await new Promise((resolve) => window.setTimeout(resolve, LOOKED_AT_MS * (1 + Math.random())));
  try {
    if (localStorage.getItem(SOUNDED_KEY) === message) return;
    localStorage.setItem(SOUNDED_KEY, message);
  } catch {
    // Forbidden by the browser: every tab is on its own.
  }
  if (!quiet) play();
}

function play(): void {
  // Browsers let pages sound once somebody has pressed something in them, and complain before.
  const { userActivation } = navigator as { userActivation?: { readonly hasBeenActive: boolean } };
  if (userActivation?.hasBeenActive === false) return;
  const Context = window.AudioContext ?? (window as { webkitAudioContext?: typeof AudioContext }).webkitAudioContext;
  if (!Context) return;
  context ??= new Context();
  void context.resume();
  const gain = context.createGain();
  gain.connect(context.destination);
  TONES_HZ.forEach((frequency, at) => {
    if (!context) return;
    const from = context.currentTime + at * TONE_S;
    const tone = context.createOscillator();
    tone.frequency.value = frequency;
    gain.gain.setValueAtTime(LOUD, from);
    gain.gain.exponentialRampToValueAtTime(0.001, from + TONE_S * 1.6);
    tone.connect(gain);
    tone.start(from);
    tone.stop(from + TONE_S * 1.6);
  });
}
