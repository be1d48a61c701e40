import { describe, expect, it } from "vitest";
import type { Hours, HoursForm } from "./hours";
import { clockOf, hoursForm, hoursOf, hoursWords, minuteOf, nextSpan, openAt, problemOf } from "./hours";

const span = (from: string, to: string) => ({ from, to });
const office = span("09:00", "18:00");
const form = (change: Partial<HoursForm> = {}): HoursForm => ({ always: false, timeZone: "Asia/Shanghai", week: [[office], [office], [office], [office], [office], [], []], days: [], ...change });

describe("the hours of an inbox", () => {
  it("are read and written alike, a night shift and a lunch break too", () => {
    const hours: Hours = {
      time_zone: "Europe/Berlin",
      week: [
        { day: 1, from_minute: 540, to_minute: 720 },
        { day: 1, from_minute: 780, to_minute: 1_080 },
        { day: 6, from_minute: 1_320, to_minute: 1_560 },
        { day: 7, from_minute: 0, to_minute: 1_440 - 1 },
      ],
      days: [{ date: "2026-12-25", spans: [] }, { date: "2026-12-31", spans: [[540, 720]] }],
    };
    const edited = hoursForm(hours, "UTC");
    expect(edited.always).toBe(false);
    expect(edited.week[5]).toEqual([span("22:00", "02:00")]);
    expect(hoursOf(edited)).toEqual(hours);
  });

  it("that are always open stay so, and offer office hours in the reader's zone", () => {
    const edited = hoursForm({ time_zone: "", week: [], days: [] }, "Asia/Tokyo");
    expect(edited).toMatchObject({ always: true, timeZone: "Asia/Tokyo" });
    expect(edited.week[4]).toEqual([office]);
    expect(edited.week[5]).toEqual([]);
    expect(hoursOf(edited).week).toEqual([]);
    expect(hoursOf({ ...edited, always: false }).week).toHaveLength(5);
  });

  it.each([
    ["a span without an end", form({ week: [[span("09:00", "")], [], [], [], [], [], []] }), { kind: "span", day: 0 }],
    ["a span of no length", form({ week: [[], [span("09:00", "09:00")], [], [], [], [], []] }), { kind: "span", day: 1 }],
    ["two spans at once", form({ week: [[office, span("17:00", "20:00")], [], [], [], [], [], []] }), { kind: "overlap", day: 0 }],
    ["a week without a span", form({ week: [[], [], [], [], [], [], []] }), { kind: "none" }],
    ["a day without a date", form({ days: [{ date: "", spans: [] }] }), { kind: "date", index: 0 }],
    ["a date twice", form({ days: [{ date: "2026-01-01", spans: [] }, { date: "2026-01-01", spans: [] }] }), { kind: "twice", index: 1 }],
    ["a special day's half span", form({ days: [{ date: "2026-01-01", spans: [span("", "12:00")] }] }), { kind: "special_span", index: 0 }],
  ])("are not saved with %s", (_, wrong, problem) => expect(problemOf(wrong)).toEqual(problem));

  it("are saved with special days only, or as they usually are", () => {
    expect(problemOf(form())).toBeNull();
    expect(problemOf(form({ always: true, days: [{ date: "2026-01-01", spans: [] }] }))).toBeNull();
  });

  it("read as people write them", () => {
    expect(hoursWords(form().week, "en")).toBe("Mon–Fri 09:00–18:00");
    expect(hoursWords(form().week, "zh-CN")).toBe("周一至周五 09:00–18:00");
    expect(hoursWords([[office], [], [office], [], [], [span("10:00", "12:00"), span("13:00", "15:00")], []], "en")).toBe("Mon 09:00–18:00, Wed 09:00–18:00, Sat 10:00–12:00 & 13:00–15:00");
  });

  it("say whether somebody is there, in the inbox's zone, past midnight and on special days", () => {
    const hours: Hours = { time_zone: "Asia/Shanghai", week: [{ day: 1, from_minute: 540, to_minute: 1_080 }, { day: 5, from_minute: 1_320, to_minute: 1_560 }], days: [{ date: "2026-03-09", spans: [] }] };
    const at = (text: string) => openAt(hours, Date.parse(`${text}+08:00`));
    expect(at("2026-03-02T09:00:00")).toBe(true);
    expect(at("2026-03-02T18:00:00")).toBe(false);
    expect(at("2026-03-06T23:30:00")).toBe(true);
    expect(at("2026-03-07T01:59:00")).toBe(true);
    expect(at("2026-03-07T02:00:00")).toBe(false);
    expect(at("2026-03-09T10:00:00")).toBe(false);
    expect(openAt({ time_zone: "", week: [], days: [] }, 0)).toBe(true);
  });

  it("count minutes as clocks do", () => {
    expect(["00:00", "09:05", "23:59"].map(minuteOf)).toEqual([0, 545, 1_439]);
    expect(["24:00", "9:00", "", "12:60"].map(minuteOf)).toEqual([null, null, null, null]);
    expect([0, 545, 1_440, 1_560].map(clockOf)).toEqual(["00:00", "09:05", "00:00", "02:00"]);
    expect(nextSpan([])).toEqual(office);
    expect(nextSpan([span("09:00", "12:00")])).toEqual(span("13:00", "15:00"));
    expect(problemOf(form({ week: [[span("09:00", "23:30"), nextSpan([span("09:00", "23:30")])], [], [], [], [], [], []] }))).toEqual({ kind: "overlap", day: 0 });
  });
});
