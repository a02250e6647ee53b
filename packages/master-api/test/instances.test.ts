import { KEY_INSTANCE_ID, type WireInstance } from "@nodepass/model";
import { describe, expect, test } from "vitest";
import { createAsked, errorOf } from "./support/ask.ts";
import { MASTER_ID } from "./support/fake-service.ts";

const json = async (response: Response) => (await response.json()) as WireInstance;
const long = "x".repeat(257);

describe.each(["/api", "/api/v1"])("instances under %s", (base) => {
  test("the list has the key's entry first and every instance with all fields", async () => {
    const { ask, service } = createAsked({ base });
    const instance = service.add({ alias: "web" });
    const response = await ask("GET", "/instances");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    const [keyEntry, ...others] = (await response.json()) as WireInstance[];
    expect(keyEntry).toMatchObject({
      id: KEY_INSTANCE_ID,
      type: "",
      url: service.apiKey(),
      config: MASTER_ID,
      meta: { peer: { sid: "", type: "", alias: "" }, tags: {} },
      tcprx: 0,
      tcptx: 0,
      udprx: 0,
      udptx: 0,
      ping: 0,
      pool: 0,
      tcps: 0,
      udps: 0,
    });
    expect(others).toEqual([instance]);
  });

  test("POST answers 201 with the instance, its URL as sent, restart true", async () => {
    const { ask, service } = createAsked({ base });
    const url = "client://:10101/127.0.0.1:80?log=&&mode=2&cert=x";
    const response = await ask("POST", "/instances", { body: { url, alias: "päivä" } });
    expect(response.status).toBe(201);
    const created = await json(response);
    expect(created).toMatchObject({ url, alias: "päivä", type: "client", restart: true });
    expect({ ...service.instances.get(created.id), warnings: [] }).toEqual(created);
  });

  test.each([
    ["no url", {}],
    ["an empty url", { url: "" }],
    ["a url that is no string", { url: 5 }],
    ["a url over 8192 bytes", { url: `client://h:1/h:2?x=${"y".repeat(8192)}` }],
    ["a url of another scheme", { url: "http://h/" }],
    ["an alias over 256 characters", { url: "client://h:1/h:2", alias: long }],
    ["half a surrogate pair in the alias", { url: "client://h:1/h:2", alias: "\ud800" }],
    ["half a surrogate pair in the url", { url: "client://h:1/h:2?x=\ud800" }],
    ["a body that is no object", []],
    ["null", null],
  ])("POST with %s is 400 and makes nothing", async (_what, body) => {
    const { ask, service } = createAsked({ base });
    const response = await ask("POST", "/instances", { body });
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toEqual(expect.any(String));
    expect(await service.list()).toEqual([]);
  });

  test("POST of an address that a running instance holds is 409", async () => {
    const { ask, service } = createAsked({ base });
    service.add({ url: "server://127.0.0.1:1/h:2", status: "running" });
    const body = { url: "server://127.0.0.1:1/h:3" };
    expect((await ask("POST", "/instances", { body })).status).toBe(409);
  });

  test("GET by id answers one instance, 404 for an unknown id", async () => {
    const { ask, service } = createAsked({ base });
    const instance = service.add();
    expect(await json(await ask("GET", `/instances/${instance.id}`))).toEqual(instance);
    const missing = await ask("GET", "/instances/ffffffff");
    expect(missing.status).toBe(404);
    expect(await errorOf(missing)).toBe("Instance not found");
  });

  test.each(["GET", "PATCH", "PUT", "DELETE"])("%s without an id is 400", async (method) => {
    const { ask } = createAsked({ base });
    expect((await ask(method, "/instances/")).status).toBe(400);
    expect((await ask(method, "/instances/", { key: "wrong" })).status).toBe(401);
  });

  test.each([
    ["start", "running"],
    ["stop", "stopped"],
    ["restart", "running"],
  ])("PATCH action %s answers the state reached", async (action, status) => {
    const { ask, service } = createAsked({ base });
    const { id } = service.add({ status: action === "start" ? "stopped" : "running" });
    const response = await ask("PATCH", `/instances/${id}`, { body: { action } });
    expect(response.status).toBe(200);
    expect((await json(response)).status).toBe(status);
  });

  test("PATCH action reset sets the counters to zero without stopping", async () => {
    const { ask, service } = createAsked({ base });
    const { id } = service.add({ tcprx: 1, tcptx: 2, udprx: 3, udptx: 4 });
    const changed = await json(
      await ask("PATCH", `/instances/${id}`, { body: { action: "reset" } }),
    );
    expect(changed).toMatchObject({ status: "running", tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 });
  });

  test("PATCH of an unknown action is 400, names the allowed ones, and applies nothing", async () => {
    const { ask, service } = createAsked({ base });
    const { id } = service.add({ alias: "old" });
    const body = { alias: "new", action: "status" };
    const response = await ask("PATCH", `/instances/${id}`, { body });
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatch(/start.*stop.*restart.*reset/);
    expect(service.instances.get(id)?.alias).toBe("old");
    expect(service.calls).toEqual([]);
  });

  test.each([
    ["an alias over 256 characters", { alias: long }],
    ["a number as alias", { alias: 5 }],
    ["a word as restart", { restart: "yes" }],
    ["a peer name over 256 characters", { meta: { peer: { alias: long } } }],
    ["a peer id over 256 characters", { meta: { peer: { sid: long } } }],
    ["a tag over 256 characters", { meta: { tags: { a: long } } }],
    ["a tag's name over 256 characters", { meta: { tags: { [long]: "a" } } }],
    ["a tag that is no string", { meta: { tags: { a: 5 } } }],
    ["tags as a list", { meta: { tags: ["a"] } }],
    [
      "too many tags",
      { meta: { tags: Object.fromEntries([...Array(65).keys()].map((n) => [n, ""])) } },
    ],
    [
      "too many bytes of tags",
      {
        meta: { tags: Object.fromEntries([...Array(40).keys()].map((n) => [n, "y".repeat(250)])) },
      },
    ],
  ])("PATCH with %s is 400 and applies nothing", async (_what, body) => {
    const { ask, service } = createAsked({ base });
    const before = service.add({ alias: "old" });
    const response = await ask("PATCH", `/instances/${before.id}`, {
      body: { restart: false, ...body },
    });
    expect(response.status).toBe(400);
    expect(service.instances.get(before.id)).toBe(before);
  });

  test("aliases are counted in characters, not in UTF-16 units", async () => {
    const { ask, service } = createAsked({ base });
    const { id } = service.add();
    const alias = "🦆".repeat(256);
    expect((await ask("PATCH", `/instances/${id}`, { body: { alias } })).status).toBe(200);
    expect(service.instances.get(id)?.alias).toBe(alias);
    const body = { alias: `${alias}🦆` };
    expect((await ask("PATCH", `/instances/${id}`, { body })).status).toBe(400);
  });

  test("PATCH of an empty alias clears it", async () => {
    const { ask, service } = createAsked({ base });
    const { id } = service.add({ alias: "old" });
    expect(
      (await json(await ask("PATCH", `/instances/${id}`, { body: { alias: "" } }))).alias,
    ).toBe("");
  });

  test("PATCH of restart alone leaves the rest", async () => {
    const { ask, service } = createAsked({ base });
    const before = service.add({ alias: "old", tcprx: 7 });
    const changed = await json(
      await ask("PATCH", `/instances/${before.id}`, { body: { restart: false } }),
    );
    expect(changed).toEqual({ ...before, restart: false });
  });

  test("tags and peer leave each other alone; {} clears the tags", async () => {
    const { ask, service } = createAsked({ base });
    const { id } = service.add();
    const path = `/instances/${id}`;
    await ask("PATCH", path, { body: { meta: { tags: { a: "1", b: "2" } } } });
    await ask("PATCH", path, { body: { meta: { peer: { sid: "s", type: "1", alias: "n" } } } });
    expect(service.instances.get(id)?.meta).toEqual({
      peer: { sid: "s", type: "1", alias: "n" },
      tags: { a: "1", b: "2" },
    });
    await ask("PATCH", path, { body: { meta: { tags: { c: "3" } } } });
    expect(service.instances.get(id)?.meta.tags).toEqual({ c: "3" });
    await ask("PATCH", path, { body: { meta: { tags: {} } } });
    expect(service.instances.get(id)?.meta).toEqual({
      peer: { sid: "s", type: "1", alias: "n" },
      tags: {},
    });
  });

  test("null in meta.peer means empty; null for a whole field means not given", async () => {
    const { ask, service } = createAsked({ base });
    const { id } = service.add({ alias: "old" });
    const peer = { sid: "s", type: null, alias: null };
    await ask("PATCH", `/instances/${id}`, { body: { meta: { peer, tags: null }, alias: null } });
    expect(service.instances.get(id)).toMatchObject({
      alias: "old",
      meta: { peer: { sid: "s", type: "", alias: "" }, tags: {} },
    });
  });

  test("PATCH of nothing answers the instance and asks the service for no change", async () => {
    const { ask, service } = createAsked({ base });
    const before = service.add();
    for (const body of [{}, { meta: {} }, { meta: { peer: null, tags: null } }, { unknown: 1 }]) {
      const response = await ask("PATCH", `/instances/${before.id}`, { body });
      expect(response.status).toBe(200);
      expect(await json(response)).toEqual(before);
    }
    expect(service.calls).toEqual([]);
  });

  test("PUT replaces the URL and keeps the counters", async () => {
    const { ask, service } = createAsked({ base });
    const { id } = service.add({ tcprx: 5 });
    const url = "server://127.0.0.1:10101/127.0.0.1:9090";
    const response = await ask("PUT", `/instances/${id}`, { body: { url } });
    expect(response.status).toBe(200);
    expect(await json(response)).toMatchObject({ id, url, tcprx: 5, status: "running" });
  });

  test("PUT of the URL that it has is 409, of an unusable one 400, of a missing instance 404", async () => {
    const { ask, service } = createAsked({ base });
    const { id, url } = service.add();
    expect((await ask("PUT", `/instances/${id}`, { body: { url } })).status).toBe(409);
    expect((await ask("PUT", `/instances/${id}`, { body: { url: "x" } })).status).toBe(400);
    expect((await ask("PUT", `/instances/${id}`, { body: {} })).status).toBe(400);
    expect((await ask("PUT", "/instances/none", { body: { url } })).status).toBe(404);
  });

  test("DELETE answers 204 without a body when the instance is gone, then 404", async () => {
    const { ask, service } = createAsked({ base });
    const { id } = service.add();
    const response = await ask("DELETE", `/instances/${id}`);
    expect(response.status).toBe(204);
    expect(await response.text()).toBe("");
    expect(service.instances.get(id)).toBeUndefined();
    expect((await ask("DELETE", `/instances/${id}`)).status).toBe(404);
  });

  test("a change that cannot be saved is 503", async () => {
    const { ask, service } = createAsked({ base });
    const { id } = service.add();
    service.failure = "UNAVAILABLE";
    const path = `/instances/${id}`;
    const url = "client://h:1/h:2";
    const answers = [
      await ask("POST", "/instances", { body: { url } }),
      await ask("PATCH", path, { body: { alias: "a" } }),
      await ask("PATCH", `/instances/${KEY_INSTANCE_ID}`, { body: { action: "restart" } }),
      await ask("PUT", path, { body: { url } }),
      await ask("DELETE", path),
      await ask("POST", "/info", { body: { alias: "a" } }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([503, 503, 503, 503, 503, 503]);
  });
});
