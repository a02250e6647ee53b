import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import {
  createFleetIdentity,
  type EngineTls,
  type FleetSecrets,
  memberSubjects,
  serverConfig,
} from "@nodepass/fleet-protocol";
import {
  findNatsServer,
  type NatsPlace,
  type NatsServer,
  startNatsCluster,
  startNatsServer,
} from "test-support/nats";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Connections, joinMember } from "./support/fleet-engine.ts";

const MID = "00000000000000a1";

function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!hasOpenssl() || findNatsServer() === undefined)("an engine with TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "nodepass-engine-tls-"));
  const tls: EngineTls = { certFile: join(folder, "cert"), keyFile: join(folder, "key") };
  const connections = new Connections();
  let secrets: FleetSecrets;
  let servers: NatsServer[] = [];

  beforeAll(async () => {
    const subject = ["-subj", "/CN=engine", "-addext", "subjectAltName=IP:127.0.0.1"];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout"];
    const request = ["req", "-x509", "-days", "2", ...subject, ...key, tls.keyFile];
    execFileSync("openssl", [...request, "-out", tls.certFile], { stdio: "ignore" });
    ({ secrets } = await createFleetIdentity("demo"));
  });
  afterEach(async () => {
    await connections.close();
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const config = (place: NatsPlace) =>
    serverConfig(secrets, {
      name: place.name,
      listen: place.listen,
      tls,
      websocket: { listen: place.websocket, tls },
      storeDir: place.dir,
    });

  /** The TLS version that a listener agrees to, or the reason why it does not. */
  async function agreed(address: string, maxVersion: "TLSv1.2" | "TLSv1.3"): Promise<string> {
    const [host, port] = address.split(":");
    const ca = readFileSync(tls.certFile);
    const socket = connect({ host, port: Number(port), ca, maxVersion });
    try {
      await once(socket, "secureConnect");
      return socket.getProtocol() ?? "none";
    } catch (error) {
      return String(error);
    } finally {
      socket.destroy();
    }
  }

  test("is reached with its certificate checked, and with TLS 1.3 only", async () => {
    const server = await startNatsServer(config);
    servers = [server];
    const credentials = await joinMember(secrets, MID);
    const ca = readFileSync(tls.certFile, "utf8");
    const member = await connections.memberByTls(server.url, credentials, { ca });
    member.publish(memberSubjects("demo", MID).heartbeat);
    await member.flush();
    expect(member.info?.tls_required).toBe(true);
    await expect(connections.memberByTls(server.url, credentials, {})).rejects.toThrow(
      /self-signed/,
    );
    expect(await agreed(server.place.websocket, "TLSv1.3")).toBe("TLSv1.3");
    expect(await agreed(server.place.websocket, "TLSv1.2")).toMatch(/version/);
  });

  test("is one engine when its servers speak TLS to each other", async () => {
    servers = await startNatsCluster(
      (place) =>
        serverConfig(secrets, {
          name: place.name,
          listen: place.listen,
          storeDir: place.dir,
          cluster: {
            name: "core",
            secret: "a secret between servers",
            tls: { ...tls, clientCaFile: tls.certFile },
            ...place.cluster,
          },
        }),
      3,
    );
    const credentials = await joinMember(secrets, MID);
    const [hub, member] = [
      await connections.hub(servers[0]?.url ?? "", secrets),
      await connections.member(servers[2]?.url ?? "", credentials),
    ];
    const { heartbeat } = memberSubjects("demo", MID);
    const heard = hub.subscribe(heartbeat, { max: 1 });
    await hub.flush();
    // The interest of one server reaches the others a little later.
    const beat = setInterval(() => member.publish(heartbeat), 50);
    for await (const message of heard) expect(message.subject).toBe(heartbeat);
    clearInterval(beat);
  });
});
