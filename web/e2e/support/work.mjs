// What a page costs whoever opens it: work of its main thread, and things that move while it loads.

/** Milliseconds of the page's main thread, from the first byte until nothing is left to do. */
export async function work(person, url, sign) {
  const page = await person.page();
  const session = await page.context().newCDPSession(page);
  // The thread's own time: what other processes take of the machine is not the page's.
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const spent = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1_000 * metrics.find(({ name }) => name === "TaskDuration").value;
  };
  await page.goto("about:blank");
  const before = await spent();
  await page.goto(url, { waitUntil: "load" });
  await page.locator(sign).waitFor();
  // Idle means idle: what was put off until then is part of it.
  await page.evaluate(() => new Promise((resolve) => window.requestIdleCallback(() => window.requestIdleCallback(resolve))));
  return (await spent()) - before;
}

/** Notes what moves in the pages of a profile from now on; `shifts(page)` gives how far. */
export async function watchShifts(context) {
  await context.addInitScript(() => {
    window.shifts = [];
    new window.PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.shifts.push(entry.value);
    }).observe({ type: "layout-shift", buffered: true });
  });
}

export async function shifts(page) {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  return page.evaluate(() => window.shifts);
}
