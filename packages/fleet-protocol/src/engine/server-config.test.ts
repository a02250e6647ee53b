import { describe, expect, test } from "vitest";
import { createFleetIdentity } from "../identity/fleet-identity.ts";
import { configText } from "./config-text.ts";
import { type ServerConfigOptions, serverConfig } from "./server-config.ts";

const { secrets } = await createFleetIdentity("demo");
const small: ServerConfigOptions = { name: "n1", listen: "0.0.0.0:4222", storeDir: "/data" };

/** Without the JWTs and keys, which are different each time. */
const config = (options: Partial<ServerConfigOptions> = {}) =>
  serverConfig(secrets, { ...small, ...options })
    .replace(/"eyJ[\w.-]+"/g, "JWT")
    .replaceAll(secrets.account, "ACCOUNT")
    .replaceAll(secrets.systemAccount, "SYSTEM");

describe("a server's configuration", () => {
  test("of a small fleet is this", () => {
    expect(config()).toBe(`server_name: "n1"
listen: "0.0.0.0:4222"
max_payload: 2097152
max_pending: 16777216
max_connections: 65536
write_deadline: "5s"
ping_interval: "3300ms"
ping_max: 1
authorization {
  timeout: 10
}
jetstream {
  store_dir: "/data"
  sync_interval: "always"
}
operator: JWT
system_account: "SYSTEM"
resolver {
  type: "full"
  dir: "/data/jwt"
  allow_delete: true
  interval: "2m"
  timeout: "1900ms"
}
resolver_preload {
  SYSTEM: JWT
  ACCOUNT: JWT
}
`);
  });

  test("has TLS 1.3 at each listener that is given a certificate", () => {
    const tls = { certFile: "/c.pem", keyFile: "/k.pem" };
    const text = config({
      tls,
      websocket: { listen: ":443", tls },
      cluster: {
        name: "core",
        listen: ":6222",
        routes: ["a:6222", "b:6222"],
        secret: "sixteen letters:@/",
        tls: { ...tls, clientCaFile: "/ca.pem" },
      },
    });
    expect(text.match(/min_version: "1.3"/g)).toHaveLength(3);
    expect(text.match(/verify: true/g)).toHaveLength(1);
    expect(text).toContain(
      'routes: ["nats-route://route:sixteen%20letters%3A%40%2F@a:6222", "nats-route://route:sixteen%20letters%3A%40%2F@b:6222"]',
    );
    expect(text).not.toContain("no_tls");
    expect(config({ websocket: { listen: ":80" } })).toContain("no_tls: true");
  });

  test("says what else was asked for", () => {
    const text = config({
      domain: "core",
      maxStoreBytes: 1e9,
      monitor: "127.0.0.1:8222",
      maxConnections: 10,
      pingIntervalMs: 2000,
    });
    expect(text).toContain('domain: "core"');
    expect(text).toContain("max_file_store: 1000000000");
    expect(text).toContain('http: "127.0.0.1:8222"');
    expect(text).toContain("max_connections: 10\n");
    expect(text).toContain('ping_interval: "2000ms"');
  });

  test("has no seed in it", () => {
    const { operator, system, account } = secrets.reveal();
    const text = serverConfig(secrets, small);
    for (const seed of [operator.signingSeed, system.seed, account.memberSeed, account.hubSeed]) {
      expect(text).not.toContain(seed);
    }
  });

  test("cannot be broken out of by a text", () => {
    expect(config({ name: 'a" } \\ $HOME # {' })).toContain(
      'server_name: "a\\" } \\\\ $HOME # {"\n',
    );
    for (const name of ["a\nlisten: 1", "a\u0000", "a\u007f"]) {
      expect(() => config({ name })).toThrow("control character");
    }
  });

  test("is not made with a secret between servers that can be guessed", () => {
    const cluster = { name: "core", listen: ":6222", routes: [], secret: "short" };
    expect(() => config({ cluster })).toThrow("at least 16 characters");
  });
});

test("values are written as the server reads them", () => {
  const text = configText({ a: "1k", b: 1, c: true, d: undefined, e: ["x", 2], f: { g: {} } });
  expect(text).toBe('a: "1k"\nb: 1\nc: true\ne: ["x", 2]\nf {\n  g {\n  }\n}\n');
});
