import { NAME_TAG, OWNER_TAG } from "@nodepass/model";
import { describe, expect, test } from "vitest";
import { fakeHost } from "../test/fake-host.ts";
import { apply } from "./apply.ts";
import { type DesiredTunnel, type InstanceClient, instanceHost } from "./instance-host.ts";
import { type PlanOptions, plan } from "./plan.ts";

const tunnel = (name: string, more: Partial<DesiredTunnel> = {}): DesiredTunnel => ({
  name,
  url: "server://key@:10101/:80?mode=1&rate=5",
  tags: {},
  start: true,
  ...more,
});

/** Makes `host` what is desired. @returns the steps, and what failed of them */
async function make(
  client: InstanceClient,
  desired: readonly DesiredTunnel[],
  options: Partial<PlanOptions> = {},
) {
  const all = { owner: "file", ...options };
  const host = instanceHost(client);
  const steps = await plan(desired, host, all);
  const outcomes = await apply(steps, host, all);
  return {
    steps: steps.map((step) => `${step.kind} ${step.name}`),
    failed: outcomes.flatMap(({ error }) => (error === undefined ? [] : [error.message])),
  };
}

describe.each([false, true])("a master that keeps what it is told (%s: not)", (unkind) => {
  test("is made what the list says, once", async () => {
    const host = fakeHost(unkind);
    const desired = [
      tunnel("web", { tags: { tier: "gold" } }),
      tunnel("db", { url: "client://k%40y@edge:10102/127.0.0.1:5432?mode=2&min=8" }),
      tunnel("off", { start: false, url: "client://127.0.0.1:1/127.0.0.1:2?mode=1" }),
    ];
    expect(await make(host, desired)).toEqual({
      steps: ["create web", "create db", "create off"],
      failed: [],
    });
    const [web, , off] = await host.list();
    expect(web).toMatchObject({
      alias: "web",
      tags: { tier: "gold", [OWNER_TAG]: "file", [NAME_TAG]: "web" },
    });
    expect(off).toMatchObject({ status: "stopped", restart: false });
    const before = host.calls.length;
    expect(await make(host, desired)).toEqual({ steps: [], failed: [] });
    expect(host.calls).toHaveLength(before);
  });

  test("gets only what differs", async () => {
    const host = fakeHost(unkind);
    await make(host, [tunnel("web"), tunnel("other")]);
    host.calls.length = 0;
    await make(host, [
      tunnel("web", { url: "server://key@:10101/:80?mode=1&rate=6" }),
      tunnel("other"),
    ]);
    expect(host.calls).toEqual(["url 00000001"]);
    // The same in other words is the same.
    host.calls.length = 0;
    await make(host, [
      tunnel("web", { url: "server://key@:10101/:80?rate=6&mode=1&slot=65536" }),
      tunnel("other"),
    ]);
    expect(host.calls).toEqual([]);
    await make(host, [
      tunnel("web", { url: "server://key@:10101/:80?rate=7", start: false }),
      tunnel("other"),
    ]);
    expect((await host.list())[0]?.status).toBe("stopped");
  });
});

test("only what the owner brought is pruned, and only when asked", async () => {
  const host = fakeHost();
  await host.create("server://x@:1/:2", "by hand");
  await make(host, [tunnel("of another")], { owner: "another" });
  await make(host, [tunnel("web"), tunnel("gone")]);
  expect((await make(host, [tunnel("web")])).steps).toEqual([]);
  expect((await make(host, [tunnel("web")], { prune: true })).steps).toEqual(["remove gone"]);
  expect((await host.list()).map(({ alias }) => alias)).toEqual(["by hand", "of another", "web"]);
});

test("an instance with another alias is known by its mark", async () => {
  const host = fakeHost();
  await make(host, [tunnel("web")]);
  await host.change("00000001", { alias: "renamed in a dashboard" });
  expect((await make(host, [tunnel("web")])).steps).toEqual(["change web"]);
  expect((await host.list()).map(({ alias }) => alias)).toEqual(["web"]);
});

test("a name that somebody else has is a conflict, unless it is to be taken over", async () => {
  const host = fakeHost();
  await host.create("server://key@:10101/:80?mode=1&rate=5", "web");
  const refused = await make(host, [tunnel("web"), tunnel("db")]);
  expect(refused.failed).toEqual([
    "an instance that no file brought has the alias web already: 00000001",
  ]);
  // The others are made all the same.
  expect((await host.list()).map(({ alias }) => alias)).toEqual(["web", "db"]);
  expect((await make(host, [tunnel("web"), tunnel("db")], { adopt: true })).failed).toEqual([]);
  expect((await host.list())[0]?.tags).toMatchObject({ [OWNER_TAG]: "file" });
  // What another file brought is never taken over.
  const other = await make(host, [tunnel("web")], { adopt: true, owner: "another" });
  expect(other.failed).toEqual([
    "an instance of the owner file has the alias web already: 00000001",
  ]);
});

test("a step that fails leaves the others to be done, and is a step of the next plan", async () => {
  const host = fakeHost();
  const desired = [tunnel("bad", { url: "server://refused@:1/:2" }), tunnel("good")];
  expect((await make(host, desired)).failed).toEqual(["refused"]);
  expect((await make(host, desired)).steps).toEqual(["create bad"]);
});

test("tags of others stay", async () => {
  const host = fakeHost();
  await make(host, [tunnel("web", { tags: { a: "1" } })]);
  const [{ tags = {} } = {}] = await host.list();
  await host.change("00000001", { meta: { tags: { ...tags, b: "2" } } });
  await make(host, [tunnel("web", { tags: { a: "3" } })]);
  expect((await host.list())[0]?.tags).toMatchObject({ a: "3", b: "2" });
});
