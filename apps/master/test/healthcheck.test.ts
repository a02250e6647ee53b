import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { reservePort } from "test-support";
import { expect, it, onTestFinished } from "vitest";
import { runCommand, startMaster, temporaryFolder } from "./support/run-master.ts";

const entry = fileURLToPath(new URL("../dist/healthcheck.js", import.meta.url));
const check = (url: string) => runCommand({ entry, environment: { NP_MASTER_URL: url } });

it.each(["127.0.0.1", "0.0.0.0", ""])(
  "finds a master on %j healthy, with TLS too",
  async (host) => {
    for (const query of ["", "?tls=1"]) {
      const url = `master://${host}:${await reservePort()}/deep/prefix${query}`;
      await startMaster(temporaryFolder(), { url });
      expect(await check(url)).toEqual({ code: 0, stdout: "", stderr: "" });
    }
  },
);

it("says that nobody listens", async () => {
  const { code, stderr } = await check(`master://127.0.0.1:${await reservePort()}`);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^unhealthy: .*ECONNREFUSED.*\n$/);
});

it("says that another program answers", async () => {
  const server = createServer((_request, response) => response.writeHead(404).end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  expect(await check(`master://127.0.0.1:${port}`)).toEqual({
    code: 1,
    stdout: "",
    stderr: "unhealthy: the master answers 404\n",
  });
});
