import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { connectAgent, ERAS } from "./support/mcp-client.ts";
import { startMaster } from "./support/start-master.ts";

const host = "127.81.7.3";
const forward = {
  role: "client",
  tunnel_address: host,
  tunnel_port: "0",
  target_address: host,
  target_port: "9",
  mode: "1",
};

/** A master, and a way to post to it as anybody might. */
async function setUp(url?: string, mcpOrigins?: readonly string[]) {
  const started = await startMaster({ url, mcpOrigins });
  const { master } = started;
  const post = async (
    message: unknown,
    headers: Readonly<Record<string, string>> = {},
    method = "POST",
  ) => {
    const sent = request(`${master.url}/v2`, {
      method,
      agent: false,
      headers: { "X-API-Key": master.apiKey, ...headers },
    });
    sent.end(typeof message === "string" ? message : JSON.stringify(message));
    const [response] = await once(sent, "response");
    const content = await text(response);
    return {
      status: response.statusCode,
      headers: response.headers,
      body: content === "" ? undefined : JSON.parse(content),
    };
  };
  const call = (name: unknown, args: unknown = {}) =>
    post({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } });
  return { ...started, post, call };
}

describe("what was written for NodePass 2", () => {
  it("gets one JSON answer to each POST, whatever its headers are", async () => {
    const { post } = await setUp();
    const params = {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "x", version: "1" },
    };
    const initialize = { jsonrpc: "2.0", id: 1, method: "initialize", params };
    for (const headers of [
      {},
      { Accept: "application/json" },
      { Accept: "*/*", "Content-Type": "text/plain" },
      { Accept: "application/json, text/event-stream", "Content-Type": "application/json" },
    ]) {
      const answer = await post(initialize, headers);
      expect([headers, answer.status, answer.headers["content-type"]]).toEqual([
        headers,
        200,
        "application/json",
      ]);
      expect(answer.headers["mcp-session-id"]).toBeUndefined();
      expect(answer.body.result).toMatchObject({
        protocolVersion: "2025-11-25",
        capabilities: { tools: {} },
        serverInfo: { name: "NodePass Master", version: "1.2.3" },
      });
    }
    // As the protocol wants it: NodePass 2 answers -32601 to these two.
    expect((await post({ jsonrpc: "2.0", method: "notifications/initialized" })).status).toBe(202);
    expect((await post({ jsonrpc: "2.0", id: 2, method: "ping" })).body.result).toEqual({});
  });

  it("finds the object beside content, under its name", async () => {
    const { call } = await setUp();
    const list = async () => (await call("list_instances")).body.result;
    // An empty list is one.
    expect((await list()).instances).toEqual([]);
    const { instance } = (await call("create_instance", forward)).body.result;
    expect(instance).toMatchObject({ type: "client", status: "running" });
    const { id } = instance;
    expect((await list()).instances).toMatchObject([{ id }]);
    const named = async (tool: string, args: object) => (await call(tool, args)).body.result;
    expect((await named("get_instance", { id })).instance.id).toBe(id);
    expect((await named("get_instance_config", { id })).config.role).toBe("client");
    expect((await named("get_master_info", {})).info.ver).toBe("1.14.0");
    expect((await named("tcping_target", { target: `${host}:9` })).result.connected).toBe(false);
    const { content, structuredContent } = await named("get_instance", { id });
    expect(JSON.parse(content[0].text)).toEqual(structuredContent);
  });
});

describe("who has no key, or one that may only read", () => {
  it("is told so before anything is looked at", async () => {
    const { post, master, log } = await setUp();
    for (const message of [
      { jsonrpc: "2.0", id: 1, method: "ping" },
      "no json",
      "x".repeat(2_000_000),
    ]) {
      const answer = await post(message, { "X-API-Key": "guessed" });
      expect([answer.status, answer.body]).toEqual([
        401,
        { error: "Unauthorized: Invalid API key" },
      ]);
    }
    expect((await post("{}", { "X-API-Key": "" })).body.error).toMatch(/API key required/);
    await expect(connectAgent(master.url, "guessed")).rejects.toThrow(/401|Unauthorized/i);
    expect(log()).not.toContain(master.apiKey);
  });

  it.each(ERAS)("gets only the tools that read, and no key of a tunnel: %s", async (era) => {
    const { master, api } = await setUp();
    const owner = await connectAgent(master.url, master.apiKey, era);
    const id = await owner.create({ ...forward, password: "hunter2" });
    const { body } = await api.ask<{ readonly key: string }>("POST", "/keys/read");
    const reader = await connectAgent(master.url, body.key, era);
    const { tools } = await reader.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      "list_instances",
      "get_instance",
      "get_instance_config",
      "get_master_info",
    ]);
    for (const tool of [
      "list_instances",
      "get_instance",
      "get_instance_config",
      "get_master_info",
    ]) {
      const { text: said, isError } = await reader.call(
        tool,
        /_instance/.test(tool) && !/s$/.test(tool) ? { id } : {},
      );
      expect([tool, isError, said.includes("hunter2")]).toEqual([tool, false, false]);
    }
    const { contents } = await reader.client.readResource({ uri: `nodepass://instances/${id}` });
    expect(JSON.stringify(contents)).not.toContain("hunter2");
    for (const tool of ["delete_instance", "tcping_target", "export_instances"]) {
      await expect(reader.call(tool, { id })).rejects.toThrow(
        new RegExp(`this key may only read: "${tool}" is not offered \\(allowed: list_instances, `),
      );
    }
    expect(await api.instance(id)).toMatchObject({ status: "running" });
  });

  it("is refused when the key is renewed, from the next message on", async () => {
    const { master, api } = await setUp();
    const agent = await connectAgent(master.url, master.apiKey);
    await agent.get("list_instances");
    await api.ask("POST", "/keys/full");
    await expect(agent.call("list_instances")).rejects.toThrow(/401|Unauthorized/i);
  });
});

describe("the master's URL", () => {
  it("offers only what reads with mcp=2", async () => {
    const { master, call } = await setUp("master://127.0.0.1:0?mcp=2");
    const agent = await connectAgent(master.url, master.apiKey);
    const { tools } = await agent.client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual([
      "get_instance",
      "get_instance_config",
      "get_master_info",
      "list_instances",
      "tcping_target",
    ]);
    const { body } = await call("create_instance", forward);
    expect(body.error).toMatchObject({
      code: -32602,
      message: expect.stringMatching(
        /^only reading is allowed here: "create_instance" is not offered/,
      ),
    });
  });

  it("has none with mcp=0, and one under the prefix else", async () => {
    const none = await setUp("master://127.0.0.1:0?mcp=0");
    expect((await none.post({ jsonrpc: "2.0", id: 1, method: "ping" })).status).toBe(404);
    const prefixed = await setUp("master://127.0.0.1:0/a/b");
    const agent = await connectAgent(prefixed.master.url, prefixed.master.apiKey);
    expect(prefixed.master.url).toMatch(/\/a\/b$/);
    expect(await agent.get("list_instances")).toEqual({ instances: [] });
  });
});

describe("what nobody should send", () => {
  it("is answered with what is wrong and what is allowed", async () => {
    const { post, call } = await setUp();
    const error = async (message: unknown) => (await post(message)).body.error;
    expect(await error("{")).toMatchObject({ code: -32700 });
    expect(await error("")).toMatchObject({ code: -32700 });
    expect(await error({ jsonrpc: "1.0", id: 1, method: "ping" })).toMatchObject({
      code: expect.toBeOneOf([-32600, -32700]),
    });
    expect(await error({ jsonrpc: "2.0", id: 1, method: "tools/destroy" })).toMatchObject({
      code: -32601,
    });
    expect(await error([{ jsonrpc: "2.0", id: 1, method: "ping" }])).toEqual({
      code: -32600,
      message: "batches are not taken (allowed: one message a request)",
    });
    expect((await call("create_instanc")).body.error.message).toMatch(
      /^no tool "create_instanc" \(allowed: list_instances, .*did you mean create_instance\?$/,
    );
    expect((await call("__proto__")).body.error.code).toBe(-32602);
    expect((await call(7)).body.error.code).toBe(-32602);
    const { result } = (await call("create_instance", { ...forward, role: "x", tunnel_port: [] }))
      .body;
    expect(result).toEqual({
      content: [
        {
          type: "text",
          text: 'create_instance: role "x" is not valid (allowed: server, client); tunnel_port [] is not valid (allowed: a text)',
        },
      ],
      isError: true,
    });
    for (const id of ["", "../keys/full", "a/b", "a?b", "x".repeat(9999), 5, null, {}]) {
      const { isError, content } = (await call("delete_instance", { id })).body.result;
      expect([id, isError, content[0].text]).toEqual([
        id,
        true,
        expect.stringMatching(/^(?:delete_instance: id|no instance)/),
      ]);
    }
  });

  it("has no sessions to guess, and no streams to hold open", async () => {
    const { post } = await setUp();
    const session = { "Mcp-Session-Id": "11111111-2222-3333-4444-555555555555" };
    const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
    expect((await post(ping, session)).body.result).toEqual({});
    for (const method of ["GET", "DELETE"]) {
      const answer = await post("", session, method);
      expect([method, answer.status, answer.headers.allow]).toEqual([method, 405, "OPTIONS, POST"]);
    }
    const version = "2026-07-28";
    const listen = {
      jsonrpc: "2.0",
      id: 1,
      method: "subscriptions/listen",
      params: {
        notifications: { toolsListChanged: true },
        _meta: {
          "io.modelcontextprotocol/protocolVersion": version,
          "io.modelcontextprotocol/clientInfo": { name: "x", version: "1" },
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    };
    const { body } = await post(listen, {
      "Mcp-Protocol-Version": version,
      "Mcp-Method": "subscriptions/listen",
      Accept: "application/json, text/event-stream",
    });
    expect(body.error.message).toMatch(/limit/i);
  });

  it("does not come from a page that has given its name this machine's address", async () => {
    const { post } = await setUp(undefined, ["panel.example"]);
    const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
    const from = (Origin: string, Host: string) => post(ping, { Origin, Host });
    const refused = await from("http://evil.example:9090", "evil.example:9090");
    expect([refused.status, refused.body.error]).toEqual([
      403,
      expect.stringMatching(
        /"http:\/\/evil\.example:9090" is not allowed \(allowed: .*panel\.example\)/,
      ),
    ]);
    expect((await from("https://panel.example", "np.example")).status).toBe(200);
    expect((await from("http://localhost:6274", "127.0.0.1:9090")).status).toBe(200);
  });

  it("of more than 1 MiB is refused, however it comes", async () => {
    const { post, master, call } = await setUp();
    const declared = await post("x".repeat(1_048_577));
    expect([declared.status, declared.body]).toEqual([413, { error: "body over 1 MiB" }]);
    // In chunks, whose sum nobody knows before.
    const { address } = master;
    const socket = connect(address.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(
      `POST /api/v2 HTTP/1.1\r\nHost: h\r\nX-API-Key: ${master.apiKey}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
    for (let at = 0; at < 20; at += 1) socket.write(chunk);
    const [answer] = await once(socket, "data");
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
    // As long as it may be, and still of no use.
    const { result } = (await call("create_instance", { ...forward, alias: "x".repeat(1_000_000) }))
      .body;
    expect(result.content[0].text).toMatch(/alias: longer than 256 characters/);
  });

  it("leaves the tunnel's key out of what is said of it", async () => {
    const { call, log } = await setUp();
    const args = { ...forward, password: "hunter2", mode: "9" };
    expect(JSON.stringify((await call("create_instance", args)).body)).not.toContain("hunter2");
    expect(
      JSON.stringify((await call("create_instance", { ...args, password: {} })).body),
    ).toContain("***");
    expect(log()).not.toContain("hunter2");
  });
});
