// How long frames take while somebody turns the wheel, and where the rows of a scroller stand.

/** Turns the wheel over a scroller so many times, `step` pixels each, as long as `goesOn` says so. */
export async function wheel(page, scroller, times, step, goesOn = () => true) {
  const box = await scroller.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (let turn = 0; turn < times && (await goesOn(turn)); turn++) await page.mouse.wheel(0, step);
}

/** The frames in which the scroller moved while `during` went on, in milliseconds, and their median. */
export async function framesOf(page, scroller, during) {
  await scroller.evaluate((element) => {
    const record = { at: [], top: [], goesOn: true };
    window.framesRecord = record;
    const look = (now) => {
      record.at.push(now);
      record.top.push(element.scrollTop);
      if (record.goesOn) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await during();
  const { at, top } = await page.evaluate(() => {
    const record = window.framesRecord;
    record.goesOn = false;
    return record;
  });
  // From the frame that drew the new place to the one after it: what that drawing cost.
  const moving = [];
  for (let frame = 1; frame + 1 < at.length; frame++) if (top[frame] !== top[frame - 1]) moving.push(at[frame + 1] - at[frame]);
  const sorted = [...moving].sort((a, b) => a - b);
  return { moving: moving.length, medianMs: sorted[sorted.length >> 1], worstMs: sorted.at(-1) };
}

/** The first row that is wholly on the screen: its name and how far below the scroller's edge it stands. */
export function firstRow(scroller, selector, name) {
  return scroller.evaluate(
    (element, [of, key]) => {
      const edge = element.getBoundingClientRect().top;
      for (const row of element.querySelectorAll(of)) {
        const place = row.getBoundingClientRect();
        if (place.top >= edge) return { name: row.dataset[key], top: place.top - edge };
      }
      throw new Error("nothing is on the screen");
    },
    [selector, name],
  );
}

/** Done when the page has drawn what it has taken in. */
export function drawn(page) {
  return page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(resolve)))));
}

/** What a page's sockets bring: `when(words)` is done once they have come in. Before the page is opened. */
export class Listener {
  constructor(page) {
    this.waiting = [];
    page.on("websocket", (socket) =>
      socket.on("framereceived", ({ payload }) => {
        if (this.waiting.length === 0) return;
        const text = payload.toString();
        this.waiting = this.waiting.filter(({ words, resolve }) => {
          const came = text.includes(words);
          if (came) resolve();
          return !came;
        });
      }),
    );
  }

  /** To be asked before they are said. */
  when(words) {
    return new Promise((resolve) => this.waiting.push({ words, resolve }));
  }
}
