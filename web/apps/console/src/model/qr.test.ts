// Against codes that another encoder made of the same texts with the same masks.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { multiply, qrCode, qrPath } from "./qr";

const address = [
  "#######..#....#.#.####.#..#######",
  "#.....#..##....##.#.....#.#.....#",
  "#.###.#.###.#.#....###.#..#.###.#",
  "#.###.#.##.....#..##...##.#.###.#",
  "#.###.#.##.#.####...####..#.###.#",
  "#.....#.#........###.##.#.#.....#",
  "#######.#.#.#.#.#.#.#.#.#.#######",
  "........#.##..#.#..####.#........",
  "#.#####..#####..##.#..###.#####..",
  "..#.#..##.#..##..###..###.##.##.#",
  ".#.#..#.##########..##..##..#.##.",
  "....##...##..#...##.###..#..####.",
  "#.###.##...##.#.#...#.#....###...",
  "#.##...####....#.##....####..#.##",
  "......##.#####.###..##...##....#.",
  "##.#.#..##.....#.....#..###..##..",
  "#.#.###.###...##.#....#..#.##...#",
  ".#..#..########.#.####.#..##.####",
  ".##.#.#....##.###.#......#.##.#..",
  "##..#..####.....#...###.#.#####.#",
  ".###.#######......##....##..##.#.",
  "#.#...........####..####..##..#.#",
  "#.##..###.###.#....#.#.....#...#.",
  "#.......#....#..#..#####.####.##.",
  "#.#.#######.##...###..#.######...",
  "........#..#..#..#####..#...#.#.#",
  "#######..##...####...#.##.#.#.##.",
  "#.....#.####.##..##..#.##...###..",
  "#.###.#.##.##..##.....#.######...",
  "#.###.#.##.#...#.##.....##..#.###",
  "#.###.#.##....####...##...##..#..",
  "#.....#...#.####....####.#..###..",
  "#######.##..#.##.#..#.#.#.##.#.#.",
];

describe("a QR code", () => {
  it("of a chat's address is the one every reader knows", () => {
    const code = qrCode("https://chat.example.com/c/k3y0f1nb0x5e6f7a8b9c0d");
    expect(code?.modules.map((row) => row.map((dark) => (dark ? "#" : ".")).join(""))).toEqual(address);
  });

  it.each([
    ["with version information", `http://192.168.100.20:8080/frontdesk/c/k3y0f1nb0x5e6f7a8b9c0d?x=${"a".repeat(120)}`, 57, "cad663034ede04d1"],
    ["of Chinese", "您好，前台", 25, "4f025d4af6ffdd97"],
    ["with blocks of two lengths", "x".repeat(400), 77, "3ed4282a72f331b1"],
    ["of the largest version", "y".repeat(660), 97, "67df8a8b45564d9f"],
  ])("%s", (_, text, size, digest) => {
    const code = qrCode(text);
    const rows = code?.modules.map((row) => row.map((dark) => (dark ? "1" : "0")).join("")).join("\n") ?? "";
    expect(code?.size).toBe(size);
    expect(createHash("sha256").update(rows).digest("hex").slice(0, 16)).toBe(digest);
  });

  it("is not made of what does not fit", () => expect(qrCode("z".repeat(700))).toBeNull());

  it("is drawn with every dark module and no other", () => {
    const drawn = [...qrPath({ size: 3, modules: [[true, true, false], [false, false, true], [false, false, false]] }).matchAll(/M(\d) (\d)h(\d)v1/g)].map((part) => part.slice(1).join(" "));
    expect(drawn).toEqual(["0 0 2", "2 1 1"]);
  });

  it("counts in the field of 256", () => expect([multiply(2, 128), multiply(0x53, 1), multiply(0, 7)]).toEqual([0x1d, 0x53, 0]));
});
