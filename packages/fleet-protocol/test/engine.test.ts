import {
  AuthorizationError,
  type NatsConnection,
  PermissionViolationError,
  UserAuthenticationExpiredError,
} from "@nats-io/nats-core";
import {
  CLAIMS_UPDATE_SUBJECT,
  claimsLookupSubject,
  createFleetIdentity,
  ENGINE_QUESTION_SUBJECT,
  type FleetSecrets,
  judgeEngine,
  memberSubjects,
  readClaimsAnswer,
  readEngineAnswer,
  retireSigners,
  revokeMembers,
  rotateSigner,
  serverConfig,
} from "@nodepass/fleet-protocol";
import {
  findNatsServer,
  type NatsPlace,
  type NatsServer,
  startNatsCluster,
  startNatsServer,
} from "test-support/nats";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { createNKey, signScopedUser, signUser } from "../src/identity/nats-jwt.ts";
import { createSigner } from "../src/identity/signer.ts";
import { Connections, joinMember, type MemberCredentials } from "./support/fleet-engine.ts";

const OWN = "00000000000000a1";
const OTHER = "00000000000000b2";
const own = memberSubjects("demo", OWN);
const other = memberSubjects("demo", OTHER);
const body = new TextEncoder().encode("x");

const connections = new Connections();
afterEach(() => connections.close());

const oneServer = (secrets: FleetSecrets) => (place: NatsPlace) =>
  serverConfig(secrets, {
    name: place.name,
    listen: place.listen,
    websocket: { listen: place.websocket },
    storeDir: place.dir,
  });

/** The first permission that the server refuses this connection. */
async function refusal(connection: NatsConnection): Promise<PermissionViolationError> {
  for await (const status of connection.status()) {
    if (status.type === "error" && status.error instanceof PermissionViolationError) {
      return status.error;
    }
  }
  throw new Error("closed before anything was refused");
}

async function push(system: NatsConnection, accountJwt: string): Promise<void> {
  const answer = await system.request(CLAIMS_UPDATE_SUBJECT, accountJwt, { timeout: 20_000 });
  expect(readClaimsAnswer(answer.data)).toMatchObject({ ok: true, message: "jwt updated" });
}

describe.skipIf(findNatsServer() === undefined)("a member's credentials at one server", () => {
  let secrets: FleetSecrets;
  let server: NatsServer;
  let credentials: MemberCredentials;

  beforeAll(async () => {
    ({ secrets } = await createFleetIdentity("demo"));
    server = await startNatsServer(oneServer(secrets));
    credentials = await joinMember(secrets, OWN);
  });
  afterAll(() => server?.close());

  test.each([own.heartbeat, own.sync, own.lease, own.done, own.stream("ab12"), own.event])(
    "may publish %s",
    async (subject) => {
      const hub = await connections.hub(server.url, secrets);
      const heard = hub.subscribe(subject, { max: 1 });
      await hub.flush();
      const member = await connections.member(server.url, credentials);
      member.publish(subject, body);
      for await (const message of heard) expect(message.string()).toBe("x");
    },
  );

  test.each(["tcp", "websocket"])("let it be asked and ask, by %s", async (road) => {
    const hub = await connections.hub(server.url, secrets);
    const member =
      road === "tcp"
        ? await connections.member(server.url, credentials)
        : await connections.memberByWebSocket(server.websocketUrl, credentials);
    member.subscribe(own.inbound, { callback: (_, message) => void message.respond("here") });
    hub.subscribe(own.sync, { callback: (_, message) => void message.respond("set") });
    await Promise.all([member.flush(), hub.flush()]);
    const big = new Uint8Array(1024 * 1024 + 1000);
    expect((await hub.request(own.api, big, { timeout: 20_000 })).string()).toBe("here");
    expect((await member.request(own.sync, body, { timeout: 20_000 })).string()).toBe("set");
  });

  test("answer a request once, and nothing that was not asked", async () => {
    const hub = await connections.hub(server.url, secrets);
    const member = await connections.member(server.url, credentials);
    const refused = refusal(member);
    const answers: string[] = [];
    hub.subscribe("_INBOX.once", { callback: (_, message) => void answers.push(message.string()) });
    member.subscribe(own.inbound, {
      callback: (_, message) => {
        message.respond("first");
        message.respond("second");
      },
    });
    await Promise.all([member.flush(), hub.flush()]);
    hub.publish(own.api, body, { reply: "_INBOX.once" });
    expect(await refused).toMatchObject({ operation: "publish", subject: "_INBOX.once" });
    await Promise.all([member.flush(), hub.flush()]);
    expect(answers).toEqual(["first"]);
  });

  test.each([
    ["another's heartbeat", other.heartbeat],
    ["another's sync", other.sync],
    ["another's lease", other.lease],
    ["another's answer", other.stream("ab12")],
    ["another's events", other.event],
    ["what hubs tell it itself", own.apply],
    ["what hubs tell another", other.api],
    ["what hubs tell each other", "np.demo.hubs.notices"],
    ["its heartbeat in another fleet", memberSubjects("prod", OWN).heartbeat],
    ["a hub's inbox", "_INBOX.abc"],
    ["another's inbox", `_INBOX_${OTHER}.abc`],
    ["the JetStream API", "$JS.API.INFO"],
    ["a stream's messages by direct get", "$JS.API.DIRECT.GET.KV_np_demo_svc.$KV.np_demo_svc.a"],
    ["a bucket's key", "$KV.np_demo_svc.a"],
    ["a system request", "$SYS.REQ.SERVER.PING"],
    ["any subject", "x"],
  ])("do not publish %s", async (_, subject) => {
    const hub = await connections.hub(server.url, secrets);
    let heard = 0;
    hub.subscribe(">", {
      callback: (_error, message) => {
        if (message.subject === subject) heard += 1;
      },
    });
    await hub.flush();
    const member = await connections.member(server.url, credentials);
    const refused = refusal(member);
    member.publish(subject, body);
    expect(await refused).toMatchObject({ operation: "publish", subject });
    await hub.flush();
    expect(heard).toBe(0);
  });

  test.each([
    ["everything", ">"],
    ["the fleet", "np.demo.>"],
    ["all members' heartbeats", "np.demo.hb.*"],
    ["another's heartbeat", other.heartbeat],
    ["its own sync, which is for hubs", own.sync],
    ["what hubs tell another", other.inbound],
    ["what hubs tell anybody", "np.demo.m.*.>"],
    ["hubs' inboxes", "_INBOX.>"],
    ["another's inbox", `_INBOX_${OTHER}.>`],
    ["all inboxes", "*.>"],
    ["buckets", "$KV.>"],
    ["the JetStream API", "$JS.API.>"],
    ["direct get", "$JS.API.DIRECT.GET.>"],
    ["the server's events", "$SYS.>"],
  ])("do not listen to %s", async (_, subject) => {
    const member = await connections.member(server.url, credentials);
    const refused = refusal(member);
    let heard = 0;
    member.subscribe(subject, {
      callback: (error) => {
        if (error === null) heard += 1;
      },
    });
    expect(await refused).toMatchObject({ operation: "subscription", subject });
    const hub = await connections.hub(server.url, secrets);
    for (const told of [other.apply, other.heartbeat, own.sync, "_INBOX.x", "$KV.np_demo_svc.a"]) {
      hub.publish(told, body);
    }
    await hub.flush();
    await member.flush();
    expect(heard).toBe(0);
  });

  test("are refused with another's name written into them", async () => {
    const [head, claims = "", seal] = credentials.jwt.split(".");
    const text = Buffer.from(claims, "base64url").toString().replaceAll(OWN, OTHER);
    const forged = [head, Buffer.from(text).toString("base64url"), seal].join(".");
    await expect(
      connections.member(server.url, { ...credentials, mid: OTHER, jwt: forged }),
    ).rejects.toThrow(AuthorizationError);
  });

  test("are refused when signed by a key that is not the account's", async () => {
    const { userPublicKey } = credentials;
    const later = Date.now() + 60_000;
    const signer = createSigner(createNKey("account").seed);
    for (const jwt of [
      await signScopedUser(signer, secrets.account, OWN, userPublicKey, later),
      await signUser(signer, secrets.account, "hub", userPublicKey, {}, later),
    ]) {
      const forged = { ...credentials, jwt };
      await expect(connections.member(server.url, forged)).rejects.toThrow(AuthorizationError);
    }
  });

  test("are refused with permissions of their own, though the members' key has signed them", async () => {
    const signer = secrets.signer("members");
    const all = { pub: { allow: [">"], deny: [] }, sub: { allow: [">"], deny: [] } };
    const later = Date.now() + 60_000;
    const { userPublicKey } = credentials;
    const jwt = await signUser(signer, secrets.account, OWN, userPublicKey, all, later);
    const wide = { ...credentials, jwt };
    await expect(connections.member(server.url, wide)).rejects.toThrow(AuthorizationError);
  });

  test("are refused to who does not have their seed", async () => {
    const stolen = { ...credentials, seed: createNKey("user").seed };
    await expect(connections.member(server.url, stolen)).rejects.toThrow(AuthorizationError);
  });

  test("that expire close an open connection, and open none", async () => {
    const short = await joinMember(secrets, OTHER, Date.now() + 3000);
    const member = await connections.member(server.url, short);
    const reason = await member.closed();
    expect(reason).toBeInstanceOf(UserAuthenticationExpiredError);
    // Until the second of its expiry is over the server lets it in, and closes it at once.
    await vi.waitFor(
      () => expect(connections.member(server.url, short)).rejects.toThrow(AuthorizationError),
      { timeout: 20_000, interval: 250 },
    );
  });

  test("that are revoked are cut off, also after the server's restart; others are not", async () => {
    const system = await connections.system(server.url, secrets);
    const [bad, good] = [await joinMember(secrets, OTHER), await joinMember(secrets, OWN)];
    const cut = await connections.member(server.url, bad);
    const staying = await connections.member(server.url, good);
    const lookup = await system.request(claimsLookupSubject(secrets.account));
    const revoked = await revokeMembers(secrets, lookup.string(), [bad.userPublicKey]);
    const began = performance.now();
    await push(system, revoked);
    await cut.closed();
    console.log(
      `a revoked member is cut ${Math.round(performance.now() - began)} ms after the push`,
    );
    expect(staying.isClosed()).toBe(false);
    await expect(connections.member(server.url, bad)).rejects.toThrow(AuthorizationError);
    await server.restart();
    await expect(connections.member(server.url, bad)).rejects.toThrow(AuthorizationError);
    expect((await connections.member(server.url, good)).isClosed()).toBe(false);
  });

  test("outlive the key that signed them until it is retired", async () => {
    const system = await connections.system(server.url, secrets);
    const lookup = await system.request(claimsLookupSubject(secrets.account));
    const before = await joinMember(secrets, OWN);
    const rotated = await rotateSigner(secrets, lookup.string(), "members");
    await push(system, rotated.accountJwt);
    const old = await connections.member(server.url, before);
    const after = await joinMember(rotated.secrets, OWN);
    const renewed = await connections.member(server.url, after);
    const { accountJwt } = await retireSigners(rotated.secrets, rotated.accountJwt, "members");
    await push(system, accountJwt);
    await old.closed();
    expect(renewed.isClosed()).toBe(false);
    await expect(connections.member(server.url, before)).rejects.toThrow(AuthorizationError);
    // For the tests after this one.
    ({ secrets } = rotated);
    credentials = after;
  });

  test("of the system account ask, and do no more", async () => {
    const system = await connections.system(server.url, secrets);
    const refused = refusal(system);
    system.publish(`$SYS.REQ.SERVER.${system.info?.server_id}.RELOAD`, body);
    expect(await refused).toMatchObject({ operation: "publish" });
  });
});

describe.skipIf(findNatsServer() === undefined)("an engine's servers", () => {
  let secrets: FleetSecrets;
  let servers: NatsServer[] = [];

  const cluster = (place: NatsPlace) =>
    serverConfig(secrets, {
      name: place.name,
      listen: place.listen,
      storeDir: place.dir,
      cluster: { name: "core", secret: "a cluster's own secret: @/%", ...place.cluster },
    });
  const lazily = (text: string) => text.replace('sync_interval: "always"', 'sync_interval: "90s"');

  beforeAll(async () => {
    ({ secrets } = await createFleetIdentity("demo"));
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  async function judged(expected: number) {
    const system = await connections.system(servers[0]?.url ?? "", secrets);
    const answers = [];
    const asked = await system.requestMany(ENGINE_QUESTION_SUBJECT, "", {
      strategy: "count",
      maxMessages: expected,
      maxWait: 10_000,
    });
    for await (const answer of asked) {
      const read = readEngineAnswer(answer.data);
      if (read !== undefined) answers.push(read);
    }
    return { answers, problems: judgeEngine(answers) };
  }

  test("say that they write at once, when it is one", async () => {
    servers = [await startNatsServer(oneServer(secrets))];
    const { answers, problems } = await judged(1);
    expect(problems).toEqual([]);
    expect(answers).toMatchObject([
      { server: "n1", activeServers: 1, jetstream: { syncAlways: true } },
    ]);
  });

  test("say that they write lazily, when it is one", async () => {
    servers = [await startNatsServer((place) => lazily(oneServer(secrets)(place)))];
    const { problems } = await judged(1);
    expect(problems).toMatchObject([{ code: "SYNC_INTERVAL", server: "n1" }]);
    expect(problems[0]?.message).toContain("every 90 s");
  });

  test("say which of three writes lazily", async () => {
    servers = await startNatsCluster((place) =>
      place.name === "n2" ? lazily(cluster(place)) : cluster(place),
    );
    const { answers, problems } = await judged(3);
    expect(answers.map(({ server }) => server).sort()).toEqual(["n1", "n2", "n3"]);
    expect(answers.map(({ activeServers }) => activeServers)).toEqual([3, 3, 3]);
    expect(problems).toMatchObject([{ code: "SYNC_INTERVAL", server: "n2" }]);
  });

  test("are three that know each other: what is revoked at one is at all; a dead one is missed", async () => {
    servers = await startNatsCluster(cluster);
    const [first, second, third] = servers;
    if (first === undefined || second === undefined || third === undefined) throw new Error("no");
    expect((await judged(3)).problems).toEqual([]);
    const bad = await joinMember(secrets, OTHER);
    const cut = await connections.member(third.url, bad);
    const system = await connections.system(first.url, secrets);
    const { jwt } = secrets.reveal().account;
    await push(system, await revokeMembers(secrets, jwt, [bad.userPublicKey]));
    await cut.closed();
    await expect(connections.member(second.url, bad)).rejects.toThrow(AuthorizationError);
    await second.kill();
    expect((await judged(2)).problems).toMatchObject([{ code: "NO_ANSWER", fatal: false }]);
    await second.restart();
    await expect(connections.member(second.url, bad)).rejects.toThrow(AuthorizationError);
  });

  test("let nobody be one of them who does not know their secret", async () => {
    servers = await startNatsCluster(cluster, 2);
    const [first, second] = servers;
    if (first === undefined || second === undefined) throw new Error("no");
    const routes = [first.place.cluster.listen];
    const stranger = await startNatsServer((place) =>
      cluster({ ...place, name: "x", cluster: { ...place.cluster, routes } })
        .replaceAll("own%20secret", "other%20one")
        // Its own JetStream would wait for a leader that it never gets.
        .replace(/^jetstream \{[^}]*\}/m, ""),
    );
    servers.push(stranger);
    await expect.poll(() => first.log()).toMatch(/authentication error/);
    expect((await judged(2)).answers.map(({ server }) => server).sort()).toEqual(["n1", "n2"]);
  });
});
