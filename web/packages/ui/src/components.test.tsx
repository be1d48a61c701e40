// @vitest-environment happy-dom
import type { ComponentChild } from "preact";
import { render } from "preact";
import { act } from "preact/test-utils";
import { beforeEach, describe, expect, it } from "vitest";
import { Composer } from "./composer";
import { initials } from "./controls";
import { Dialog } from "./dialog";
import { Menu } from "./menu";

let root: HTMLElement;

beforeEach(() => {
  document.body.textContent = "";
  root = document.body.appendChild(document.createElement("div"));
});

async function show(what: ComponentChild): Promise<void> {
  await act(() => render(what, root));
}

function find(selector: string): HTMLElement {
  const found = root.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`nothing is ${selector}`);
  return found;
}

async function press(element: Element, key: string, more: KeyboardEventInit & { keyCode?: number } = {}): Promise<boolean> {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  if (more.keyCode !== undefined) Object.defineProperty(event, "keyCode", { value: more.keyCode });
  await act(() => void element.dispatchEvent(event));
  return event.defaultPrevented;
}

describe("composer", () => {
  async function composer(canSend = true): Promise<{ sent: () => number; files: File[]; text: HTMLElement }> {
    let sent = 0;
    const files: File[] = [];
    await show(
      <Composer
        value="hello"
        placeholder="Write"
        sendLabel="Send"
        attachLabel="Attach"
        disabled={false}
        canSend={canSend}
        onInput={() => undefined}
        onSend={() => (sent += 1)}
        onFiles={(given) => files.push(...given)}
      />,
    );
    return { sent: () => sent, files, text: find("textarea") };
  }

  it("sends on Enter, breaks the line on Shift+Enter", async () => {
    const { sent, text } = await composer();
    expect(await press(text, "Enter", { shiftKey: true })).toBe(false);
    expect(sent()).toBe(0);
    expect(await press(text, "Enter")).toBe(true);
    expect(sent()).toBe(1);
  });

  it("never sends while an input method composes, nor for the Enter that ends it in Safari", async () => {
    const { sent, text } = await composer();
    await press(text, "Enter", { isComposing: true });
    await press(text, "Enter", { keyCode: 229 });
    expect(sent()).toBe(0);
  });

  it("sends nothing when there is nothing to send", async () => {
    const { sent, text } = await composer(false);
    await press(text, "Enter");
    expect(sent()).toBe(0);
  });

  it("takes pasted pictures as files", async () => {
    const { files, text } = await composer();
    const event = new Event("paste", { bubbles: true, cancelable: true });
    Object.assign(event, { clipboardData: { files: [new File(["x"], "cup.png")] } });
    await act(() => void text.dispatchEvent(event));
    expect(files.map((file) => file.name)).toEqual(["cup.png"]);
    expect(event.defaultPrevented).toBe(true);
  });
});

describe("dialog", () => {
  it("takes the focus, keeps it, closes with Escape and gives the focus back", async () => {
    const before = document.body.appendChild(document.createElement("button"));
    before.focus();
    let closed = 0;
    await show(
      <Dialog title="Sure?" closeLabel="Close" onClose={() => (closed += 1)}>
        <button type="button">Keep</button>
        <button type="button">Go</button>
      </Dialog>,
    );
    const [close, keep, go] = Array.from(root.querySelectorAll("button"));
    expect(document.activeElement).toBe(keep);
    go?.focus();
    expect(await press(find(".dialog"), "Tab")).toBe(true);
    expect(document.activeElement).toBe(close);
    await press(find(".dialog"), "Escape");
    expect(closed).toBe(1);
    await show(null);
    expect(document.activeElement).toBe(before);
  });
});

describe("menu", () => {
  it("opens, moves with the arrows, runs and closes", async () => {
    const ran: string[] = [];
    const item = (key: string) => ({ key, icon: ["M6 6h12"], label: key, run: () => void ran.push(key) });
    await show(<Menu label="More" items={[item("one"), item("two")]} />);
    const trigger = find("button");
    expect(trigger.getAttribute("aria-expanded")).toBe("false");
    await act(() => trigger.click());
    const entries = Array.from(root.querySelectorAll<HTMLElement>("[role=menuitem]"));
    expect(document.activeElement).toBe(entries[0]);
    await press(find(".menu"), "ArrowDown");
    expect(document.activeElement).toBe(entries[1]);
    await press(find(".menu"), "ArrowDown");
    expect(document.activeElement).toBe(entries[0]);
    await act(() => entries[1]?.click());
    expect(ran).toEqual(["two"]);
    expect(root.querySelector("[role=menu]")).toBeNull();
    await act(() => trigger.click());
    await press(find(".menu"), "Escape");
    expect(root.querySelector("[role=menu]")).toBeNull();
    expect(document.activeElement).toBe(trigger);
  });
});

describe("initials", () => {
  it.each([
    ["Lin Xiao", "L"],
    ["林晓", "林晓"],
    ["欧阳晓雪", "晓雪"],
    ["  ", ""],
    ["😀 team", "😀"],
  ])("of %s are %s", (name, expected) => {
    expect(initials(name)).toBe(expected);
  });
});
