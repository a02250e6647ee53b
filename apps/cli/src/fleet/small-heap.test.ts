import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

const CHURN = `
  import { getHeapSpaceStatistics } from "node:v8";
  let kept = [];
  let most = 0;
  for (let n = 0; n < 500_000; n += 1) {
    kept.push({ n, of: [n] });
    if (kept.length > 20_000) kept = [];
    if (n % 10_000 !== 0) continue;
    const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
    most = Math.max(most, space.space_size);
  }
  console.log(most / 2 ** 20);
`;

/** MiB that new objects had at most. */
function newSpace(before: string): number {
  const argv = ["--input-type=module", "--eval", before + CHURN];
  return Number(execFileSync(process.execPath, argv, { cwd: import.meta.dirname }).toString());
}

test("new objects have little room in a process that is a hub, whatever is dropped", () => {
  const asInTheHub = `import { keepNewSpaceSmall } from "./small-heap.ts"; keepNewSpaceSmall();`;
  expect(newSpace(asInTheHub)).toBeLessThan(6);
  expect(newSpace("")).toBeGreaterThan(8);
});
