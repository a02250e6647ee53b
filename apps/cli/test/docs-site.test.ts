import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { workspaceFolder } from "./support/pack.ts";

/** What `npm run docs` makes; building fails for a link to a page, or a file, that is not there. */
describe("the documents as a site", () => {
  let site = "";
  const html = (page: string): string => readFileSync(join(site, `${page}.html`), "utf8");

  beforeAll(() => {
    site = mkdtempSync(join(tmpdir(), "nodepass-docs-"));
    const argv = ["scripts/run.mjs", "docs", "--outDir", site];
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
      cwd: workspaceFolder,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`npm run docs ends with ${status}:\n${stdout}${stderr}`);
  }, 600_000);

  afterAll(() => rmSync(site, { recursive: true, force: true }));

  it("has a page for every document, and for the Chinese ones", () => {
    const names = (folder: string): string[] =>
      readdirSync(`${workspaceFolder}/${folder}`).flatMap((name) =>
        name.endsWith(".md") ? [name.replace(/\.md$/, "")] : [],
      );
    const pages = [
      ...["index", "zh/index", "deploy", "changelog", "reporting"],
      ...names("docs"),
      ...names("docs/zh").map((name) => `zh/${name}`),
      ...["packages", "apps"].flatMap((parent) =>
        readdirSync(`${workspaceFolder}/${parent}`).map((name) => `${parent}/${name}`),
      ),
    ];
    expect(pages.length).toBeGreaterThan(30);
    expect(pages.filter((page) => !existsSync(join(site, `${page}.html`)))).toEqual([]);
    expect(html("index")).toMatch(/<html lang="en"/);
    expect(html("zh/index")).toMatch(/<html lang="zh-CN"/);
  });

  it("has what its sidebar names", () => {
    const config = readFileSync(`${workspaceFolder}/docs/.vitepress/config.ts`, "utf8");
    for (const [, link = ""] of config.matchAll(/link: "(\/[^"]*)"/g)) {
      const page = link.endsWith("/") ? `${link}index` : link;
      expect(existsSync(join(site, `${page}.html`)), link).toBe(true);
    }
  });

  it("finds English and Chinese words without a service, and loads nothing from elsewhere", () => {
    const chunks = join(site, "assets/chunks");
    const index = (locale: string): string => {
      const name = readdirSync(chunks).find((file) =>
        file.startsWith(`@localSearchIndex${locale}.`),
      );
      return readFileSync(join(chunks, name ?? "missing"), "utf8");
    };
    expect(index("root")).toContain('"histograms"');
    // Of the first page, which is README.zh.md, and of another one.
    for (const word of ["反向", "隧道", "首字节"]) {
      const words = Array.from(new Intl.Segmenter("zh", { granularity: "word" }).segment(word));
      for (const { segment } of words) expect(index("zh")).toContain(`"${segment}"`);
    }
    expect(index("root")).not.toContain('"隧道"');
    for (const page of ["index", "metrics", "zh/index"]) {
      const loaded = html(page).matchAll(/<(?:script|img|link)\b[^>]*\b(?:src|href)="([^"]*)"/g);
      expect(
        Array.from(loaded, ([, url = ""]) => url).filter((url) => !/^(?:\/|data:)/.test(url)),
      ).toEqual([]);
    }
  });

  it("shows the dashboard and the links that leave the site where they go", () => {
    expect(html("metrics")).toMatch(/<img src="\/assets\/dashboard[^"]*\.svg"/);
    const repository = "https://github.com/NodePassProject/nodepass-ts";
    expect(html("metrics")).toContain(`href="${repository}/tree/main/deploy/prometheus"`);
    expect(html("index")).toContain('href="/packages/url-config"');
  });

  it("comes to life in a browser, and its console stays empty", async (context) => {
    const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) =>
      existsSync(path),
    );
    if (chromium === undefined) {
      console.warn("left out: there is no chromium here (Debian's package chromium)");
      return context.skip();
    }
    const server = createServer((request, response) => {
      const path = decodeURI(new URL(request.url ?? "/", "http://site").pathname);
      const tries = [path, `${path}.html`, `${path}index.html`].map((name) => join(site, name));
      const file = tries.find((name) => existsSync(name) && statSync(name).isFile());
      const kinds: Record<string, string> = {
        js: "text/javascript",
        css: "text/css",
        svg: "image/svg+xml",
      };
      const type = kinds[file?.split(".").at(-1) ?? ""] ?? "text/html";
      response.writeHead(file === undefined ? 404 : 200, { "Content-Type": type });
      response.end(file === undefined ? "" : readFileSync(file));
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    for (const page of ["", "zh/", "metrics"]) {
      const profile = `--user-data-dir=${join(site, "profile")}`;
      const look = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"];
      const argv = [...look, profile, "--virtual-time-budget=10000", "--dump-dom"];
      const { stdout, stderr } = await promisify(execFile)(
        chromium,
        [...argv, `http://127.0.0.1:${port}/${page}`],
        { maxBuffer: 50_000_000, timeout: 120_000 },
      );
      expect(stderr.split("\n").filter((line) => line.includes(":CONSOLE"))).toEqual([]);
      expect(stdout).toContain("VPContent");
    }
  });
});
