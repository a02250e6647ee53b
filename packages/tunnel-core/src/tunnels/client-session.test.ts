import { type ClientSettings, parseTunnelUrl } from "@nodepass/url-config";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeCarrier } from "../../test/support/fake-carrier.ts";
import { contextFor } from "../../test/support/memory-context.ts";
import type { Carrier } from "../carrier/carrier.ts";
import type { NameCache } from "../names/name-cache.ts";
import type { Route } from "../proxy/route.ts";
import { ClientSession } from "./client-session.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const SERVER = "client://key@server.test:1/127.0.0.1:2?mode=2";

/** A session whose first pool connection is in the making. */
function setUp(query = "") {
  const settings = parseTunnelUrl(`${SERVER}${query}`) as ClientSettings;
  const failed: string[] = [];
  const names = { failed: (host: string) => failed.push(host) } as unknown as NameCache;
  const fake = new FakeCarrier();
  const carrier = { type: 0, dial: () => fake } as unknown as Carrier;
  const through = settings.via === "env" ? undefined : settings.via;
  const route: Route = {
    address: "127.0.0.1",
    port: 1,
    proxy: through && { through, to: settings.tunnel },
  };
  const onEnd = vi.fn();
  const session = new ClientSession({
    context: { ...contextFor(SERVER), names },
    settings,
    server: settings.tunnel,
    met: { proved: false, answer: { flow: "-", max: 8, tls: 0, type: 0 } },
    route,
    serverName: undefined,
    ca: undefined,
    carrier,
    owner: { exit: undefined, onReady: () => {}, onAvailable: () => {}, onEnd },
  });
  session.start();
  return { session, fake, failed, onEnd };
}

const system = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

test.each([
  ["the server", "", "server.test"],
  ["the proxy on the way", "&via=socks5%3A%2F%2Fproxy.test%3A1080", "proxy.test"],
])("%s is looked up again when it can't be reached", (_whose, query, host) => {
  const { session, fake, failed } = setUp(query);
  fake.fail(0, system("ECONNREFUSED"));
  expect(failed).toEqual([host]);
  session.retire("test");
});

test("nobody is when this host can open no more", () => {
  const { session, fake, failed } = setUp();
  fake.fail(0, system("EMFILE"));
  expect(failed).toEqual([]);
  session.retire("test");
});

test("nobody is for a connection in the making when the session ends", () => {
  const { session, failed, onEnd } = setUp();
  session.session.end("test");
  expect(onEnd).toHaveBeenCalledOnce();
  expect(failed).toEqual([]);
});
