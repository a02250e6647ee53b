import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority, issueCertificate } from "@nodepass/tunnel-core";
import { findNatsServer } from "test-support/nats";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { HonestHub } from "./support/honest-hub.ts";
import { startMember, temporaryFolder } from "./support/member.ts";

const WAIT = { timeout: 60_000, interval: 20 };

describe.skipIf(findNatsServer() === undefined)("an engine with a certificate of its own", () => {
  const closers: (() => unknown)[] = [];
  const atEnd: (() => unknown)[] = [];
  let hub: HonestHub;
  let ca: string;
  let ways: readonly (readonly string[])[];

  beforeAll(async () => {
    const folder = temporaryFolder(atEnd);
    const authority = await createAuthority("fleet");
    const { cert, key } = await issueCertificate(authority, { names: ["127.0.0.1"] });
    const files = { certFile: join(folder, "cert"), keyFile: join(folder, "key") };
    writeFileSync(files.certFile, cert);
    writeFileSync(files.keyFile, key);
    ca = authority.cert;
    hub = await HonestHub.start({ ...files, ca });
    ways = [hub.servers, [hub.engine.websocketUrl.replace("ws:", "wss:")]];
  });
  afterAll(async () => {
    await hub.close();
    for (const close of atEnd) await close();
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    hub.ca = ca;
  });

  test.each([0, 1])("is reached by the authority that the join names (way %i)", async (way) => {
    hub.servers = [...(ways[way] ?? [])];
    const member = await startMember(temporaryFolder(closers), { token: hub.token() });
    closers.push(() => member.stop());
    await vi.waitFor(() => expect(member.agent.status().state).toBe("synced"), WAIT);
    expect((await hub.api(member.mid, { path: "/api/info" })).status).toBe(200);
  });

  test.each([0, 1])("is not reached without it, and the log says why (way %i)", async (way) => {
    hub.servers = [...(ways[way] ?? [])];
    hub.ca = "";
    const member = await startMember(temporaryFolder(closers), { token: hub.token() });
    closers.push(() => member.stop());
    await vi.waitFor(() => {
      expect(member.lines.join("\n")).toMatch(/fleet: not connected.*(?:certificate|issuer)/);
    }, WAIT);
    expect(member.agent.status().state).toBe("connecting");
  });
});
