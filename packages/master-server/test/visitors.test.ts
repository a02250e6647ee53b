import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseMasterUrl } from "@nodepass/url-config";
import { expect, it, onTestFinished, vi } from "vitest";
import { runMaster } from "../src/index.ts";
import { startMaster, type TestMaster } from "./support/start-master.ts";

/** Asks for `/info` from an own address. @returns the status, or the error's code */
function askFrom({ master }: TestMaster, localAddress: string): Promise<number | string> {
  return new Promise((resolve) => {
    const asking = request({
      host: "127.0.0.1",
      port: master.address.port,
      path: "/api/info",
      headers: { "X-API-Key": master.apiKey },
      agent: false,
      localAddress,
    });
    asking.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asking.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asking.end();
  });
}

it("lets to its API whom its URL lets in, and follows the file of them", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nodepass-visitors-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "admins.txt");
  await writeFile(file, "127.0.0.10\n");
  const url = `master://127.0.0.1:0/api?allow=127.0.0.1,file:${file}&deny=127.0.0.12`;
  const started = await startMaster({ url });
  expect(await askFrom(started, "127.0.0.1")).toBe(200);
  expect(await askFrom(started, "127.0.0.10")).toBe(200);
  expect(await askFrom(started, "127.0.0.11")).toBe("ECONNRESET");
  expect(started.log()).toContain("API connection refused");
  await writeFile(file, "127.0.0.11\n127.0.0.12\n");
  await vi.waitFor(async () => expect(await askFrom(started, "127.0.0.11")).toBe(200), 5000);
  expect(await askFrom(started, "127.0.0.12")).toBe("ECONNRESET");
});

it("does not start with a file that is not there", async () => {
  const stateDirectory = await mkdtemp(join(tmpdir(), "nodepass-visitors-"));
  onTestFinished(() => rm(stateDirectory, { recursive: true }));
  const settings = parseMasterUrl("master://127.0.0.1:0/api?deny=file:/nonexistent/list.txt");
  await expect(runMaster({ settings, stateDirectory })).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
    message: "file /nonexistent/list.txt cannot be used: ENOENT",
  });
});
