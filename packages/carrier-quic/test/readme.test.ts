import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const folder = fileURLToPath(new URL("..", import.meta.url));

test("the README's example prints what it says, with the built package", async () => {
  const readme = await readFile(`${folder}README.md`, "utf8");
  const [, example = ""] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
  const [, printed = ""] = /```text\n([\s\S]*?)```/.exec(readme) ?? [];
  // From its own folder the package finds itself by name, as a program finds it that has installed it.
  const here = example.replace("import.meta.url", JSON.stringify(`file://${folder}package.json`));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", here],
    { cwd: folder },
  );
  expect(stdout).toBe(printed);
});
