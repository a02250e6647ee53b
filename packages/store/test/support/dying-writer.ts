// Makes one save and one backup, and is killed by the kernel right before file system call `n`.
import { openStoreWith } from "../../src/open-store.ts";
import { print } from "./print.ts";
import { sampleState, sequenceOf } from "./sample-state.ts";
import { watchFileSystem } from "./watched-file-system.ts";

const [directory = "", killAt = ""] = process.argv.slice(2);
const fileSystem = watchFileSystem(({ number, name }) => {
  if (number !== Number(killAt)) return;
  print(`killed before ${name}`);
  process.kill(process.pid, "SIGKILL");
});
const { store, state } = await openStoreWith(
  { directory, createInitial: () => sampleState(0) },
  { fileSystem },
);
const next = sequenceOf(state) + 1;
await store.save(() => sampleState(next));
print(`saved ${next}`);
await store.backup();
await store.close();
print("closed");
