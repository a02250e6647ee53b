import { expect, test } from "vitest";
import { createAsked } from "./support/ask.ts";

test.each(["/api", "/api/v1"])("%s/docs is a page whose files the master has", async (base) => {
  const { ask } = createAsked({ base });
  const response = await ask("GET", "/docs", { key: undefined });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^text\/html/);
  const page = await response.text();
  const links = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => String(match[1]));
  expect(links).toHaveLength(4);
  for (const link of links) {
    const { pathname } = new URL(link, `http://host${base}/docs`);
    const file = await ask("GET", pathname.slice(base.length), { key: undefined });
    expect(file.status).toBe(200);
    expect((await file.arrayBuffer()).byteLength).toBeGreaterThan(100);
  }
});

test("the page asks no foreign host and has nothing inline, and its policy says so", async () => {
  const { ask } = createAsked();
  const response = await ask("GET", "/docs");
  const page = await response.text();
  const init = await (await ask("GET", "/docs/init.js")).text();
  expect(page + init).not.toMatch(/https?:|\/\/[a-z]/i);
  expect(page).not.toMatch(/<script>|<style| style=| on[a-z]+=/i);
  expect(init).toContain("validatorUrl: null");
  const policy = String(response.headers.get("content-security-policy"));
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
});

test.each([
  ["swagger-ui.css", "text/css; charset=utf-8"],
  ["swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
  ["favicon-32x32.png", "image/png"],
  ["init.js", "text/javascript; charset=utf-8"],
])("/docs/%s has its type", async (file, type) => {
  const { ask } = createAsked();
  const response = await ask("GET", `/docs/${file}`);
  expect(response.headers.get("content-type")).toBe(type);
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
});

test.each(["nope.js", "package.json", "..%2F..%2Fpackage.json", "%2e%2e%2fassets.js", "toString"])(
  "/docs/%s is 404",
  async (file) => {
    const { ask } = createAsked();
    expect((await ask("GET", `/docs/${file}`)).status).toBe(404);
  },
);

test("/docs/ leads to the page", async () => {
  const { ask } = createAsked({ base: "/api/v1" });
  const response = await ask("GET", "/docs/");
  expect(response.status).toBe(308);
  const location = String(response.headers.get("location"));
  expect(new URL(location, "http://h/api/v1/docs/").pathname).toBe("/api/v1/docs");
});

test("the program that composes the API can bring its own files", async () => {
  const bytes = new TextEncoder().encode("mine");
  const { ask } = createAsked({
    readDocsAsset: (name) =>
      Promise.resolve(name === "mine.js" ? { type: "text/javascript", bytes } : undefined),
  });
  expect(await (await ask("GET", "/docs/mine.js")).text()).toBe("mine");
  expect((await ask("GET", "/docs/swagger-ui.css")).status).toBe(404);
});
