import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogRecord, Tunnel } from "@nodepass/tunnel-core";
import { generate } from "selfsigned";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { expectNoSockets } from "../support/no-leaks.ts";
import { type ScriptedTarget, startScriptedTarget } from "../support/scripted-target.ts";
import { entryOf, eventually, openEnd, tunnelPort } from "../support/tunnel-pair.ts";
import { echo, endUsers } from "../support/users.ts";
import { expectLogged } from "./support/log-search.ts";

const KEY = "correct-horse-battery";
const NAME = "nodepass.test";
const EC = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;
const DNS = 2;
const IP = 7;

interface Issuer {
  readonly cert: string;
  readonly private: string;
}

let target: ScriptedTarget;
let trusted: Issuer;
let foreign: Issuer;
let opened: Tunnel[] = [];
const folder = mkdtempSync(join(tmpdir(), "nodepass-"));

beforeAll(async () => {
  target = await startScriptedTarget();
  [trusted, foreign] = await Promise.all([makeIssuer("One"), makeIssuer("Another")]);
});

afterEach(async () => {
  endUsers();
  for (const tunnel of opened.reverse()) await tunnel.close({ timeoutMs: 0 });
  opened = [];
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await target.close();
  await expectNoSockets();
});

async function makeIssuer(name: string): Promise<Issuer> {
  return generate([{ name: "commonName", value: `${name} authority` }], {
    ...EC,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
}

interface Shown {
  readonly issuer: "trusted" | "foreign" | "none";
  readonly name: { readonly type: typeof DNS; value: string } | { type: typeof IP; ip: string };
  readonly notAfterDate?: Date;
  readonly notBeforeDate?: Date;
}

/** A server with `tls=2` that shows such a certificate, and a client that trusts one authority. */
async function meet(shown: Shown, sni: string) {
  const { issuer, name, ...dates } = shown;
  const by = issuer === "none" ? undefined : issuer === "trusted" ? trusted : foreign;
  const leaf = await generate([{ name: "commonName", value: NAME }], {
    ...EC,
    ...dates,
    ...(by !== undefined && { ca: { key: by.private, cert: by.cert } }),
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "subjectAltName", altNames: [name] },
    ],
  });
  const [crt, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  writeFileSync(crt, leaf.cert);
  writeFileSync(key, leaf.private);
  const files = `crt=${encodeURIComponent(crt)}&key=${encodeURIComponent(key)}`;
  const server = await openEnd(`server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1&tls=2&${files}`);
  opened.push(server);
  const logs: LogRecord[] = [];
  const at = `client://${KEY}@127.0.0.1:${tunnelPort(server)}/${target.at}?mode=2&${sni}`;
  const client = await openEnd(at, logs, { ca: trusted.cert });
  opened.push(client);
  return { server, client, logs };
}

const right = { type: DNS, value: NAME } as const;
const past = { notBeforeDate: new Date("2020-01-01"), notAfterDate: new Date("2020-02-01") };

describe("with tls=2 a client joins", () => {
  test.each<[string, Shown, string]>([
    ["whose name is the one it asks for", { issuer: "trusted", name: right }, `sni=${NAME}`],
    [
      "for the address that it dials",
      { issuer: "trusted", name: { type: IP, ip: "127.0.0.1" } },
      "",
    ],
  ])("a server with a trusted certificate %s", async (_what, shown, sni) => {
    const { server, client } = await meet(shown, sni);
    await client.ready();
    expect(String(await echo(entryOf(server), Buffer.from("x")))).toBe("x");
  });
});

describe("with tls=2 a client refuses, though the handshake is proved, a certificate", () => {
  test.each<[string, Shown, string, RegExp]>([
    [
      "of an authority that it does not trust",
      { issuer: "foreign", name: right },
      `sni=${NAME}`,
      /unable to verify|issuer/,
    ],
    ["that signs itself", { issuer: "none", name: right }, `sni=${NAME}`, /self.signed|verify/],
    [
      "for another name",
      { issuer: "trusted", name: { type: DNS, value: "other.test" } },
      `sni=${NAME}`,
      /does not match/,
    ],
    [
      "for localhost when it dials an address",
      { issuer: "trusted", name: { type: DNS, value: "localhost" } },
      "",
      /does not match/,
    ],
    ["that has expired", { issuer: "trusted", name: right, ...past }, `sni=${NAME}`, /expired/],
  ])("%s", async (_what, shown, sni, why) => {
    const { server, client, logs } = await meet(shown, sni);
    await expectLogged(logs, why);
    await eventually(() => expect(client.state).toBe("error"));
    expect(client.reason).toMatch(why);
    expect(server.counters().pool).toBe(0);
  });
});
