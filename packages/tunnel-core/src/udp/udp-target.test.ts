import { type HostPort, parseTunnelUrl } from "@nodepass/url-config";
import { beforeEach, expect, test, vi } from "vitest";
import { createContext } from "../tunnels/create-context.ts";
import { updateSettings } from "../tunnels/update-settings.ts";
import { UdpTargets } from "./udp-target.ts";

// Files share a worker, and some of them set the clock.
beforeEach(() => {
  vi.useRealTimers();
});

type Lookup = () => Promise<{ address: string; family: 4 }[]>;

function setUp(target: string, more: { lookup?: Lookup; udpDialTimeoutMs?: number } = {}) {
  const settings = parseTunnelUrl(`client://127.0.0.1:1/${target}?mode=1`);
  if (settings.scheme !== "client") throw new Error("no client");
  const sink = {
    emitLog: () => {},
    hasLogListener: () => false,
    connectionListener: () => undefined,
  };
  const bothAddresses: Lookup = () =>
    Promise.resolve([
      { address: "127.0.0.1", family: 4 },
      { address: "127.0.0.2", family: 4 },
    ]);
  const { lookup = bothAddresses, udpDialTimeoutMs = 5000 } = more;
  const context = createContext(settings, { lookup, limits: { udpDialTimeoutMs } }, sink);
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

const receiver = () => ({ onOpen: vi.fn(), onFailed: vi.fn(), onDatagram: vi.fn() });
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test("a link tells once that an address can be sent to, never inside open", async () => {
  const { made } = setUp("dual.test:2");
  const events = receiver();
  const link = made.open(events);
  expect([events.onOpen.mock.calls.length, link.send(Buffer.from("x"))]).toEqual([0, false]);
  await vi.waitFor(() => expect(events.onOpen).toHaveBeenCalledOnce());
  expect(link.remoteAddress()).toMatchObject({ address: "127.0.0.1", port: 2 });
  expect(made.searches.size).toBe(0);
  link.close();
  await turns();
  expect(events.onFailed).not.toHaveBeenCalled();
  made.close();
});

test("a link that was closed while its name is looked up tells nothing, and leaves nothing", async () => {
  let answer: () => void = () => {};
  const lookup: Lookup = () =>
    new Promise((resolve) => {
      answer = () => resolve([{ address: "127.0.0.1", family: 4 }]);
    });
  const { made } = setUp("slow.test:2", { lookup });
  const events = receiver();
  const sockets = (): number =>
    process.getActiveResourcesInfo().filter((kind) => /^UDP/.test(kind)).length;
  const before = sockets();
  const link = made.open(events);
  expect(made.searches.size).toBe(1);
  link.close();
  answer();
  await turns();
  expect([events.onOpen.mock.calls, events.onFailed.mock.calls]).toEqual([[], []]);
  expect([made.searches.size, sockets()]).toEqual([0, before]);
  made.close();
});

test("a name that is not looked up in time fails the link", async () => {
  const { made } = setUp("never.test:2", {
    lookup: () => new Promise(() => {}),
    udpDialTimeoutMs: 20,
  });
  const events = receiver();
  const link = made.open(events);
  await vi.waitFor(() => expect(events.onFailed).toHaveBeenCalledOnce());
  expect(events.onFailed.mock.calls[0]?.[0]).toMatchObject({
    code: "TARGET_UNREACHABLE",
    message: "udp target unreachable: no address within 20 ms",
  });
  link.close();
  expect(events.onOpen).not.toHaveBeenCalled();
  made.close();
});
