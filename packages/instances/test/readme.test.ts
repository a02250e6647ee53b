import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const folder = fileURLToPath(new URL("..", import.meta.url));

it("README.md's example prints what it says, with the built package", async () => {
  const readme = await readFile(`${folder}README.md`, "utf8");
  const block = (language: string): string => {
    const [, rest = ""] = readme.split(`\`\`\`${language}\n`);
    return rest.split("```")[0] ?? "";
  };
  // Its directory is told and removed; the rest is as printed.
  const example = `${block("js")}console.error(directory);`;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", example],
    { cwd: folder },
  );
  await rm(stderr.trim(), { recursive: true });
  expect(stdout).toBe(block("text"));
});
