import { readFileSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { connectAgent, ERAS, type Era } from "./support/mcp-client.ts";
import { startMaster } from "./support/start-master.ts";

const host = "127.81.7.1";
/** A forwarder that listens on a port of its own choice. */
const forward = {
  role: "client",
  tunnel_address: host,
  tunnel_port: "0",
  target_address: host,
  target_port: "9",
  mode: "1",
};

async function setUp(era: Era = "2025-11-25", url?: string) {
  const started = await startMaster(url === undefined ? {} : { url });
  const { master } = started;
  return { ...started, agent: await connectAgent(master.url, master.apiKey, era) };
}

describe.each(ERAS)("an agent of %s", (era) => {
  it("sees 19 tools, each with schemas and what it does", async () => {
    const { agent } = await setUp(era);
    const { tools } = await agent.client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(
      `control_instance create_instance delete_instance export_instances get_instance
        get_instance_config get_master_info import_instances list_instances set_instance_advanced
        set_instance_basic set_instance_connection set_instance_network set_instance_protocol
        set_instance_security set_instance_traffic tcping_target update_instance update_master_info`
        .split(/\s+/)
        .sort(),
    );
    for (const { name, description, inputSchema, outputSchema, annotations } of tools) {
      expect([name, inputSchema.type, outputSchema?.type]).toEqual([name, "object", "object"]);
      expect(description?.length).toBeGreaterThan(30);
      expect(annotations?.title?.length).toBeGreaterThan(5);
    }
    const hinted = (hint: "readOnlyHint" | "destructiveHint") =>
      tools.filter(({ annotations }) => annotations?.[hint] === true).map(({ name }) => name);
    expect(hinted("readOnlyHint").sort()).toEqual([
      "get_instance",
      "get_instance_config",
      "get_master_info",
      "list_instances",
      "tcping_target",
    ]);
    expect(hinted("destructiveHint")).toEqual(
      expect.arrayContaining(["delete_instance", "control_instance", "set_instance_basic"]),
    );
    expect(hinted("destructiveHint")).not.toContain("create_instance");
    // A model reads it whole: a bound on what it costs.
    expect(JSON.stringify(tools).length).toBeLessThan(40_000);
  });

  it("makes a tunnel that carries, looks at it, changes, stops and removes it", async () => {
    const { agent, api } = await setUp(era);
    const echo = createServer((socket) => socket.pipe(socket)).listen(8391, host);
    onTestFinished(() => {
      echo.close();
    });
    const made = await agent.get("create_instance", {
      ...forward,
      tunnel_port: 8390,
      target_port: 8391,
      alias: "web",
      rate: 5,
    });
    expect(made).toMatchObject({
      instance: {
        alias: "web",
        type: "client",
        status: "running",
        link: "none",
        url: `client://${host}:8390/${host}:8391?mode=1&rate=5`,
        meta: { tags: {} },
      },
    });
    expect(made.warnings).toBeUndefined();
    const id = String(Object(made.instance).id);
    expect(await api.instance(id)).toMatchObject({ alias: "web", status: "running" });
    await vi.waitFor(async () =>
      expect(await agent.get("tcping_target", { target: `${host}:8390` })).toMatchObject({
        result: { target: `${host}:8390`, connected: true, error: "" },
      }),
    );
    const carried = connect(8390, host).end("through");
    expect(await text(carried)).toBe("through");
    expect(await agent.get("list_instances")).toMatchObject({ instances: [{ id, alias: "web" }] });
    expect(await agent.get("get_instance_config", { id })).toEqual({
      config: {
        role: "client",
        tunnel_address: host,
        tunnel_port: "8390",
        target_address: host,
        target_port: "8391",
        parameters: { mode: "1", rate: "5" },
      },
    });
    expect(await agent.get("set_instance_network", { id, rate: "6", read: "1m" })).toMatchObject({
      instance: { id, status: "running", url: expect.stringContaining("?mode=1&rate=6&read=1m") },
      changes: { inPlace: ["rate", "read"], restarted: [] },
    });
    expect(await agent.get("control_instance", { id, action: "stop" })).toMatchObject({
      instance: { status: "stopped" },
    });
    expect(await agent.get("control_instance", { id, action: "start" })).toMatchObject({
      instance: { status: "running" },
    });
    const { logs } = await agent.get("get_instance", { id, logs: 100 });
    expect(JSON.stringify(logs)).toMatch(/INFO +forwarding from=/);
    expect(await agent.get("delete_instance", { id })).toEqual({ result: { id, deleted: true } });
    expect(await agent.get("list_instances")).toEqual({ instances: [] });
  });

  it("reads resources, and completes ids", async () => {
    const { agent, master } = await setUp(era);
    const id = await agent.create({ ...forward, alias: "web", password: "hunter2" });
    const read = async (uri: string) => {
      const { contents } = await agent.client.readResource({ uri });
      const [first] = contents;
      return first !== undefined && "text" in first ? first.text : "";
    };
    const { resources } = await agent.client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual(
      ["instances", "master", "parameters", `instances/${id}`].map((path) => `nodepass://${path}`),
    );
    const { resourceTemplates } = await agent.client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      "nodepass://instances/{id}",
      "nodepass://instances/{id}/logs",
    ]);
    expect(JSON.parse(await read("nodepass://instances"))).toMatchObject([{ id, alias: "web" }]);
    expect(JSON.parse(await read(`nodepass://instances/${id}`))).toMatchObject({ id });
    expect(JSON.parse(await read("nodepass://master"))).toMatchObject({ ver: "1.14.0" });
    const log = await read(`nodepass://instances/${id}/logs`);
    expect(log).toMatch(/INFO/);
    expect(log).not.toMatch(/\p{Cc}\[/u);
    const reference = await read("nodepass://parameters");
    expect(reference).toContain("| mode | server, client | 0 | 0, 1, 2 | server: 0 auto");
    expect(reference).not.toMatch(/^\| mcp /m);
    const { completion } = await agent.client.complete({
      ref: { type: "ref/resource", uri: "nodepass://instances/{id}" },
      argument: { name: "id", value: id.slice(0, 2) },
    });
    expect(completion.values).toEqual([id]);
    await expect(read("nodepass://instances/nobody")).rejects.toThrow(
      `no instance "nobody"; there are: ${id} (web)`,
    );
    await expect(read("nodepass://instances/nobody/logs")).rejects.toThrow(/no instance "nobody"/);
    await expect(read("nodepass://nowhere")).rejects.toThrow(/not found|nowhere/i);
    expect(master.apiKey.length).toBeGreaterThan(10);
  });

  it("is given what to say: how to expose a service, and why a tunnel is down", async () => {
    const { agent } = await setUp(era);
    const { prompts } = await agent.client.listPrompts();
    expect(prompts.map(({ name, title }) => [name, title])).toEqual([
      ["expose_service", "Expose a service"],
      ["why_is_this_tunnel_down", "Why is this tunnel down?"],
    ]);
    const say = async (name: string, args: Record<string, string>) => {
      const { messages } = await agent.client.getPrompt({ name, arguments: args });
      return messages.map(({ content }) => (content.type === "text" ? content.text : "")).join();
    };
    const steps = await say("expose_service", {
      service: "10.0.0.9:8080",
      public_port: "80",
      server: "edge.example",
    });
    expect(steps).toContain('"tunnel_address":"edge.example"');
    // What it says can be done: with its own arguments, and a key.
    for (const [, json = ""] of steps.matchAll(/create_instance (\{.*\})/g)) {
      const args = JSON.parse(json.replace("<key>", "a-random-key"));
      const fit = { ...args, tunnel_address: host, tunnel_port: "0", target_port: "0" };
      const tried = await agent.call("create_instance", args.role === "server" ? fit : args);
      expect([args.role, tried.isError, tried.text]).toEqual([args.role, false, expect.anything()]);
    }
    await expect(say("expose_service", { service: "no address" })).rejects.toThrow(
      /service "no address" is not valid \(allowed: host:port, or a port\)/,
    );

    const id = await agent.create({
      role: "server",
      tunnel_address: host,
      tunnel_port: "8393",
      target_address: host,
      target_port: "8394",
      alias: "waits",
      password: "hunter2",
      mode: "1",
    });
    const why = await say("why_is_this_tunnel_down", { instance: "waits" });
    expect(why).toContain(`${id} (waits)`);
    expect(why).toContain('"link": "down"');
    expect(why).toContain(`tcping_target ${host}:8394`);
    expect(why).toMatch(/INFO/);
    expect(why).not.toContain("hunter2");
    await expect(say("why_is_this_tunnel_down", { instance: "nobody" })).rejects.toThrow(
      /no instance "nobody"/,
    );
    const { completion } = await agent.client.complete({
      ref: { type: "ref/prompt", name: "why_is_this_tunnel_down" },
      argument: { name: "instance", value: "wai" },
    });
    expect(completion.values).toEqual(["waits"]);
  });
});

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
      ["basic", { tunnel_address: "127.81.7.2", log: "debug" }],
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
      tunnel_address: "127.81.7.2",
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
