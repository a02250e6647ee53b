// Tries to open the store once told to, says how that went and holds it until its input ends.
import { once } from "node:events";
import { openStore } from "../../src/open-store.ts";
import { StoreError } from "../../src/store-error.ts";
import { print } from "./print.ts";
import { sampleState } from "./sample-state.ts";

const [directory = ""] = process.argv.slice(2);
const ended = once(process.stdin, "end");
print("ready");
await once(process.stdin, "data");
try {
  const { store } = await openStore({ directory, createInitial: () => sampleState(1) });
  print(`held ${process.pid}`);
  process.stdin.resume();
  await ended;
  await store.close();
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  print(`failed ${error.code} ${error.holderPid}`);
  process.exit(3);
}
