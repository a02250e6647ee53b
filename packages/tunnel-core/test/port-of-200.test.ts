import { Agent, request } from "node:http";
import { type Tunnel, TunnelPorts } from "@nodepass/tunnel-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  clientProof,
  keyId,
  newClientId,
  newNonce,
  ProofKeys,
  stretchTunnelKey,
} from "../src/wire/proof.ts";
import {
  openingHeaders,
  parseChallenge,
  parseSalt,
  proofHeaders,
} from "../src/wire/proof-headers.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { eventually, openEnd } from "./support/tunnel-pair.ts";

/** Of this file alone: many tunnels on one address, and one alone on another. */
const HOSTS = { many: "127.61.3.5", alone: "127.61.3.6" };
const PORT = 10_101;
const TUNNELS = 200;
const ROUNDS = 60;

let ends: Tunnel[] = [];

beforeEach(() => {
  ends = [];
});

afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end.close({ timeoutMs: 0 })));
  await expectNoSockets();
});

/** How a stranger tries: as a client of this release, of the first one, or of NodePass 1.14. */
type Stranger = "key id" | "no key id" | "token";

interface Answer {
  readonly status: number | undefined;
  readonly headers: Record<string, string | string[] | undefined>;
}

/** A wrong key. @returns how long the last answer, the refusal, took, ms */
async function refused(host: string, how: Stranger, keys: ProofKeys): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const get = (headers: Record<string, string>): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const asked = request({ host, port: PORT, agent, headers: { Host: "none", ...headers } });
      asked.on("error", reject).on("response", (response) => {
        response.resume().on("end", () => {
          resolve({ status: response.statusCode, headers: response.headers });
        });
      });
      asked.end();
    });
  try {
    const clientNonce = newNonce();
    const opening = await get(openingHeaders(clientNonce));
    const serverNonce = parseChallenge(String(opening.headers["www-authenticate"]));
    if (serverNonce === undefined) throw new Error("no challenge");
    const salt = parseSalt(opening.headers);
    const said = { method: "GET", path: "/", host: "none", clientNonce, serverNonce };
    const client = newClientId();
    const proof = clientProof(keys, { ...said, client, extensions: [] });
    const id = how === "key id" && salt !== undefined ? keyId(keys, salt) : undefined;
    const headers =
      how === "token"
        ? { Authorization: `Bearer ${"0".repeat(64)}` }
        : proofHeaders({ clientNonce, client, extensions: [], proof, keyId: id });
    const startedAt = performance.now();
    const { status } = await get(headers);
    const took = performance.now() - startedAt;
    expect(status).toBe(401);
    return took;
  } finally {
    agent.destroy();
  }
}

const median = (values: number[]): number =>
  values.sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

test(`a stranger's wrong key costs the same on a port of ${TUNNELS} tunnels as on a port of one`, {
  timeout: 240_000,
}, async () => {
  const ports = new TunnelPorts();
  const key = (which: number) => `key-number-${which}-of-the-port`;
  const server = (host: string, which: number) =>
    openEnd(`server://${key(which)}@${host}:${PORT}/${host}:1?mode=2`, [], { ports });
  const startedAt = performance.now();
  ends.push(await server(HOSTS.alone, 0));
  const many = await Promise.all(Array.from({ length: TUNNELS }, (_, n) => server(HOSTS.many, n)));
  ends.push(...many);
  const opened = performance.now() - startedAt;
  const keys = new ProofKeys(await stretchTunnelKey("a key of nobody here"));
  const lines: string[] = [];
  for (const how of ["key id", "no key id", "token"] as const) {
    const times = { many: [] as number[], alone: [] as number[] };
    // In turn, so that both meet the same noise; the first ones warm up.
    for (let round = 0; round < ROUNDS; round++) {
      for (const where of ["many", "alone"] as const) {
        const took = await refused(HOSTS[where], how, keys);
        if (round >= ROUNDS / 6) times[where].push(took);
      }
    }
    const ratio = median(times.many) / median(times.alone);
    lines.push(
      `${how}: ${median(times.alone).toFixed(3)} ms with 1, ` +
        `${median(times.many).toFixed(3)} ms with ${TUNNELS} (${ratio.toFixed(2)})`,
    );
    expect(ratio).toBeLessThan(2);
  }
  console.info(
    `port of ${TUNNELS}: opened in ${Math.round(opened)} ms; wrong key refused, ${lines.join("; ")}`,
  );
  // Each of them is to be had by its own key, the last as the first.
  for (const which of [0, TUNNELS - 1]) {
    const at = `client://${key(which)}@${HOSTS.many}:${PORT}/${HOSTS.many}:0?mode=2&min=2`;
    const client = await openEnd(at);
    ends.push(client);
    await client.ready();
    await eventually(() => expect(many[which]?.hasPeer).toBe(true));
  }
});
