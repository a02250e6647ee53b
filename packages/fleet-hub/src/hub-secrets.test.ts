import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fingerprintOf } from "@nodepass/fleet-protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isSecretOf, readTokenText } from "./access/token-text.ts";
import {
  createFleet,
  decodeHubSecrets,
  encodeHubSecrets,
  HUB_SECRETS_FILE,
  readHubSecrets,
  writeHubSecrets,
} from "./hub-secrets.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "nodepass-hub-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const options = {
  fleet: "home",
  servers: ["nats://127.0.0.1:4222"],
  hubs: ["https://hub.example/api"],
};

test("a fleet's secrets survive their file, which is for its owner only", async () => {
  const { hub, adminToken } = await createFleet(options);
  const folder = join(directory, "one");
  await writeHubSecrets(folder, hub);
  expect((await stat(join(folder, HUB_SECRETS_FILE))).mode & 0o777).toBe(0o600);
  const read = await readHubSecrets(folder);
  expect(read.secrets.reveal()).toMatchObject(hub.secrets.reveal());
  expect(read).toMatchObject({ servers: options.servers, memberServers: options.servers, ca: "" });
  const text = readTokenText(adminToken);
  expect(text?.id).toBe(read.firstToken?.id);
  const hash = new Uint8Array(Buffer.from(read.firstToken?.hash ?? "", "base64url"));
  expect(isSecretOf(text?.secret ?? "", hash)).toBe(true);
  expect(isSecretOf(`${text?.secret ?? ""}x`, hash)).toBe(false);
  // The token itself is not in the file.
  expect(encodeHubSecrets(hub)).not.toContain(text?.secret);
});

test("a file that others may read is refused, as is one of another shape", async () => {
  const { hub } = await createFleet(options);
  const folder = join(directory, "two");
  await writeHubSecrets(folder, hub);
  await chmod(join(folder, HUB_SECRETS_FILE), 0o644);
  await expect(readHubSecrets(folder)).rejects.toThrow("mode 644");
  await expect(readHubSecrets(join(directory, "none"))).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
  });
  expect(() => decodeHubSecrets("{")).toThrow("no JSON");
  const cut = encodeHubSecrets(hub).replace('"servers"', '"server"');
  expect(() => decodeHubSecrets(cut)).toThrow("another shape at servers");
});

test("what can't be a fleet is named", async () => {
  await expect(createFleet({ ...options, servers: ["localhost"] })).rejects.toThrow("servers");
  await expect(createFleet({ ...options, hubs: ["ftp://x"] })).rejects.toThrow("hubs");
  await expect(createFleet({ ...options, fleet: "No!" })).rejects.toThrow("No!");
});

test("nothing that prints a hub's secrets shows one", async () => {
  const { hub } = await createFleet(options);
  expect(JSON.stringify(hub)).toContain(fingerprintOf(hub.secrets.boxKeys.publicKey));
  expect(JSON.stringify(hub)).not.toContain(hub.secrets.reveal().system.seed);
});
