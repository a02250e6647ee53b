import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { MasterServerError } from "../src/index.ts";
import { firstPair, secondPair } from "./support/certificates.ts";
import { startMaster, type TestMasterOptions, temporaryFolder } from "./support/start-master.ts";

async function failure(options: TestMasterOptions): Promise<MasterServerError> {
  const error: unknown = await startMaster(options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof MasterServerError)) throw new Error(`unexpected: ${error}`);
  return error;
}

it("says that the address is in use, and gives the state up", async () => {
  const { master } = await startMaster();
  const stateDirectory = temporaryFolder();
  const url = `master://127.0.0.1:${master.address.port}`;
  const error = await failure({ url, stateDirectory });
  expect(error).toMatchObject({
    code: "ADDRESS_IN_USE",
    message: `cannot listen on 127.0.0.1:${master.address.port}: the address is in use (EADDRINUSE)`,
  });
  expect((await startMaster({ stateDirectory })).master.freshKey).toBe(true);
});

it("says that an address is not one of this host", async () => {
  // 192.0.2.0/24 is for documentation only.
  expect(await failure({ url: "master://192.0.2.1:0" })).toMatchObject({
    code: "ADDRESS_UNUSABLE",
    message: expect.stringContaining("this host has no such address (EADDRNOTAVAIL)"),
  });
});

it("says who holds the state", async () => {
  const { stateDirectory } = await startMaster();
  expect(await failure({ stateDirectory })).toMatchObject({
    code: "STATE_LOCKED",
    message: expect.stringContaining(`${process.pid}`),
  });
});

it("says what is wrong with a certificate, before it touches the state", async () => {
  const folder = temporaryFolder();
  const [crt, key] = [join(folder, "crt"), join(folder, "key")];
  const stateDirectory = join(folder, "state");
  writeFileSync(crt, firstPair.certificate);
  writeFileSync(key, secondPair.key);
  const query = new URLSearchParams({ tls: "2", crt, key });
  expect(await failure({ url: `master://127.0.0.1:0?${query}`, stateDirectory })).toMatchObject({
    code: "CERTIFICATE_INVALID",
    message: `key ${key} does not belong to certificate ${crt}`,
  });
  expect(existsSync(stateDirectory)).toBe(false);
});

it("says why the state cannot be used", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "file");
  writeFileSync(file, "");
  expect(await failure({ stateDirectory: join(file, "state") })).toMatchObject({
    code: "STATE_UNUSABLE",
  });
});

// Root may read and write everything: nothing is refused.
it.skipIf(process.getuid?.() === 0)("says that it may not write the state", async () => {
  const folder = join(temporaryFolder(), "state");
  mkdirSync(folder);
  chmodSync(folder, 0o500);
  expect(await failure({ stateDirectory: folder })).toMatchObject({ code: "STATE_UNUSABLE" });
});

it.each([
  [{ limits: { maxConnections: 0 } }, "limits.maxConnections is 0, must be an integer from 1"],
  [{ limits: { requestTimeoutMs: 9999 } }, "limits.requestTimeoutMs is 9999, must be"],
  [{ stateDirectory: "" }, "stateDirectory is empty"],
  [{ workers: 1000 }, "workers is 1000"],
])("refuses %j", async (options, message) => {
  expect(await failure(options)).toMatchObject({
    code: "INVALID_OPTIONS",
    message: expect.stringContaining(message),
  });
});

it("gives up when its signal aborts", async () => {
  const stateDirectory = temporaryFolder();
  const reason = new Error("enough");
  await expect(startMaster({ stateDirectory, signal: AbortSignal.abort(reason) })).rejects.toBe(
    reason,
  );
  await startMaster({ stateDirectory });
});
