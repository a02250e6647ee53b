import { readdirSync, readFileSync, statSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { violations } from "./support/axe.ts";
import { inBrowser, useBrowser } from "./support/browser.ts";
import { startMaster, type TestMaster } from "./support/master.ts";
import { goTo, signIn } from "./support/sign-in.ts";

/** All that a page says, what stands in its fields too. */
function pageText(page: Page): Promise<string> {
  return page.evaluate(
    `document.querySelector("main").innerText + [...document.querySelectorAll("main input, main textarea")].map(({ value }) => value).join("\\n")`,
  );
}

/** Tunnels of every kind and state. */
async function startWithTunnels(): Promise<TestMaster & { readonly id: string }> {
  const served = await startMaster();
  const { client } = served;
  await client.rename("edge-frankfurt");
  const key = "a-key-that-nobody-will-guess";
  const { id } = await client.create(
    `server://${key}@127.84.20.1:18101/127.84.20.1:18443?mode=1&tls=1`,
    "web-entry",
  );
  await client.create(`client://${key}@127.84.20.1:18101/127.0.0.1:9?mode=2&min=2`, "web-exit");
  await client.create("client://127.0.0.1:0/127.0.0.1:9,127.0.0.1:10?mode=1", "postgres");
  await client.create(
    "server://another-key-of-16@127.84.20.1:18102/127.84.20.1:2222?mode=1",
    "ssh",
  );
  await client.create("client://192.0.2.77:9405/192.0.2.7:443?mode=1", "foreign-address");
  const stopped = await client.create("client://127.0.0.1:0/127.0.0.1:6379?mode=1", "redis");
  await client.change(stopped.id, { action: "stop", meta: { tags: { env: "staging" } } });
  await client.change(id, { meta: { tags: { env: "prod", team: "core" } } });
  return { ...served, id };
}

inBrowser("how it looks", () => {
  const open = useBrowser();
  const pages = (id: string) => [
    ["#/", "foreign-address"],
    [`#/tunnel/${id}`, "127.84.20.1:18101"],
    ["#/new", "client://"],
    [`#/tunnel/${id}/edit`, "18443"],
    ["#/pair", "10101"],
    ["#/picture", "postgres"],
    ["#/master", "nodepass-ts"],
  ];

  test.each(["light", "dark"] as const)(
    "axe finds nothing on any page, %s",
    async (colorScheme) => {
      const served = await startWithTunnels();
      const page = await open({ colorScheme });
      await page.goto(served.site);
      await page.getByLabel("API key").waitFor();
      expect(await violations(page)).toEqual([]);
      await signIn(page, served);
      for (const [fragment = "", sign = ""] of pages(served.id)) {
        await goTo(page, fragment);
        await expect.poll(() => pageText(page)).toContain(sign);
        expect([fragment, await violations(page)]).toEqual([fragment, []]);
      }
    },
  );

  test("axe finds nothing in a menu, a dialog and among problems", async () => {
    const served = await startWithTunnels();
    const page = await open();
    await signIn(page, served);
    await page.getByRole("button", { name: "More for redis" }).click();
    await page.getByRole("menu").waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await page.getByRole("dialog").waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await goTo(page, "#/new");
    await page.getByRole("textbox", { name: "URL" }).fill("client://:1/:2?mode=1&slot=x&a=b");
    await page.locator("#problem-slot").waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test.each([
    ["en-GB", "Tunnels", "Sign in"],
    ["zh-CN", "隧道", "登录"],
  ])("speaks the browser's language: %s", async (locale, title, action) => {
    const served = await startWithTunnels();
    const page = await open({ locale });
    await page.goto(served.site);
    await page.getByRole("button", { name: action }).waitFor();
    await signIn(page, served);
    await page.getByRole("heading", { name: title }).waitFor();
    expect(await page.locator("html").getAttribute("lang")).toBe(locale);
    if (locale !== "zh-CN") return;
    // No English is left over on any page, but names, terms and what masters say themselves.
    const allowed =
      /NodePass|nodepass\S*|edge-frankfurt|English|TCP|UDP|TLS|API|OpenAPI|URL|ID|CPU|QUIC|WebSocket|HTTPS?|QR|Prometheus|Authorization|Bearer|Mbit|PROXY|SOCKS|CDN|nginx|DNS|JSON|linux|amd64|arm64|event|none|default/gi;
    for (const [fragment = ""] of pages(served.id)) {
      await goTo(page, fragment);
      await page.locator("main h1").first().waitFor();
      const labels = await page.evaluate<string[]>(
        `[...document.querySelectorAll("main h1, main h2, main h3, main dt, main legend, main label > span, main button, nav a, main figcaption, main .dim, main summary")]
          .map((each) => each.innerText.trim()).filter(Boolean)`,
      );
      const english = labels.filter(
        (text) => /[A-Za-z]{4,}/.test(text.replaceAll(allowed, "")) && !/[/:@.\d]/.test(text),
      );
      const own = ["web-entry", "foreign-address", "postgres", "redis", "web-exit"];
      expect([
        fragment,
        english.filter((text) => !own.some((name) => text.includes(name))),
      ]).toEqual([fragment, []]);
    }
  });

  test("another language and colours are chosen, and kept", async () => {
    const served = await startWithTunnels();
    const page = await open();
    await signIn(page, served);
    await page.getByLabel("Language").selectOption("zh");
    await page.getByRole("heading", { name: "隧道" }).waitFor();
    const ground = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    const light = await ground();
    const colours = page.getByRole("button", { name: /配色/ });
    await colours.click();
    await colours.click();
    expect(await ground()).not.toBe(light);
    await page.reload();
    await page.getByRole("heading", { name: "隧道" }).waitFor();
    expect(await ground()).not.toBe(light);
  });

  test("on a phone nothing is wider than the page, and all can be reached", async () => {
    const served = await startWithTunnels();
    const page = await open({ viewport: { width: 360, height: 740 }, hasTouch: true });
    await signIn(page, served);
    for (const [fragment = ""] of pages(served.id)) {
      await goTo(page, fragment);
      await page.locator("main h1").first().waitFor();
      const width = await page.evaluate<number>(
        "Math.max(document.documentElement.scrollWidth, document.querySelector('main').scrollWidth)",
      );
      expect([fragment, width]).toEqual([fragment, 360]);
      expect(await violations(page)).toEqual([]);
    }
    await page.getByRole("navigation").getByRole("link", { name: "Tunnels" }).tap();
    await page.getByRole("link", { name: "web-entry" }).tap();
    await page.getByRole("heading", { name: "web-entry" }).waitFor();
  });

  test("the keyboard goes past what is on every page, and through the rest in order", async () => {
    const served = await startWithTunnels();
    const page = await open();
    await signIn(page, served);
    await page.getByRole("link", { name: "redis" }).waitFor();
    await page.evaluate("document.activeElement?.blur()");
    await page.keyboard.press("Tab");
    expect(await page.locator(":focus").innerText()).toBe("Skip to content");
    await page.keyboard.press("Enter");
    expect(await page.locator(":focus").getAttribute("id")).toBe("main");
    const seen: string[] = [];
    for (let step = 0; step < 14; step += 1) {
      await page.keyboard.press("Tab");
      const focus = page.locator(":focus");
      seen.push((await focus.getAttribute("aria-label")) ?? (await focus.innerText()));
    }
    expect(seen.slice(0, 2)).toEqual(["New pair", "New tunnel"]);
    expect(seen).toContain("Select all");
    expect(seen.some((name) => name.startsWith("Select "))).toBe(true);
  });
});

test("the pictures of the documents are there, and small", () => {
  const folder = new URL("../../../docs/", import.meta.url);
  const names = readdirSync(folder).filter((name) => /^dashboard-.*\.png$/.test(name));
  const documents = ["../README.md", "dashboard.md"].map((name) =>
    readFileSync(new URL(name, folder), "utf8"),
  );
  expect(names.length).toBeGreaterThan(3);
  for (const name of names) {
    expect(statSync(new URL(name, folder)).size).toBeLessThan(200_000);
    expect([name, documents.some((text) => text.includes(name))]).toEqual([name, true]);
  }
});
