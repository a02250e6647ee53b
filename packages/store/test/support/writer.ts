// Saves to several directories as fast as it can until it is killed. Prints what it loaded and each
// save that is durable, with the number of the directory.
import { openStore } from "../../src/open-store.ts";
import { print } from "./print.ts";
import { sampleState, sequenceOf } from "./sample-state.ts";

async function write(directory: string, number: number): Promise<void> {
  const { store, state, recovered } = await openStore({
    directory,
    createInitial: () => sampleState(0, 20),
  });
  let sequence = sequenceOf(state);
  print(`${number} loaded ${sequence} ${recovered === undefined ? "whole" : "recovered"}`);
  for (;;) {
    const next = ++sequence;
    await store.save(() => sampleState(next, 20 + (next % 50)));
    print(`${number} saved ${next}`);
    if (next % 7 === 0) await store.backup();
  }
}

await Promise.all(process.argv.slice(2).map(write));
