import { afterEach, describe, expect, test, vi } from "vitest";
import { exchangeTcp } from "./peer-114/index.ts";
import { type InteropPair, startPair } from "./support/interop-pair.ts";

let pair: InteropPair | undefined;

afterEach(async () => {
  await pair?.close();
  pair = undefined;
});

/** Ends of ours that take users, and so wait for the peer's `verify`. */
const ENTRIES = [
  { ours: "server", flow: "-", tls: 1 },
  { ours: "server", flow: "-", tls: 2 },
  { ours: "client", flow: "+", tls: 1 },
] as const;
const CLOSES = ["before", "with", "after"] as const;

describe.each(ENTRIES)("our $ours as the entry, tls $tls", ({ ours, flow, tls }) => {
  // Twelve starts: a race that is lost now and then has to be lost here.
  test.each(CLOSES)("serves when the peer closes %s its verify", async (verifyClose) => {
    for (let start = 0; start < 4; start++) {
      const timings = { verifyClose, reportIntervalMs: 150 };
      pair = await startPair({
        ours,
        flow,
        tls,
        trusted: true,
        server: { timings },
        client: { timings },
      });
      await pair.ready();
      const answer = await exchangeTcp(pair.entry(), Buffer.from("hello"), 5);
      expect(String(answer)).toBe("hello");
      expect(pair.peer.sessions).toBe(1);
      expect(pair.peer.violations).toEqual([]);
      await pair.close();
      pair = undefined;
    }
  });
});

const UNANSWERED = [
  ["names no connection of the session", "names an unknown pool connection, 0badcafe"],
  ["never comes", "no verify came from the peer in 4 of its report intervals"],
] as const;

// What they wait for passes for all of them at once.
test.concurrent.for(
  ENTRIES.flatMap((entry) => UNANSWERED.map(([what, reason]) => ({ ...entry, what, reason }))),
)(
  "our $ours as the entry, tls $tls, shakes hands again when the verify $what",
  async ({ ours, flow, tls, what, reason }, { onTestFinished }) => {
    const timings = { verifyClose: "never", reportIntervalMs: 400 } as const;
    const more = { server: { timings }, client: { timings } };
    const own = await startPair({ ours, flow, tls, trusted: true, ...more });
    onTestFinished(() => own.close());
    const { peer, logs } = own;
    await new Promise((resolve) => peer.once("session", () => resolve(undefined)));
    const lost = new Promise((resolve) => peer.once("lost", resolve));
    const again = lost.then(() => new Promise((resolve) => peer.once("session", () => resolve(0))));
    if (what !== "never comes") {
      const fp = `sha256:${"AB:".repeat(31)}AB`;
      peer.sendSignal({ action: "verify", id: "0badcafe", fp });
    }
    await again;
    // On a busy machine a session may end for another reason first; each one lacks its verify.
    await vi.waitFor(() => expect(JSON.stringify(logs)).toContain(reason), {
      timeout: 30_000,
    });
  },
);
