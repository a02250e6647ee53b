import type { Path } from "./find-paths.ts";

/** A box of the drawing; `at` is the middle of its height, px. */
export interface Box {
  readonly key: string;
  readonly column: 0 | 1 | 2 | 3;
  readonly at: number;
  readonly height: number;
  readonly path: Path | undefined;
  readonly text: string;
}

/** A line between two boxes. */
export interface Line {
  readonly key: string;
  readonly from: readonly [column: number, at: number];
  readonly to: readonly [column: number, at: number];
  readonly path: Path;
}

/** All of a drawing. */
export interface Layout {
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
  readonly height: number;
}

const STEP = 58;
const BOX = 42;
const TOP = 12;

/**
 * Places the paths one under the other. Targets that several go to are one box, beside the middle of
 * its paths, moved down where there is no room.
 */
export function layOut(paths: readonly Path[]): Layout {
  const boxes: Box[] = [];
  const lines: Line[] = [];
  const middle = (index: number): number => TOP + index * STEP + BOX / 2;
  const wanted = new Map<string, number[]>();
  for (const [index, path] of paths.entries()) {
    for (const target of path.targets.length === 0 ? [`? ${path.id}`] : path.targets) {
      const places = wanted.get(target);
      if (places === undefined) wanted.set(target, [middle(index)]);
      else places.push(middle(index));
    }
  }
  const places = new Map<string, number>();
  let free = TOP + BOX / 2;
  const mean = (all: readonly number[]): number =>
    all.reduce((sum, each) => sum + each, 0) / all.length;
  for (const [target, at] of [...wanted].sort(([, one], [, other]) => mean(one) - mean(other))) {
    const place = Math.max(free, mean(at));
    places.set(target, place);
    free = place + BOX + 8;
  }
  const height = Math.max(free, middle(paths.length - 1) + BOX / 2) + TOP;
  boxes.push({
    key: "users",
    column: 0,
    at: middle((paths.length - 1) / 2),
    height: BOX,
    path: undefined,
    text: "",
  });
  for (const [index, path] of paths.entries()) {
    const at = middle(index);
    const users = middle((paths.length - 1) / 2);
    boxes.push({
      key: `entry ${path.id}`,
      column: 1,
      at,
      height: BOX,
      path,
      text: path.entry.address,
    });
    lines.push({ key: `users ${path.id}`, from: [0, users], to: [1, at], path });
    if (path.exit !== undefined) {
      boxes.push({
        key: `exit ${path.id}`,
        column: 2,
        at,
        height: BOX,
        path,
        text: path.exit.address,
      });
      lines.push({ key: `tunnel ${path.id}`, from: [1, at], to: [2, at], path });
    }
    const from = path.exit === undefined ? 1 : 2;
    for (const target of path.targets.length === 0 ? [`? ${path.id}`] : path.targets) {
      const to = places.get(target) ?? at;
      lines.push({ key: `${target} ${path.id}`, from: [from, at], to: [3, to], path });
    }
  }
  for (const [target, at] of places) {
    const text = target.startsWith("? ") ? "?" : target;
    boxes.push({ key: `target ${target}`, column: 3, at, height: BOX, path: undefined, text });
  }
  return { boxes, lines, height };
}
