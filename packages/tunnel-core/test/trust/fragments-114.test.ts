import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exchangeTcp, openUdpUser, transfer } from "../peer-114/index.ts";
import { eventually, type InteropPair, startPair } from "../support/interop-pair.ts";
import { expectNoSockets } from "../support/no-leaks.ts";
import {
  type FragmentingPath,
  openFragmentingPath,
  type Pace,
} from "./support/fragmenting-path.ts";

/**
 * Long enough for our `verify` to be there before the peer sends its own: who is later may name the
 * same pool connection, and 1.14 then starts again.
 */
const TIMINGS = { reportIntervalMs: 800, minPoolIntervalMs: 5, maxPoolIntervalMs: 50 };

const PACES: { name: string; pace: Pace; bulkBytes: number; tls: readonly (0 | 1)[] }[] = [
  // In TLS a turn for each byte of 16 handshakes would take as long as a session may be silent.
  { name: "single bytes", pace: { cut: 1 }, bulkBytes: 1000, tls: [0] },
  { name: "morsels", pace: { cut: 30 }, bulkBytes: 4000, tls: [1] },
  { name: "pieces", pace: { cut: 65_536 }, bulkBytes: 2_000_000, tls: [0, 1] },
  { name: "heaps", pace: "coalesce", bulkBytes: 2_000_000, tls: [0, 1] },
];

const MATRIX = PACES.flatMap((pace) =>
  (["server", "client"] as const).flatMap((ours) =>
    (["-", "+"] as const).flatMap((flow) => pace.tls.map((tls) => ({ ...pace, ours, flow, tls }))),
  ),
);

afterAll(expectNoSockets);

describe.each(MATRIX)(
  "in $name, our $ours and a 1.14 peer, flow $flow, tls $tls",
  ({ pace, bulkBytes, ours, flow, tls }) => {
    let path: FragmentingPath;
    let pair: InteropPair;

    beforeAll(async () => {
      const between = async (to: number): Promise<number> => {
        path = await openFragmentingPath({ to, pace, seed: 3 });
        return path.port;
      };
      pair = await startPair({
        ours,
        flow,
        tls,
        between,
        server: { timings: TIMINGS },
        client: { timings: TIMINGS },
      });
      await pair.ready();
    });

    afterAll(async () => {
      await pair?.close();
      await path?.close();
    });

    test("carries connections of every size", async () => {
      for (const size of [1, 100, bulkBytes / 2]) {
        const payload = randomBytes(size);
        expect((await exchangeTcp(pair.entry(), payload, size)).equals(payload)).toBe(true);
      }
      const result = await transfer(pair.entry(), bulkBytes);
      expect(result).toEqual({ ...result, received: result.sent, receivedBytes: bulkBytes });
    });

    test("carries connections one after another and at once", async () => {
      const payloads = Array.from({ length: 12 }, (_, at) => randomBytes(1 + 50 * at));
      const exchange = async (payload: Buffer) => {
        const answer = await exchangeTcp(pair.entry(), payload, payload.length);
        expect(answer.equals(payload)).toBe(true);
      };
      for (const payload of payloads.slice(0, 4)) await exchange(payload);
      await Promise.all(payloads.map(exchange));
    });

    // A 1.14 pool connection has no datagram edges: in pieces one would be several.
    if (pace === "coalesce") {
      test("carries datagrams one by one", async () => {
        const user = await openUdpUser(pair.entry());
        for (const size of [1, 1200, 1400]) {
          const payload = randomBytes(size);
          const due = Buffer.concat([Buffer.from("re:"), payload]);
          expect((await user.exchange(payload)).equals(due)).toBe(true);
        }
        user.close();
      });
    }

    test("did nothing that a 1.14 node would not do", async () => {
      const { peer } = pair;
      await eventually(() => expect(peer.counters.openTcps).toBe(0));
      expect(peer.violations).toEqual([]);
      expect(peer.counters).toMatchObject({
        sessions: 1,
        sessionsLost: 0,
        poolTimeouts: 0,
        staleClaims: 0,
        verifyMismatches: 0,
      });
      expect(pair.logs.filter(({ level }) => level === "error")).toEqual([]);
    });
  },
);
