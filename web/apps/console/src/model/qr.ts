// A QR code (ISO/IEC 18004) of a short text: byte mode, error correction level M, versions 1 to 20.
// Drawn in this order: the patterns every code has, the bits in their zigzag, then the mask that
// reads best. Loaded only when a code is shown.

/** `modules[row][column]`: true is dark. Without the quiet zone of four modules around it. */
export type QrCode = { readonly size: number; readonly modules: readonly (readonly boolean[])[] };

type Grid = boolean[][];

/** Codewords for error correction in each block, and the number of blocks, by version. */
const correctionWords = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26];
const blockCounts = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16];
const versionMax = correctionWords.length;
/** Level M as the format information writes it. */
const levelBits = 0b00;

/** Modules that carry data, in bits, after all fixed patterns. */
function dataBits(version: number): number {
  let bits = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const rows = Math.floor(version / 7) + 2;
    bits -= (25 * rows - 10) * rows - 55;
    if (version >= 7) bits -= 36;
  }
  return bits;
}

function wordsOf(version: number): { readonly all: number; readonly data: number; readonly correction: number; readonly blocks: number } {
  const all = Math.floor(dataBits(version) / 8);
  const correction = correctionWords[version - 1] ?? 0;
  const blocks = blockCounts[version - 1] ?? 1;
  return { all, data: all - correction * blocks, correction, blocks };
}

/** The code of a text; null where it is too long for one. */
export function qrCode(text: string): QrCode | null {
  const bytes = new TextEncoder().encode(text);
  const lengthBits = (version: number) => (version < 10 ? 8 : 16);
  let version = 1;
  while (version <= versionMax && 4 + lengthBits(version) + bytes.length * 8 > wordsOf(version).data * 8) version += 1;
  if (version > versionMax) return null;
  const codewords = interleaved(version, dataWords(bytes, version, lengthBits(version)));
  const size = 17 + 4 * version;
  const fixed: Grid = blank(size);
  const plain: Grid = blank(size);
  drawPatterns(plain, fixed, version);
  drawWords(plain, fixed, codewords);
  let best: Grid = plain;
  let least = Infinity;
  for (let mask = 0; mask < 8; mask++) {
    const masked = plain.map((row, y) => row.map((dark, x) => (at(fixed, x, y) ? dark : dark !== maskBit(mask, x, y))));
    drawFormat(masked, mask);
    const penalty = penaltyOf(masked);
    if (penalty < least) {
      least = penalty;
      best = masked;
    }
  }
  return { size, modules: best };
}

function blank(size: number): Grid {
  return Array.from({ length: size }, () => Array<boolean>(size).fill(false));
}

function at(grid: Grid, x: number, y: number): boolean {
  return grid[y]?.[x] ?? false;
}

function put(grid: Grid, x: number, y: number, dark: boolean): void {
  const row = grid[y];
  if (row !== undefined && x >= 0 && x < row.length) row[x] = dark;
}

/** Mode, length and bytes, then the fillers the standard names. */
function dataWords(bytes: Uint8Array, version: number, lengthBits: number): number[] {
  const bits: number[] = [];
  const write = (value: number, length: number) => {
    for (let bit = length - 1; bit >= 0; bit--) bits.push((value >> bit) & 1);
  };
  write(0b0100, 4);
  write(bytes.length, lengthBits);
  for (const byte of bytes) write(byte, 8);
  const room = wordsOf(version).data;
  write(0, Math.min(4, room * 8 - bits.length));
  while (bits.length % 8 !== 0) bits.push(0);
  const words: number[] = [];
  for (let from = 0; from < bits.length; from += 8) words.push(bits.slice(from, from + 8).reduce((word, bit) => word * 2 + bit, 0));
  for (let filler = 0; words.length < room; filler++) words.push(filler % 2 === 0 ? 0xec : 0x11);
  return words;
}

/** Blocks with their error correction, word by word in turn. Later blocks may be one word longer. */
function interleaved(version: number, data: readonly number[]): number[] {
  const { all, correction, blocks } = wordsOf(version);
  const shortBlocks = blocks - (all % blocks);
  const shortData = Math.floor(all / blocks) - correction;
  const generator = generatorOf(correction);
  const dataBlocks: (readonly number[])[] = [];
  let from = 0;
  for (let block = 0; block < blocks; block++) {
    const length = shortData + (block < shortBlocks ? 0 : 1);
    dataBlocks.push(data.slice(from, from + length));
    from += length;
  }
  const checks = dataBlocks.map((block) => remainder(block, generator));
  const words: number[] = [];
  for (let word = 0; word <= shortData; word++) for (const block of dataBlocks) if (word < block.length) words.push(block[word] ?? 0);
  for (let word = 0; word < correction; word++) for (const block of checks) words.push(block[word] ?? 0);
  return words;
}

/** In the field of 256 with the standard's polynomial. */
export function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d);
    if (((b >>> bit) & 1) === 1) product ^= a;
  }
  return product & 0xff;
}

/** The Reed-Solomon generator of a degree, without its leading one. */
function generatorOf(degree: number): number[] {
  const generator = Array<number>(degree).fill(0);
  generator[degree - 1] = 1;
  let root = 1;
  for (let step = 0; step < degree; step++) {
    for (let place = 0; place < degree; place++) generator[place] = multiply(generator[place] ?? 0, root) ^ (generator[place + 1] ?? 0);
    root = multiply(root, 2);
  }
  return generator;
}

function remainder(data: readonly number[], generator: readonly number[]): number[] {
  const rest = generator.map(() => 0);
  for (const word of data) {
    const factor = word ^ (rest.shift() ?? 0);
    rest.push(0);
    generator.forEach((coefficient, place) => (rest[place] = (rest[place] ?? 0) ^ multiply(coefficient, factor)));
  }
  return rest;
}

function drawPatterns(grid: Grid, fixed: Grid, version: number): void {
  const size = grid.length;
  const draw = (x: number, y: number, dark: boolean) => {
    put(grid, x, y, dark);
    put(fixed, x, y, true);
  };
  for (let place = 0; place < size; place++) {
    draw(6, place, place % 2 === 0);
    draw(place, 6, place % 2 === 0);
  }
  for (const [cx, cy] of [
    [3, 3],
    [size - 4, 3],
    [3, size - 4],
  ] as const) {
    for (let dy = -4; dy <= 4; dy++) {
      for (let dx = -4; dx <= 4; dx++) {
        const ring = Math.max(Math.abs(dx), Math.abs(dy));
        if (cx + dx >= 0 && cy + dy >= 0 && cx + dx < size && cy + dy < size) draw(cx + dx, cy + dy, ring !== 2 && ring !== 4);
      }
    }
  }
  const centres = alignmentOf(version);
  centres.forEach((cx, i) => {
    centres.forEach((cy, j) => {
      const last = centres.length - 1;
      // Where a finder stands already.
      if ((i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0)) return;
      for (let dy = -2; dy <= 2; dy++) for (let dx = -2; dx <= 2; dx++) draw(cx + dx, cy + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
    });
  });
  // Room for the format; its bits come with the mask.
  for (let place = 0; place < 9; place++) {
    put(fixed, 8, place, true);
    put(fixed, place, 8, true);
  }
  for (let place = 0; place < 8; place++) {
    put(fixed, size - 1 - place, 8, true);
    put(fixed, 8, size - 1 - place, true);
  }
  draw(8, size - 8, true);
  if (version >= 7) {
    const bits = (version << 12) | checkBits(version, 12, 0x1f25);
    for (let bit = 0; bit < 18; bit++) {
      const [near, far] = [Math.floor(bit / 3), size - 11 + (bit % 3)];
      draw(far, near, ((bits >>> bit) & 1) === 1);
      draw(near, far, ((bits >>> bit) & 1) === 1);
    }
  }
}

function alignmentOf(version: number): number[] {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const last = 4 * version + 10;
  const step = Math.ceil((last - 6) / (2 * count - 2)) * 2;
  const centres = Array.from({ length: count - 1 }, (_, place) => last - place * step);
  return [6, ...centres.reverse()];
}

/** The remainder of a value shifted by `length`, divided by a generator of that degree. */
function checkBits(value: number, length: number, generator: number): number {
  let rest = value;
  for (let bit = 0; bit < length; bit++) rest = (rest << 1) ^ ((rest >>> (length - 1)) * generator);
  return rest;
}

function drawFormat(grid: Grid, mask: number): void {
  const size = grid.length;
  const value = (levelBits << 3) | mask;
  const bits = ((value << 10) | checkBits(value, 10, 0x537)) ^ 0x5412;
  const bit = (place: number) => ((bits >>> place) & 1) === 1;
  for (let place = 0; place < 6; place++) put(grid, 8, place, bit(place));
  put(grid, 8, 7, bit(6));
  put(grid, 8, 8, bit(7));
  put(grid, 7, 8, bit(8));
  for (let place = 9; place < 15; place++) put(grid, 14 - place, 8, bit(place));
  for (let place = 0; place < 8; place++) put(grid, size - 1 - place, 8, bit(place));
  for (let place = 8; place < 15; place++) put(grid, 8, size - 15 + place, bit(place));
}

/** Upwards and downwards in pairs of columns, from the right, around what is fixed. */
function drawWords(grid: Grid, fixed: Grid, words: readonly number[]): void {
  const size = grid.length;
  let bit = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step++) {
      for (const x of [right, right - 1]) {
        const upwards = ((right + 1) & 2) === 0;
        const y = upwards ? size - 1 - step : step;
        if (at(fixed, x, y) || bit >= words.length * 8) continue;
        put(grid, x, y, (((words[bit >>> 3] ?? 0) >>> (7 - (bit & 7))) & 1) === 1);
        bit += 1;
      }
    }
  }
}

function maskBit(mask: number, x: number, y: number): boolean {
  switch (mask) {
    case 0:
      return (x + y) % 2 === 0;
    case 1:
      return y % 2 === 0;
    case 2:
      return x % 3 === 0;
    case 3:
      return (x + y) % 3 === 0;
    case 4:
      return (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0;
    case 5:
      return ((x * y) % 2) + ((x * y) % 3) === 0;
    case 6:
      return (((x * y) % 2) + ((x * y) % 3)) % 2 === 0;
    default:
      return (((x + y) % 2) + ((x * y) % 3)) % 2 === 0;
  }
}

/** How hard a code is to read: long runs, blocks, what looks like a finder, too much of one colour. */
function penaltyOf(grid: Grid): number {
  const size = grid.length;
  let penalty = 0;
  let dark = 0;
  for (const line of [...grid, ...grid.map((_, x) => grid.map((row) => row[x] ?? false))]) {
    let run = 0;
    line.forEach((module, place) => {
      run = place > 0 && module === line[place - 1] ? run + 1 : 1;
      if (run === 5) penalty += 3;
      else if (run > 5) penalty += 1;
    });
    const text = line.map((module) => (module ? "1" : "0")).join("");
    for (const finder of ["10111010000", "00001011101"]) for (let from = text.indexOf(finder); from >= 0; from = text.indexOf(finder, from + 1)) penalty += 40;
  }
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const module = at(grid, x, y);
      if (module) dark += 1;
      if (x + 1 < size && y + 1 < size && module === at(grid, x + 1, y) && module === at(grid, x, y + 1) && module === at(grid, x + 1, y + 1)) penalty += 3;
    }
  }
  return penalty + Math.floor(Math.abs((dark / (size * size)) * 20 - 10)) * 10;
}

/** The dark modules as one path of a drawing whose unit is a module. */
export function qrPath(code: QrCode): string {
  const parts: string[] = [];
  code.modules.forEach((row, y) => {
    for (let x = 0; x < row.length; x++) {
      if (row[x] !== true) continue;
      let end = x;
      while (row[end + 1] === true) end += 1;
      parts.push(`M${x} ${y}h${end - x + 1}v1h-${end - x + 1}z`);
      x = end;
    }
  });
  return parts.join("");
}
