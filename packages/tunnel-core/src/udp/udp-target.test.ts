import { type HostPort, parseTunnelUrl } from "@nodepass/url-config";
import { expect, test } from "vitest";
import { createContext } from "../tunnels/create-context.ts";
import { updateSettings } from "../tunnels/update-settings.ts";
import { UdpTargets } from "./udp-target.ts";

function setUp(target: string) {
  const settings = parseTunnelUrl(`client://127.0.0.1:1/${target}?mode=1`);
  if (settings.scheme !== "client") throw new Error("no client");
  const sink = {
    emitLog: () => {},
    hasLogListener: () => false,
    connectionListener: () => undefined,
  };
  const lookup = () =>
    Promise.resolve([
      { address: "127.0.0.1", family: 4 as const },
      { address: "127.0.0.2", family: 4 as const },
    ]);
  const context = createContext(settings, { lookup }, sink);
  const made = new UdpTargets(context);
  return {
    made,
    update: (targets: HostPort[]) => updateSettings(context, settings, { targets }, false),
    first: async () => {
      for await (const candidate of made.candidates({})) return candidate;
      throw new Error("no candidate");
    },
  };
}

test("keeps datagrams for a next address as soon as there is one", () => {
  const { made, update } = setUp("127.0.0.1:2");
  expect(made.keeps).toBe(false);
  update([
    { host: "127.0.0.1", port: 2 },
    { host: "127.0.0.1", port: 3 },
  ]);
  expect(made.keeps).toBe(true);
  update([{ host: "dual.test", port: 2 }]);
  expect(made.keeps).toBe(true);
  update([{ host: "127.0.0.1", port: 3 }]);
  expect(made.keeps).toBe(false);
});

test("knows the address that served after the targets were set anew, not that of one that has gone", async () => {
  const { made, update, first } = setUp("dual.test:2");
  const { target } = await first();
  made.served({ target, resolved: { address: "127.0.0.2", family: 4 }, last: true });
  expect((await first()).resolved.address).toBe("127.0.0.2");
  update([
    { host: "dual.test", port: 2 },
    { host: "127.0.0.1", port: 3 },
  ]);
  expect(await first()).toMatchObject({ target, resolved: { address: "127.0.0.2" } });
  update([{ host: "other.test", port: 3 }]);
  const other = await first();
  made.served(other);
  update([{ host: "dual.test", port: 2 }]);
  expect((await first()).resolved.address).toBe("127.0.0.1");
});
