// Run where large files cannot be written: saves a small, a large and again a small state.
import { readdirSync } from "node:fs";
import { openStore } from "../../src/open-store.ts";
import { StoreError, systemCode } from "../../src/store-error.ts";
import { print } from "./print.ts";
import { sampleState } from "./sample-state.ts";

const [directory = ""] = process.argv.slice(2);
const { store } = await openStore({ directory, createInitial: () => sampleState(1) });
await store.save(() => sampleState(2));
try {
  await store.save(() => sampleState(3, 1000));
  print("large saved");
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  print(`large ${error.code} ${systemCode(error)} ${store.failure?.code}`);
}
const litter = readdirSync(directory).filter((name) => name.endsWith(".tmp"));
print(`litter ${litter.length}`);
process.stdin.resume();
await new Promise((resolve) => process.stdin.once("end", resolve));
await store.save(() => sampleState(4));
print(`small ${store.failure === undefined ? "saved" : "failed"}`);
await store.close();
