// As a user without privileges: saves while the directory is read-only and after.
import { chmodSync, chownSync } from "node:fs";
import { openStore } from "../../src/open-store.ts";
import { StoreError } from "../../src/store-error.ts";
import { print } from "./print.ts";
import { sampleState } from "./sample-state.ts";

const NOBODY = 65_534;
const [directory = ""] = process.argv.slice(2);
if (process.getuid?.() === 0) {
  chownSync(directory, NOBODY, NOBODY);
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}

async function attempt(name: string, task: () => Promise<unknown>): Promise<void> {
  try {
    await task();
    print(`${name} done`);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    print(`${name} ${error.code}: ${error.message.slice(error.message.indexOf(": ") + 2)}`);
  }
}

const options = { directory, createInitial: () => sampleState(1) };
const { store } = await openStore(options);
chmodSync(directory, 0o500);
await attempt("read-only save", () => store.save(() => sampleState(2)));
await attempt("read-only backup", () => store.backup());
chmodSync(directory, 0o700);
await attempt("writable save", () => store.save(() => sampleState(3)));
await store.close();
chmodSync(directory, 0o500);
await attempt("read-only open", () => openStore(options));
chmodSync(directory, 0o700);
