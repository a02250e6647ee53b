import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { namespacesMissing, runInNamespace } from "./support/in-namespace.ts";

const missing = namespacesMissing();
const skipped = missing === undefined ? "" : ` (skipped: no namespaces here: ${missing})`;

test.skipIf(missing !== undefined)(
  `a wildcard UDP entry answers from the address that was asked${skipped}`,
  async () => {
    const outcome = {
      given: { loopback: true, second: true, other: true, unlisted: true, six: true },
      udps: 5,
      udprx: 5,
      udpDropped: 0,
      appeared: true,
      // The session of the address that vanished has ended, too.
      gone: 5,
      again: true,
      taken: "ADDRESS_IN_USE",
    };
    const setup =
      "ip addr add 127.0.0.9/32 dev lo && ip addr add 10.77.0.1/32 dev lo && ip -6 addr add fd77::1/128 dev lo nodad";
    expect(await runInNamespace("many-addresses.ts", setup)).toEqual({
      single: outcome,
      reverse: outcome,
    });
  },
);

test.skipIf(missing !== undefined)(
  `a name in the system's hosts file that moved is found again${skipped}`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "hosts-"));
    try {
      const hosts = join(folder, "hosts");
      await writeFile(hosts, "127.0.0.1 localhost\n127.0.6.1 moving.test\n");
      const setup = `mount --bind ${hosts} /etc/hosts`;
      expect(await runInNamespace("moving-name.ts", setup)).toEqual({
        before: { tcp: true, udp: true, tunnel: true },
        after: { tcp: true, udp: true, tunnel: true },
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
