// The 1.14 peer and the pairs that it makes with our nodes are no part of a package.
// @boundaries-ignore a test of another package's suite
import { interopSuite } from "../../tunnel-core/test/support/interop-suite.ts";
import { quicStack } from "./support/quic-stack.ts";

/** An address of this file alone: QUIC binds UDP on the port that TCP has got. */
const tunnelHost = `127.${64 + ((process.pid >> 8) & 0x3f)}.${process.pid & 0xff}.11`;
const carriers = { 1: new URL("../src/index.ts", import.meta.url).href };
const peer = { quic: quicStack };

// QUIC is never without TLS, and with tls=2 no two 1.14 nodes meet over it.
interopSuite(
  (["server", "client"] as const).flatMap((ours) =>
    (["-", "+"] as const).map((flow) => ({
      ...({ type: 1, tls: 1, ours, flow, tunnelHost, carriers } as const),
      server: peer,
      client: peer,
    })),
  ),
);
