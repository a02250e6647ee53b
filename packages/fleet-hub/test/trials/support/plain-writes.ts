import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { LoopDisk } from "test-support/loop-disk";
import { startNatsServer } from "test-support/nats";

/** Of each message, bytes. */
const SIZE = 200;
const AT_ONCE = 8;

/**
 * A server of no fleet on a disk of its own takes writes until the power is cut: what a plain client loses.
 *
 * @param syncInterval `always`; `undefined`: the server's own, 2 minutes
 */
export async function plainWrites(
  forMs: number,
  syncInterval: string | undefined,
): Promise<{ readonly acknowledged: number; readonly lost: number }> {
  const disk = await LoopDisk.make(64);
  const sync = syncInterval === undefined ? "" : `sync_interval: ${syncInterval}`;
  const engine = await startNatsServer(
    ({ name, listen }) =>
      `server_name: ${name}\nlisten: "${listen}"\njetstream { store_dir: "${disk.folder}"\n ${sync} }`,
  );
  const open = () => connect({ servers: engine.url, reconnect: false, noAsyncTraces: true });
  try {
    const before = await open();
    const manager = await jetstreamManager(before);
    await manager.streams.add({ name: "plain", subjects: ["plain"], num_replicas: 1 });
    const client = jetstream(before);
    const taken = new Set<number>();
    const until = performance.now() + forMs;
    const write = async () => {
      while (performance.now() < until) {
        taken.add((await client.publish("plain", new Uint8Array(SIZE))).seq);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, write));
    await engine.kill();
    await disk.cutPower();
    await engine.restart();
    const after = await open();
    const there = await (await jetstreamManager(after)).streams.info("plain").then(
      ({ state }) => state.last_seq,
      () => 0,
    );
    await after.close();
    return { acknowledged: taken.size, lost: [...taken].filter((seq) => seq > there).length };
  } finally {
    await engine.close();
    await disk.close();
  }
}
