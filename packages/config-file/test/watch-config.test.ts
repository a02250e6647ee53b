import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type ConfigWatcher, watchConfig } from "../src/watch-config.ts";

let folder: string;
let watcher: ConfigWatcher | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nodepass-"));
});
afterEach(() => {
  watcher?.close();
  rmSync(folder, { recursive: true });
});

function start(...paths: string[]) {
  const onChange = vi.fn();
  const onError = vi.fn();
  watcher = watchConfig({ paths, onChange, onError, debounceMs: 50 });
  return { onChange, onError };
}

const inFolder = (name: string) => join(folder, name);
const called = (spy: ReturnType<typeof vi.fn>, times: number) =>
  vi.waitFor(() => expect(spy).toHaveBeenCalledTimes(times), { timeout: 10_000 });

test("a file that is written in several steps is one change", async () => {
  const file = inFolder("nodepass.yaml");
  writeFileSync(file, "");
  const { onChange } = start(file);
  for (let step = 0; step < 10; step++) writeFileSync(file, "x".repeat(step));
  await called(onChange, 1);
  writeFileSync(file, "again");
  await called(onChange, 2);
});

test("a file that is replaced by rename is a change each time, and others are not", async () => {
  const file = inFolder("nodepass.yaml");
  writeFileSync(file, "");
  const { onChange } = start(file);
  for (let time = 1; time <= 3; time++) {
    writeFileSync(inFolder("nodepass.yaml.tmp"), String(time));
    renameSync(inFolder("nodepass.yaml.tmp"), file);
    await called(onChange, time);
  }
  writeFileSync(inFolder("other.log"), "busy");
  writeFileSync(file, "the last one");
  await called(onChange, 4);
});

test("a config map whose link is swapped is a change", async () => {
  mkdirSync(inFolder("..one"));
  mkdirSync(inFolder("..two"));
  for (const name of ["..one", "..two"]) writeFileSync(join(folder, name, "a.yaml"), name);
  symlinkSync("..one", inFolder("..data"));
  symlinkSync("..data/a.yaml", inFolder("a.yaml"));
  const { onChange } = start(folder);
  symlinkSync("..two", inFolder("..next"));
  renameSync(inFolder("..next"), inFolder("..data"));
  await called(onChange, 1);
});

test("a folder's new and vanished files are changes", async () => {
  const { onChange } = start(folder);
  writeFileSync(inFolder("a.yaml"), "");
  await called(onChange, 1);
  unlinkSync(inFolder("a.yaml"));
  await called(onChange, 2);
});

test("a folder that is not there is told, not thrown", () => {
  const { onError } = start(inFolder("none/nodepass.yaml"));
  expect(onError).toHaveBeenCalledWith(inFolder("none"), expect.any(Error));
});
