import { OWNER_TAG } from "@nodepass/model";
import { type Service, ServiceSchema } from "@nodepass/model/fleet";
import { expect, test } from "vitest";
import { apply } from "../apply.ts";
import { type PlanOptions, plan } from "../plan.ts";
import { type DesiredService, type ServiceClient, serviceHost } from "./service-host.ts";
import { toDesiredService } from "./to-desired-service.ts";

const [EDGE, HOME, SPARE] = ["e1", "b0", "c7"];
const masters = [
  { mid: EDGE, labels: { site: "edge" }, address: "192.0.2.1" },
  { mid: HOME, labels: { site: "home" }, address: "" },
  { mid: SPARE, labels: { site: "home", fast: "" }, address: "" },
];
const OFF = { failover: "off", ttl: 15, failback: "never" } as const;

/** The same as a hub's refusal. */
class Refused extends Error {
  readonly status: number;
  constructor(status: number, message = `status ${status}`) {
    super(message);
    this.status = status;
  }
}

/** A fleet in memory, that fills in what a hub fills in. */
function fakeFleet() {
  const services = new Map<string, Service>();
  const calls: string[] = [];
  /** Called with the next request that writes, before it is answered. */
  let before: (() => void) | undefined;
  /** Whether a master can run a URL. */
  let canRun = (_mid: string, _url: string): boolean => true;
  let revision = 1;
  const put = (service: Service): Service => {
    revision += 1;
    services.set(service.sid, { ...service, revision: String(revision) });
    return get(service.sid);
  };
  const get = (sid: string): Service => {
    const found = services.get(sid);
    if (found === undefined) throw new Refused(404);
    return found;
  };
  const wrote = (call: string, sid?: string, expected?: string): void => {
    calls.push(call);
    const race = before;
    before = undefined;
    race?.();
    if (sid !== undefined && expected !== undefined && get(sid).revision !== expected) {
      throw new Refused(412);
    }
  };
  const placed = (selector: string) =>
    masters.find(({ labels }) => selector === "" || selector === `site=${labels.site}`)?.mid ??
    HOME;
  const filled = (url: string) =>
    url
      .replace("client://auto/", "client://KEY@192.0.2.1:10001/")
      .replace("server://:auto/", "server://KEY@:10001/")
      .replaceAll(":auto", ":10002");
  const client: ServiceClient = {
    services: async () => [...services.values()],
    service: async (sid) => get(sid),
    createService: async ({ alias, tags, policy, parts }) => {
      wrote(`create ${alias}`);
      if ([...services.values()].some((each) => each.alias === alias)) throw new Refused(409);
      return put(
        ServiceSchema.parse({
          ...{ sid: `s${services.size + 1}`, alias, tags, policy, revision: "1", by: "t" },
          changed: "2026-01-02T03:04:05.000Z",
          parts: parts.map(({ role, url, master, selector = "", running }) => ({
            ...{ role, owner: master ?? placed(selector), epoch: 1, running, url: filled(url) },
            ...{ selector, state: "applied", reason: "", instance: "i" },
          })),
        }),
      );
    },
    changeService: async (sid, change, expected) => {
      wrote(`change ${sid} ${JSON.stringify(change)}`, sid, expected);
      const { alias, tags, policy, parts: changes = [] } = change;
      const now = get(sid);
      return put(
        ServiceSchema.parse({
          ...now,
          alias: alias ?? now.alias,
          tags: tags ?? now.tags,
          policy: { ...now.policy, ...policy },
          parts: now.parts.map((part) => {
            const change = changes.find(({ role }) => role === part.role);
            return { ...part, ...change, url: filled(change?.url ?? part.url) };
          }),
        }),
      );
    },
    moveService: async (sid, { part, to, selector }) => {
      wrote(`move ${sid} ${part} ${to ?? selector}`);
      const now = get(sid);
      const owner = to ?? placed(selector ?? "");
      const moved = now.parts.find(({ role }) => role === part);
      if (!canRun(owner, moved?.url ?? "")) {
        // It was there, and came back: the record has been written since.
        put(now);
        throw new Refused(409, `master ${owner} could not run it; it is back at ${moved?.owner}`);
      }
      return put({
        ...now,
        parts: now.parts.map((each) =>
          each.role === part ? { ...each, owner, state: "applied" as const } : each,
        ),
      });
    },
    removeService: async (sid, _keep, expected) => {
      wrote(`remove ${sid}`, sid, expected);
      services.delete(sid);
    },
  };
  return {
    client,
    calls,
    services,
    put,
    atNextWrite: (race: () => void) => {
      before = race;
    },
    runsOnly: (rule: typeof canRun) => {
      canRun = rule;
    },
    /** Whatever it was: as somebody else changes it. */
    alter: (sid: string, change: (service: Service) => Service) => put(change(get(sid))),
  };
}

const pair = (more: Partial<DesiredService> = {}): DesiredService => ({
  name: "web",
  tags: {},
  start: true,
  policy: OFF,
  parts: [
    { role: "server", url: "server://:auto/:8080?mode=1&tls=1", master: EDGE },
    { role: "client", url: "client://auto/127.0.0.1:80?mode=2", selector: "site=home" },
  ],
  ...more,
});
const single = (more: Partial<DesiredService> = {}, url = "client://:81/h:80?mode=1") => ({
  ...pair(),
  name: "local",
  parts: [{ role: "client" as const, url, selector: "site=home" }],
  ...more,
});

/** Makes a fleet what is desired. */
async function make(
  fleet: ReturnType<typeof fakeFleet>,
  desired: readonly DesiredService[],
  options: Partial<PlanOptions> = {},
) {
  fleet.calls.length = 0;
  const host = serviceHost(fleet.client, masters);
  const all = { owner: "site", ...options };
  const steps = await plan(desired, host, all);
  const outcomes = await apply(steps, host, all);
  return {
    steps: steps.map((step) =>
      [step.kind, step.name, ...(step.kind === "change" ? step.changes : [])].join(" "),
    ),
    failed: outcomes.flatMap(({ error }) => (error === undefined ? [] : [error.message])),
  };
}
const nothing = { steps: [], failed: [] };

test("a fleet is made what a list says, once, and exported it says the same", async () => {
  const fleet = fakeFleet();
  const desired = [pair({ tags: { tier: "gold" } }), single({ start: false })];
  expect(await make(fleet, desired)).toEqual({
    steps: ["create web", "create local"],
    failed: [],
  });
  expect([...fleet.services.values()]).toMatchObject([
    {
      alias: "web",
      tags: { tier: "gold", "nodepass.owner": "site", "nodepass.name": "web" },
      parts: [{ owner: EDGE }, { owner: HOME, selector: "site=home" }],
    },
    { alias: "local", parts: [{ running: false }] },
  ]);
  expect(await make(fleet, desired)).toEqual(nothing);
  expect(fleet.calls).toEqual([]);

  const exported = [...fleet.services.values()].map((each) => toDesiredService(each, masters));
  expect(exported[0]).toMatchObject({
    tags: { tier: "gold" },
    parts: [
      { url: "server://:10001/:8080?mode=1&tls=1", master: EDGE },
      { url: "client://auto/127.0.0.1:80?mode=2", selector: "site=home" },
    ],
  });
  expect(exported[1]?.parts).toEqual([
    { role: "client", url: "client://:81/h:80?mode=1", selector: "site=home" },
  ]);
  expect(await make(fleet, exported)).toEqual(nothing);
});

test("what differs is asked for in one request, a pair keeping key, port and address", async () => {
  const fleet = fakeFleet();
  await make(fleet, [pair(), single()]);
  const [server, client] = pair().parts;
  if (server === undefined || client === undefined) throw new Error("no pair");
  const changed = pair({
    start: false,
    policy: { failover: "serve", ttl: 20, failback: "never" },
    parts: [
      { ...server, url: "server://:auto/:8080?mode=1&tls=1&rate=5" },
      { ...client, url: "client://auto/127.0.0.1:81?mode=2" },
    ],
  });
  expect((await make(fleet, [changed, single()])).steps).toEqual([
    "change web policy server url client url stop",
  ]);
  expect(fleet.calls).toEqual([
    `change s1 ${JSON.stringify({
      policy: { failover: "serve", ttl: 20, failback: "never" },
      parts: [
        { role: "server", url: "server://:10001/:8080?mode=1&tls=1&rate=5", running: false },
        { role: "client", url: "client://auto/127.0.0.1:81?mode=2", running: false },
      ],
    })}`,
  ]);
  expect(await make(fleet, [changed, single()])).toEqual(nothing);
});

test("what has other ends is refused, and nothing of it lost", async () => {
  const fleet = fakeFleet();
  await make(fleet, [pair(), single()]);
  const before = [...fleet.services.values()];
  const server = single({ parts: [{ role: "server", url: "server://k@:1/:2", selector: "" }] });
  const swapped = [single({ name: "web" }), pair({ name: "local" })];
  expect(await make(fleet, [server])).toEqual({
    steps: ["change local parts"],
    failed: [
      "local is a single client and can't become a single server: remove it first, or give the entry another name",
    ],
  });
  expect(await make(fleet, swapped)).toEqual({
    steps: ["change web parts", "change local parts"],
    failed: [
      "web is a pair and can't become a single client: remove it first, or give the entry another name",
      "local is a single client and can't become a pair: remove it first, or give the entry another name",
    ],
  });
  expect(fleet.calls).toEqual([]);
  expect([...fleet.services.values()]).toEqual(before);
});

test("a move that fails is made once, and keeps nothing else from being changed", async () => {
  const fleet = fakeFleet();
  await make(fleet, [single()]);
  // What the hub tries at a move is the URL as it is.
  fleet.runsOnly((mid, url) => mid !== EDGE || url.includes("rate=5"));
  const rated = "client://:81/h:80?mode=1&rate=5";
  const there = single({
    policy: { failover: "serve", ttl: 20, failback: "never" },
    parts: [{ role: "client", url: rated, master: EDGE }],
  });
  const said = `master ${EDGE} could not run it; it is back at ${HOME}`;
  expect((await make(fleet, [there])).failed).toEqual([said]);
  expect(fleet.calls).toEqual([`move s1 client ${EDGE}`, expect.stringMatching(/^change s1 /)]);
  expect(fleet.services.get("s1")).toMatchObject({
    policy: { failover: "serve", ttl: 20 },
    parts: [{ owner: HOME, url: rated }],
  });
  expect(await make(fleet, [there])).toEqual({ steps: ["change local move"], failed: [] });
  expect(fleet.calls).toEqual([`move s1 client ${EDGE}`]);

  // Where the rest is refused as well, both are said.
  fleet.runsOnly((mid) => mid !== HOME);
  fleet.atNextWrite(() =>
    fleet.atNextWrite(() => {
      throw new Refused(409, "h:80 is held by instance 12345678");
    }),
  );
  const back = single({}, "client://:81/h:80?mode=1");
  expect((await make(fleet, [back])).failed).toEqual([
    `master ${HOME} could not run it; it is back at ${EDGE}; h:80 is held by instance 12345678`,
  ]);
  expect(fleet.calls).toHaveLength(2);
});

test("who is shown no keys changes none", async () => {
  const fleet = fakeFleet();
  const keyed = single({}, "client://secret@h:1/h:2?mode=2");
  await make(fleet, [keyed]);
  expect((await make(fleet, [single({}, "client://other@h:1/h:2?mode=2")])).steps).toHaveLength(1);
  fleet.alter("s1", (service) => ({
    ...service,
    parts: service.parts.map((part) => ({ ...part, url: "client://***@h:1/h:2?mode=2" })),
  }));
  expect(await make(fleet, [keyed])).toEqual(nothing);
});

test("what was taken over stays there, unless one master is named, or its selector leads elsewhere", async () => {
  const fleet = fakeFleet();
  await make(fleet, [pair()]);
  const moveTo = (server: string, client: string) =>
    fleet.alter("s1", (service) => ({
      ...service,
      parts: service.parts.map((part) => ({
        ...part,
        owner: part.role === "server" ? server : client,
      })),
    }));
  moveTo(EDGE, SPARE);
  expect(await make(fleet, [pair()])).toEqual(nothing);
  moveTo(HOME, EDGE);
  expect((await make(fleet, [pair()])).steps).toEqual(["change web server move client move"]);
  expect(fleet.calls).toEqual([`move s1 server ${EDGE}`, "move s1 client site=home"]);
  expect(await make(fleet, [pair()])).toEqual(nothing);
  // On its way it is let alone; when nobody has it, somebody is to.
  const give = (state: "pending" | "released") =>
    fleet.alter("s1", (service) => ({
      ...service,
      parts: service.parts.map((part) => ({ ...part, owner: null, state })),
    }));
  give("pending");
  expect(await make(fleet, [pair()])).toEqual(nothing);
  give("released");
  expect((await make(fleet, [pair()])).steps).toEqual(["change web server move client move"]);
});

test("a file says of what was moved away where it is, and of what nobody has where it may be", async () => {
  const fleet = fakeFleet();
  await make(fleet, [pair()]);
  const placesAt = (server: string | null, client: string | null) => {
    const service = fleet.alter("s1", (now) => ({
      ...now,
      parts: now.parts.map((part) => ({
        ...part,
        owner: part.role === "server" ? server : client,
        state: "released" as const,
      })),
    }));
    return toDesiredService(service, masters).parts.map(({ master, selector }) => ({
      master,
      selector,
    }));
  };
  expect(placesAt(EDGE, EDGE)).toEqual([
    { master: EDGE, selector: undefined },
    { master: EDGE, selector: "site=home" },
  ]);
  expect(placesAt(null, null)).toEqual([
    { master: undefined, selector: "" },
    { master: undefined, selector: "site=home" },
  ]);
});

test("only what the owner brought is removed, and others' names are conflicts", async () => {
  const fleet = fakeFleet();
  await make(fleet, [single({ name: "theirs" })], { owner: "another" });
  await make(fleet, [pair(), single()]);
  fleet.alter("s2", (service) => ({ ...service, tags: {} }));
  expect(await make(fleet, [single({ name: "theirs" })], { prune: true })).toEqual({
    steps: ["remove local", "conflict theirs"],
    failed: ["a service of the owner another has the alias theirs already: s1"],
  });
});

test("a race is looked at again, once", async () => {
  const fleet = fakeFleet();
  await make(fleet, [single()]);
  const faster = single({}, "client://:81/h:80?mode=1&rate=5");
  const tag = () =>
    void fleet.alter("s1", (service) => ({ ...service, tags: { ...service.tags, x: "y" } }));
  fleet.atNextWrite(tag);
  expect((await make(fleet, [faster])).failed).toEqual([]);
  expect(fleet.services.get("s1")).toMatchObject({
    tags: { x: "y" },
    parts: [{ url: "client://:81/h:80?mode=1&rate=5" }],
  });
  fleet.atNextWrite(() => {
    tag();
    fleet.atNextWrite(tag);
  });
  expect((await make(fleet, [single()])).failed).toEqual(["status 412"]);
  fleet.atNextWrite(tag);
  expect(await make(fleet, [], { prune: true })).toEqual({ steps: ["remove local"], failed: [] });
  // Who has the same file was quicker.
  const theirs = serviceHost(fleet.client, masters);
  fleet.atNextWrite(() => void theirs.create(single(), { [OWNER_TAG]: "site" }));
  expect((await make(fleet, [faster])).failed).toEqual([]);
  expect([...fleet.services.values()]).toMatchObject([
    { parts: [{ url: expect.stringContaining("rate=5") }] },
  ]);
});

test("what fails at its master is said", async () => {
  const fleet = fakeFleet();
  const client: ServiceClient = {
    ...fleet.client,
    createService: async (service) => {
      const made = await fleet.client.createService(service);
      const [part] = made.parts;
      return { ...made, parts: part ? [{ ...part, state: "failed", reason: "no such host" }] : [] };
    },
  };
  expect((await make({ ...fleet, client }, [single()])).failed).toEqual([
    "the client failed: no such host",
  ]);
});
