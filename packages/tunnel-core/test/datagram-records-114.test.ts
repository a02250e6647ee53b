import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { eventually, type InteropPair, startPair } from "./support/interop-pair.ts";

/** As many as a 1.14 pair delivers whole. */
const DATAGRAMS = 160;

let pair: InteropPair | undefined;

afterEach(async () => {
  await pair?.close();
  pair = undefined;
});

/** Datagrams of many sizes, each with its number in front. */
function numbered(): readonly Buffer[] {
  return Array.from({ length: DATAGRAMS }, (_, index) => {
    const datagram = Buffer.alloc(4 + ((index * 37) % 1200), index);
    datagram.writeUInt32BE(index);
    return datagram;
  });
}

const ENDS = (["server", "client"] as const).flatMap((ours) =>
  (["-", "+"] as const).map((flow) => ({ ours, flow, tls: 1 }) as const),
);

// A 1.14 node takes what one read brings for a datagram: over TLS that is one record. Without TLS
// TCP joins what it likes, so only datagrams on their own can be whole (docs/protocol.md).
test.each(ENDS)(
  "datagrams that our $ours sends back to back stay apart, flow $flow",
  async (options) => {
    const weAreEntry = (options.flow === "-") === (options.ours === "server");
    const atTarget: Buffer[] = [];
    const udp = (datagram: Buffer): readonly Buffer[] => {
      atTarget.push(datagram);
      return weAreEntry ? [] : numbered();
    };
    pair = await startPair({ ...options, target: { udp } });
    await pair.ready();
    const user = createSocket("udp4");
    user.connect(pair.entry().port, "127.0.0.1");
    await once(user, "connect");
    const atUser: Buffer[] = [];
    user.on("message", (datagram) => atUser.push(datagram));
    if (weAreEntry) for (const datagram of numbered()) user.send(datagram);
    else user.send("all of them");
    const received = weAreEntry ? atTarget : atUser;
    const due = numbered();
    await eventually(() => {
      expect(received.filter((datagram, index) => due[index]?.equals(datagram))).toHaveLength(
        DATAGRAMS,
      );
    });
    user.close();
  },
);
