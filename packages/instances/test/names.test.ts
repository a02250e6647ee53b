import { once } from "node:events";
import { createServer, get } from "node:http";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { realMaster } from "./support/real-master.ts";

const HOST = `127.${80 + ((process.pid >> 8) & 0x3f)}.${process.pid & 0xff}.9`;

/** Asks the shared port for a name. */
function ask(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asking = get({ host: HOST, port: 8080, headers: { host }, agent: false });
    asking.on("response", (response) => resolve(text(response)));
    asking.on("error", reject);
  });
}

it("servers that share a users' port run in one worker, and names are told apart", async () => {
  const master = await realMaster({ workers: 3 });
  onTestFinished(() => master.close());
  const { manager } = master;
  const site = createServer((request, response) => {
    response.end(`${request.headers.host} ${request.socket.localPort}`);
  }).listen(0, "127.0.0.1");
  onTestFinished(() => {
    site.close();
  });
  await once(site, "listening");
  const address = site.address();
  const target = typeof address === "object" ? address?.port : 0;
  const server = (query: string) =>
    manager.create({ url: `server://k@127.0.0.1:0/${HOST}:8080?mode=1&noudp=1${query}` });
  const made = [
    await server(""),
    // Others in between: they are spread over the workers.
    await manager.create({ url: `client://127.0.0.1:0/127.0.0.1:${target}?mode=1&noudp=1` }),
    await server("&host=a.example.com"),
    await server("&host=*.b.example.com,c.example.com"),
  ];
  expect(made.map(({ status }) => status)).toEqual(["running", "running", "running", "running"]);
  for (const [index, { id }] of made.entries()) {
    if (index === 1) continue;
    const port = manager.details(id)?.tunnelAddress?.port;
    await manager.create({ url: `client://k@127.0.0.1:${port}/127.0.0.1:${target}?mode=2&min=1` });
  }
  for (const name of ["a.example.com", "x.b.example.com", "c.example.com", "rest.example.com"]) {
    expect(await ask(name)).toBe(`${name} ${target}`);
  }
  expect((await manager.get(made[2]?.id ?? ""))?.accepted).toBeDefined();
  await expect(server("&host=c.example.com")).rejects.toMatchObject({
    code: "CONFLICT",
    message: `address ${HOST}:8080 is held by instance ${made[3]?.id}`,
  });
  await expect(server("")).rejects.toMatchObject({ code: "CONFLICT" });
  // Another name, while the others go on.
  await manager.replaceUrl(
    made[2]?.id ?? "",
    `server://k@127.0.0.1:0/${HOST}:8080?mode=1&noudp=1&host=d.example.com`,
  );
  expect((await manager.get(made[2]?.id ?? ""))?.status).toBe("running");
  await manager.update(made[0]?.id ?? "", { action: "stop" });
  expect(await ask("c.example.com")).toMatch(/^c\.example\.com/);
  expect(await ask("rest.example.com")).toMatch(/^No tunnel on this port serves/);
});
