import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { inBrowser, useBrowser } from "./support/browser.ts";
import { startMaster } from "./support/master.ts";

const assets = new URL("../dist/site/assets/", import.meta.url);

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** Asks as it is: `fetch` would follow, decode and normalise. */
async function ask(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const { origin } = new URL(url);
  const sent = request(origin, { path: url.slice(origin.length), headers, agent: false });
  sent.end();
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.once("response", resolve).once("error", reject);
  });
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await buffer(answer) };
}

const page = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

describe("the dashboard's files", () => {
  test("the page is at / and under the prefix, with a policy that allows no code of its own", async () => {
    const { site } = await startMaster();
    for (const [path, api] of [
      ["", "api"],
      ["api/ui/", ".."],
      ["api/v1/ui/", ".."],
    ]) {
      const { status, headers, body } = await ask(`${site}${path}`, page);
      expect([status, headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
      expect(String(body)).toContain(`<meta name="nodepass-api" content="${api}">`);
      const policy = headers["content-security-policy"] ?? "";
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
      expect(policy).not.toMatch(/unsafe|\*/);
      // Nothing in the page that the policy would refuse, and no address of another host.
      expect(String(body)).not.toMatch(
        /<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|https?:\/\//,
      );
      const again = await ask(`${site}${path}`, { ...page, "if-none-match": headers.etag ?? "" });
      expect([again.status, again.body.length]).toEqual([304, 0]);
    }
  });

  test("a browser at the prefix is led to it by a relative link, a program gets JSON", async () => {
    const { site } = await startMaster({ url: "master://127.0.0.1:0/a/b?log=warn" });
    const led = await ask(`${site}a/b`, page);
    expect([led.status, led.headers.location]).toEqual([302, "b/ui/"]);
    const slash = await ask(`${site}a/b/ui`, page);
    expect([slash.status, slash.headers.location]).toEqual([302, "ui/"]);
    const told = await ask(`${site}a/b`);
    expect(told.headers["content-type"]).toMatch(/^application\/json/);
    expect(JSON.parse(String(told.body))).toMatchObject({ name: "nodepass" });
  });

  test("files come compressed as they were built, by Accept-Encoding, to be kept for ever", async () => {
    const { site } = await startMaster();
    const name = readdirSync(assets).find((each) => each.endsWith(".js")) ?? "";
    const plain = readFileSync(new URL(name, assets));
    const forms = [
      ["gzip, deflate, br, zstd", "br", brotliDecompressSync],
      ["gzip, deflate", "gzip", gunzipSync],
      ["br;q=0, gzip;q=0.5", "gzip", gunzipSync],
      ["*", "br", brotliDecompressSync],
      ["", undefined, (bytes: Buffer) => bytes],
    ] as const;
    const tags = new Set();
    for (const [accepted, encoding, decode] of forms) {
      const { status, headers, body } = await ask(`${site}assets/${name}`, {
        "accept-encoding": accepted,
      });
      expect([status, headers["content-encoding"]]).toEqual([200, encoding]);
      expect(headers).toMatchObject({
        "content-type": "text/javascript; charset=utf-8",
        "cache-control": "public, max-age=31536000, immutable",
        vary: "Accept-Encoding",
      });
      expect(decode(body).equals(plain)).toBe(true);
      tags.add(headers.etag);
      const again = await ask(`${site}assets/${name}`, {
        "accept-encoding": accepted,
        "if-none-match": headers.etag ?? "",
      });
      expect(again.status).toBe(304);
    }
    expect(tags.size).toBe(3);
  });

  test("the page says that a master serves it", async () => {
    const { site } = await startMaster();
    const { body } = await ask(site, page);
    expect(String(body)).toContain('<meta name="nodepass-server" content="master">');
  });

  test("nothing else is ever read", async () => {
    const { site } = await startMaster();
    for (const path of [
      "assets/..%2findex.html",
      "assets/%2e%2e%2f%2e%2e%2findex.js",
      "assets/../../index.js",
      "assets/x.js",
      "assets/x.map",
      "assets/",
      "index.html",
      "api/ui/assets/..%2f..%2findex.js",
      "favicon.ico",
      "nothing",
    ]) {
      const { status, headers } = await ask(`${site}${path}`, page);
      expect([path, status]).toEqual([path, 404]);
      expect(headers["content-type"]).toMatch(/^application\/json/);
    }
  });

  test("ui=0 leaves it all out: / is what it was before", async () => {
    const { site, master } = await startMaster({ url: "master://127.0.0.1:0?log=warn&ui=0" });
    expect([master.dashboardUrl, master.signInUrl()]).toEqual([undefined, undefined]);
    for (const path of ["", "api/ui/", "assets/index.js"]) {
      const { status, body } = await ask(`${site}${path}`, page);
      expect([status, JSON.parse(String(body))]).toEqual([404, { error: "Not found" }]);
    }
    expect((await ask(`${site}api`, page)).headers.location).toBe("api/docs");
  });

  test("what clients of 1.14 rely on is as it was", async () => {
    const { site, master } = await startMaster();
    const key = { "x-api-key": master.apiKey };
    const unknown = await ask(`${site}api/v1/nothing`, key);
    expect([unknown.status, JSON.parse(String(unknown.body))]).toEqual([
      404,
      { error: "Not found" },
    ]);
    for (const path of ["api/instances", "api/v1/instances"]) {
      expect((await ask(`${site}${path}`)).status).toBe(401);
      expect((await ask(`${site}${path}`, key)).status).toBe(200);
    }
  });

  test("a master's page is 115 kB at most, compressed, and a hub's 60 kB more", () => {
    const size = (begin: RegExp): number =>
      readdirSync(assets)
        .filter((name) => begin.test(name) && name.endsWith(".gz"))
        .reduce((sum, name) => sum + readFileSync(new URL(name, assets)).length, 0);
    // What only a hub's page needs has files of its own, which a master's page does not ask for.
    const [whole, ofFleet] = [size(/./), size(/^fleet-/)];
    process.stderr.write(`dashboard: ${whole - ofFleet} bytes, at a hub ${ofFleet} more\n`);
    expect(whole - ofFleet).toBeGreaterThan(50_000);
    expect(whole - ofFleet).toBeLessThanOrEqual(115_000);
    expect(ofFleet).toBeGreaterThan(10_000);
    expect(ofFleet).toBeLessThanOrEqual(60_000);
  });

  test("a file's name changes with what is in it", () => {
    const names = readdirSync(assets).filter((name) => /\.(?:js|css|svg)$/.test(name));
    for (const name of names) expect(name).toMatch(/^[\w]+-[\w-]{8}\.(?:js|css|svg)$/);
    const digests = names.map((name) =>
      createHash("sha256")
        .update(readFileSync(new URL(name, assets)))
        .digest("hex"),
    );
    expect(new Set(digests).size).toBe(names.length);
  });
});

inBrowser("behind a reverse proxy", () => {
  const open = useBrowser();

  /** Takes a part of the path off, as proxies do, and collects nothing. */
  async function startProxy(target: string, path: string): Promise<string> {
    const proxy = createServer((incoming, outgoing) => {
      if (incoming.url?.startsWith(`${path}/`) !== true) {
        outgoing.writeHead(404).end();
        return;
      }
      const { method, headers } = incoming;
      const onward = request(new URL(incoming.url.slice(path.length), target), { method, headers });
      onward.once("response", (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      onward.once("error", () => outgoing.destroy());
      incoming.pipe(onward);
      outgoing.once("close", () => onward.destroy());
    });
    proxy.listen(0, "127.0.0.1");
    await new Promise((resolve) => proxy.once("listening", resolve));
    onTestFinished(() => {
      proxy.close();
      proxy.closeAllConnections();
    });
    return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${path}/`;
  }

  test.each(["", "api/ui/", "api"])("under a path of its own it works at %j", async (at) => {
    const { site, master, client } = await startMaster();
    await client.create("client://127.0.0.1:0/127.0.0.1:9?mode=1", "web");
    const proxied = await startProxy(site, "/tools/nodepass");
    const page = await open();
    await page.goto(`${proxied}${at}`);
    await page.getByLabel("API key").fill(master.apiKey);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "web" }).waitFor();
    expect(page.url().startsWith(proxied)).toBe(true);
  });

  test("the first view comes within a second, without what is a hub's", async () => {
    const { site } = await startMaster();
    const page = await open();
    page.on("request", (request) => expect(request.url()).not.toContain("/fleet-"));
    // Once for the file system's sake; the browser's cache is new each time.
    await (await open()).goto(site);
    await page.goto(site);
    await page.getByLabel("API key").waitFor();
    // What is in the page need not have been painted yet.
    const entries = "performance.getEntriesByName('first-contentful-paint')";
    await page.waitForFunction(`${entries}.length > 0`);
    const paint = await page.evaluate<number>(`${entries}[0].startTime`);
    // A figure for the log; the bound is far above it, as others use this machine, too.
    process.stderr.write(`dashboard: first view after ${Math.round(paint)} ms\n`);
    expect(paint).toBeLessThan(5000);
  });
});
