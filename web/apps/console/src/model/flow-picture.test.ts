import { describe, expect, it } from "vitest";
import { boxHeight, boxWidth, drawFlow, readSteps } from "./flow-picture";

const yaml = `name: opening # "quoted" comment
start: { when: { greeting: true } }
steps:
  menu:
    ask:
      text: { en: "What is it # about?", zh-CN: 请问 }
      choices:
        - { id: order, label: { en: My order }, goto: number }
        - id: other
          label: { en: Else }
          goto: question   # the rest
  number:
    form:
      title: { en: Which order? }
      fields:
        - { id: order, kind: order_number, label: { en: Number }, required: true }
    goto: known

  known:
    if: { variable: order, matches: "^A-", goto: person }
    goto: question
  question:
    answer:
      found: end
      nothing: person
  person:
    handover: { team: Support }
  again:
    say: { en: Once more }
    goto: menu
  end:
    end: true
tests:
  - name: goto nowhere
    say: [hi]
`;

describe("the steps of a flow", () => {
  const steps = readSteps(yaml);

  it("are read with their kinds, lines and ways", () => {
    expect(steps.map((step) => [step.name, step.line, step.kind, step.ways.map((way) => `${way.label}>${way.to}`)])).toEqual([
      ["menu", 4, "ask", ["order>number", "other>question"]],
      ["number", 12, "form", [">known"]],
      ["known", 19, "if", ["then>person", "else>question"]],
      ["question", 22, "answer", ["found>end", "nothing>person"]],
      ["person", 26, "handover", []],
      ["again", 28, "say", [">menu"]],
      ["end", 31, "end", []],
    ]);
  });

  it("are read as far as they go while the file is being written", () => {
    expect(readSteps("")).toEqual([]);
    expect(readSteps("name: x\nsteps:\n")).toEqual([]);
    expect(readSteps("steps:\n  a:\n  b:\n    sa")).toMatchObject([{ name: "a", kind: null, ways: [] }, { name: "b", kind: null, ways: [] }]);
    expect(readSteps("steps:\n  a: { say: { en: Hi }, goto: b }\n  b: { end: true }")).toMatchObject([{ kind: "say", ways: [{ to: "b" }] }, { kind: "end" }]);
  });

  it("take no longer for a long file", () => {
    const long = `steps:\n${Array.from({ length: 5_000 }, (_, at) => `  s${at}:\n    say: { en: x }\n    goto: s${at + 1}`).join("\n")}`;
    expect(readSteps(long)).toHaveLength(200);
    expect(drawFlow(readSteps(long)).boxes).toHaveLength(200);
  });
});

describe("the picture of a flow", () => {
  const picture = drawFlow(readSteps(yaml));
  const box = (name: string) => picture.boxes.find((known) => known.step.name === name);

  it("stands each step below all that lead to it", () => {
    const rows = (names: readonly string[]) => names.map((name) => box(name)?.y ?? -1);
    const [menu = 0, number = 0, known = 0, question = 0, person = 0, end = 0] = rows(["menu", "number", "known", "question", "person", "end"]);
    expect([menu < number, number < known, known < question, question < person, person === end]).toEqual([true, true, true, true, true]);
    expect(picture.arrows.filter((arrow) => arrow.back).map((arrow) => [arrow.from, arrow.to])).toEqual([["again", "menu"]]);
  });

  it("marks what nothing leads to", () => {
    expect(picture.boxes.filter((known) => known.lost).map((known) => known.step.name)).toEqual(["again"]);
  });

  it("has no two boxes in one place, and all of them within its edges", () => {
    for (const one of picture.boxes) {
      expect(one.x).toBeGreaterThanOrEqual(0);
      expect(one.x + boxWidth).toBeLessThanOrEqual(picture.width);
      expect(one.y + boxHeight).toBeLessThanOrEqual(picture.height);
      const crossed = picture.boxes.filter((other) => other !== one && Math.abs(other.x - one.x) < boxWidth && Math.abs(other.y - one.y) < boxHeight);
      expect(crossed).toEqual([]);
    }
  });

  it("draws a way that goes round, and one to a step that is not there not at all", () => {
    const round = drawFlow(readSteps("steps:\n  a:\n    say: { en: x }\n    goto: a\n  b:\n    say: { en: x }\n    goto: nowhere"));
    expect(round.arrows.map((arrow) => [arrow.from, arrow.to, arrow.back])).toEqual([["a", "a", true]]);
    expect(drawFlow([])).toMatchObject({ boxes: [], arrows: [], height: 0 });
  });
});

describe("two steps with one name", () => {
  it("are drawn once", () => {
    expect(drawFlow(readSteps("steps:\n  a: { end: true }\n  b: { end: true }\n  a:\n    say: { en: x }\n    goto: b")).boxes.map((box) => box.step.name)).toEqual(["a", "b"]);
  });
});

describe("steps that nothing leads to", () => {
  it("stand together below all others, however many there are", () => {
    const half = readSteps("steps:\n  new: { end: true }\n  a:\n    say: { en: x }\n    goto: b\n  b:\n    say: { en: x }\n    goto: c\n  c: { end: true }\n  d:\n    say: { en: x }\n    goto: c");
    const { boxes, arrows } = drawFlow(half);
    const rows = new Map(boxes.map((box) => [box.step.name, box.y]));
    const [fresh = 0, a = 0, b = 0, c = 0, d = 0] = ["new", "a", "b", "c", "d"].map((name) => rows.get(name));
    expect([fresh < a, a < b, b < c, c < d]).toEqual([true, true, true, true]);
    expect(boxes.filter((box) => box.lost).map((box) => box.step.name)).toEqual(["a", "b", "c", "d"]);
    expect(arrows.map((arrow) => [arrow.from, arrow.to, arrow.back])).toEqual([["a", "b", false], ["b", "c", false], ["d", "c", true]]);
  });
});
