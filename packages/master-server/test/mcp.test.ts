import { connect, createServer } from "node:net";
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
    await expect(read("nodepass://nowhere")).rejects.toThrow(
      /no resource "nodepass:\/\/nowhere" \(allowed: nodepass:\/\/instances, /,
    );
    await expect(read(`nodepass://instances/${id}/secrets`)).rejects.toThrow(/no resource/);
    for (const other of ["..", "********", "../keys", "a%2Fb"]) {
      await expect(read(`nodepass://instances/${other}`)).rejects.toThrow(
        /no (?:instance|resource) /,
      );
    }
    await expect(read("file:///etc/passwd")).rejects.toThrow(/no resource/);
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
    await expect(say("why", {})).rejects.toThrow(
      /no prompt "why" \(allowed: expose_service, why_is_this_tunnel_down\)/,
    );
    await expect(say("expose_service", {})).rejects.toThrow(/expose_service: service is missing/);
    const { completion } = await agent.client.complete({
      ref: { type: "ref/prompt", name: "why_is_this_tunnel_down" },
      argument: { name: "instance", value: "wai" },
    });
    expect(completion.values).toEqual(["waits"]);
  });
});
