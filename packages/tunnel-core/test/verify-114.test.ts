import { afterEach, describe, expect, test } from "vitest";
import { exchangeTcp } from "./peer-114/index.ts";
import { type InteropPair, startPair } from "./support/interop-pair.ts";
import { expectNoSockets } from "./support/no-leaks.ts";

let pair: InteropPair | undefined;

afterEach(async () => {
  await pair?.close();
  pair = undefined;
  await expectNoSockets();
});

// A 1.14 node closes the connection that its `verify` names itself. Where our pool had forgotten it
// when the line came, our entry never took users, and said nothing.
describe.each([
  { ours: "server", flow: "-", tls: 1 },
  { ours: "server", flow: "-", tls: 2 },
  { ours: "client", flow: "+", tls: 1 },
  // Here we are the exit: the same round, which nobody waits for.
  { ours: "server", flow: "+", tls: 1 },
  { ours: "client", flow: "-", tls: 1 },
] as const)(
  "our $ours, flow $flow, tls $tls, and a peer that closes what it verifies",
  (options) => {
    test.each(["before", "with", "after"] as const)(
      "%s the line, serves",
      async (closesVerified) => {
        pair = await startPair({ ...options, trusted: true, closesVerified });
        await pair.ready();
        for (let count = 0; count < 5; count++) {
          const payload = Buffer.from(`request ${count}`);
          expect(await exchangeTcp(pair.entry(), payload, payload.length)).toEqual(payload);
        }
        const unknown = pair.logs.filter(({ message }) => /unknown pool connection/.test(message));
        expect(unknown).toEqual([]);
      },
    );
  },
);
