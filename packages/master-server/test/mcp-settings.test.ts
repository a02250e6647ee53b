import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { connectAgent } from "./support/mcp-client.ts";
import { startMaster } from "./support/start-master.ts";

const host = "127.81.7.5";
/** A forwarder that listens on a port of its own choice. */
const forward = {
  role: "client",
  tunnel_address: host,
  tunnel_port: "0",
  target_address: host,
  target_port: "9",
  mode: "1",
};

async function setUp() {
  const started = await startMaster();
  const { master } = started;
  return { ...started, agent: await connectAgent(master.url, master.apiKey) };
}

describe("the settings of an instance", () => {
  async function setUpOne(args: Record<string, unknown> = {}) {
    const { agent } = await setUp();
    const id = await agent.create({ ...forward, role: "server", mode: "2", ...args });
    const config = async () => Object((await agent.get("get_instance_config", { id })).config);
    return { agent, id, config };
  }

  it("are set by groups, and what is not named stays", async () => {
    const { agent, id, config } = await setUpOne({ password: "first", unknown: "kept" });
    const steps: [string, Record<string, unknown>][] = [
      ["basic", { tunnel_address: "127.81.7.8", log: "debug" }],
      ["security", { password: "second", tls: "1" }],
      // `type` is the kind of pool and never the role.
      ["connection", { type: 2, max: "9" }],
      ["network", { dns: "1m", slot: 5 }],
      ["protocol", { noudp: "1" }],
      ["traffic", { block: "12", lbs: "1" }],
      ["advanced", { parameters: { type: "0", read: "5m", target_port: 10, compat: "1" } }],
    ];
    for (const [group, args] of steps) await agent.get(`set_instance_${group}`, { id, ...args });
    expect(await config()).toEqual({
      role: "server",
      password: "second",
      tunnel_address: "127.81.7.8",
      tunnel_port: "0",
      target_address: host,
      target_port: "10",
      parameters: {
        mode: "2",
        unknown: "kept",
        log: "debug",
        tls: "1",
        type: "0",
        max: "9",
        dns: "1m",
        slot: "5",
        noudp: "1",
        block: "12",
        lbs: "1",
        read: "5m",
        compat: "1",
      },
    });
    await agent.get("set_instance_basic", { id, targets: `${host}:9,${host}:10`, log: "" });
    const after = await config();
    expect(after.targets).toBe(`${host}:9,${host}:10`);
    expect(after.target_port).toBeUndefined();
    expect(after.parameters.log).toBeUndefined();
  });

  it("say what is wrong with a change, and nothing is done then", async () => {
    const { agent, id, config } = await setUpOne();
    const before = await config();
    const refused: [string, Record<string, unknown>, RegExp][] = [
      ["connection", { mode: "7" }, /^mode "7" is not valid \(allowed: 0, 1, 2\)$/],
      ["connection", {}, /nothing to set \(allowed: mode, type, min, max, path\)/],
      ["connection", { mode: "2" }, /no changes/],
      [
        "connection",
        { tls: "1" },
        /"tls" is no argument \(allowed: id, mode, type, min, max, path\)/,
      ],
      ["network", { read: "soon" }, /^read "soon" is not valid \(allowed: a duration/],
      ["basic", { role: "master" }, /^role "master" is not valid \(allowed: server, client\)/],
      ["basic", { tunnel_port: "99999" }, /^tunnel_port "99999".*0 to 65535/],
      ["advanced", { parameters: { tls: "5" } }, /^tls "5".*allowed: 0, 1, 2/],
      ["advanced", { parameters: {} }, /nothing to set/],
      ["advanced", { parameters: "x" }, /parameters "x" is not valid/],
      ["advanced", {}, /parameters is missing/],
    ];
    for (const [group, args, message] of refused) {
      const answer = await agent.call(`set_instance_${group}`, { id, ...args });
      expect([group, args, answer.isError, answer.text]).toEqual([
        group,
        args,
        true,
        expect.stringMatching(message),
      ]);
    }
    expect(await config()).toEqual(before);
  });

  it("are told where the master overlooks them", async () => {
    const { agent, id } = await setUpOne();
    expect(
      await agent.get("set_instance_advanced", { id, parameters: { rat: "1" } }),
    ).toMatchObject({
      warnings: [expect.stringMatching(/did you mean rate\?/)],
    });
  });
});

describe("names, tags and the master", () => {
  it("merges the other half field by field, and replaces tags", async () => {
    const { agent, api } = await setUp();
    const id = await agent.create(forward);
    await agent.get("update_instance", { id, alias: "a", peer: { sid: "s", type: "5" } });
    await agent.get("update_instance", { id, peer: { alias: "other" }, tags: { n: 1, yes: true } });
    await agent.get("update_instance", { id, restart: false, peer: { sid: null } });
    expect(await api.instance(id)).toMatchObject({
      alias: "a",
      restart: false,
      meta: { peer: { sid: "", type: "5", alias: "other" }, tags: { n: "1", yes: "true" } },
    });
    await agent.get("update_instance", { id, tags: {} });
    expect((await api.instance(id)).meta.tags).toEqual({});
    expect((await agent.call("update_instance", { id })).text).toMatch(
      /nothing to change \(allowed: alias, restart, peer, tags\)/,
    );
    expect((await agent.call("update_instance", { id, alias: "x".repeat(257) })).text).toMatch(
      /alias: longer than 256 characters/,
    );
  });

  it("has the master's own name, id and key where they belong", async () => {
    const { agent, master } = await setUp();
    const { info } = await agent.get("get_master_info");
    // NodePass 2 has it from its second start on.
    expect(Object(info).mid).toMatch(/^[0-9a-f]{16}$/);
    expect(await agent.get("update_master_info", { alias: "home" })).toMatchObject({
      info: { alias: "home" },
    });
    for (const tool of ["get_instance", "get_instance_config", "delete_instance"]) {
      const { isError, text } = await agent.call(tool, { id: "********" });
      expect([tool, isError]).toEqual([tool, true]);
      expect(text).toMatch(/id "\*{8}": not the id of an instance/);
    }
    const all = await Promise.all(
      ["list_instances", "get_master_info"].map((tool) => agent.call(tool)),
    );
    expect(JSON.stringify(all)).not.toContain(master.apiKey);
  });
});

describe("exports", () => {
  it("go beside the state, for their owner only, and come back with events", async () => {
    const { agent, api, stateDirectory } = await setUp();
    expect((await agent.call("import_instances")).text).toBe(
      "there is no nodepass.json; export_instances writes one",
    );
    const id = await agent.create({ ...forward, alias: "web", password: "hunter2" });
    await agent.get("update_instance", { id, tags: { team: "a" }, peer: { sid: "s" } });
    const other = await agent.create({ ...forward, alias: "rests" });
    await agent.get("control_instance", { id: other, action: "stop" });
    await agent.get("update_instance", { id: other, restart: false });
    expect(await agent.get("export_instances")).toEqual({
      result: { file: "nodepass.json", count: 2 },
    });
    const file = join(stateDirectory, "nodepass.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject([
      { alias: "web", restart: true, meta: { tags: { team: "a" } }, tcprx: 0 },
      { alias: "rests", restart: false },
    ]);
    for (const each of [id, other]) await agent.get("delete_instance", { id: each });

    const events = await api.events();
    const { result, instances } = await agent.get("import_instances");
    expect(result).toEqual({ file: "nodepass.json", count: 2, failed: [] });
    expect(instances).toMatchObject([
      { alias: "web", status: "running", restart: true, meta: { peer: { sid: "s" } } },
      { alias: "rests", status: "stopped", restart: false },
    ]);
    expect(Object(instances)[0].id).not.toBe(id);
    for (const alias of ["web", "rests"]) {
      await events.waitFor(({ type, instance }) => type === "create" && instance?.alias === alias);
    }
  });

  it("tell which entries could not be made, and make the others", async () => {
    const { agent, stateDirectory } = await setUp();
    const urls = [
      `client://${host}:0/${host}:9?mode=1`,
      "nonsense://",
      `client://${host}:0/${host}:8?mode=1`,
    ];
    writeFileSync(
      join(stateDirectory, "nodepass.json"),
      JSON.stringify(urls.map((url) => ({ url }))),
    );
    expect(await agent.get("import_instances")).toMatchObject({
      result: { count: 2, failed: [{ entry: 2, error: expect.stringMatching(/scheme/) }] },
    });
    writeFileSync(join(stateDirectory, "nodepass.json"), "hunter2");
    expect(await agent.call("import_instances")).toMatchObject({
      isError: true,
      text: "nodepass.json is not JSON",
    });
  });
});
