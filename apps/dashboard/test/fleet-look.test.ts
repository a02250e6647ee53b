import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { violations } from "./support/axe.ts";
import { inBrowser, useBrowser } from "./support/browser.ts";
import { hasEngine, signInAtHub, startFleet, type TestFleet } from "./support/fleet.ts";
import { goTo } from "./support/sign-in.ts";

/** A fleet with a pair, a service that can't run, and a tunnel of a master's own. */
async function startWithServices(): Promise<TestFleet & { readonly pages: readonly string[] }> {
  const fleet = await startFleet();
  const labels = { region: "eu", tier: "paid-for-by-somebody-with-a-long-name" };
  const edge = await fleet.join("edge-frankfurt", { labels, address: "127.0.0.1" });
  const office = await fleet.join("office", { address: "127.0.0.1" });
  await edge.client.create("client://127.0.0.1:0/127.0.0.1:9?mode=1", "local-web");
  const { sid } = await fleet.client.createService({
    alias: "shop",
    tags: { env: "prod" },
    parts: [
      { url: "server://:auto/127.84.31.1:auto?mode=1&tls=1", master: edge.mid },
      { url: "client://auto/127.0.0.1:9?mode=2", master: office.mid },
    ],
  });
  await fleet.client.createService({
    alias: "mail",
    policy: { failover: "serve", ttl: 15, failback: "never" },
    parts: [{ url: "client://127.84.31.1:auto/127.0.0.1:25?mode=1", selector: "region=eu" }],
  });
  const tunnel = (await edge.client.list()).find(({ alias }) => alias === "local-web");
  const pages = [
    "#/",
    "#/services",
    `#/services/${sid}`,
    "#/services/new",
    "#/picture",
    "#/events",
    "#/audit",
    "#/tokens",
    `#/masters/${edge.mid}/`,
    `#/masters/${edge.mid}/tunnel/${tunnel?.id ?? ""}`,
    `#/masters/${edge.mid}/master`,
  ];
  return { ...fleet, pages };
}

/** Goes there, and waits until it is drawn with what the hub has told. */
async function show(page: Page, fragment: string): Promise<void> {
  await goTo(page, fragment);
  await page.locator("main h1").first().waitFor();
  if (fragment === "#/audit" || fragment === "#/tokens")
    await page.locator("main td").first().waitFor();
}

describe.skipIf(!hasEngine)("at a hub", () => {
  inBrowser("how it looks", () => {
    const open = useBrowser();

    test("axe finds nothing on any page, in a menu or a dialog, light and dark", async () => {
      const fleet = await startWithServices();
      for (const colorScheme of ["light", "dark"] as const) {
        const page = await open({ colorScheme });
        await page.goto(fleet.site);
        await page.getByLabel("Fleet token").waitFor();
        expect(await violations(page)).toEqual([]);
        await signInAtHub(page, fleet.site, fleet.token);
        for (const fragment of fleet.pages) {
          await show(page, fragment);
          expect([fragment, await violations(page)]).toEqual([fragment, []]);
        }
        await goTo(page, "#/services");
        await page.getByRole("button", { name: "More for shop" }).click();
        await page.getByRole("menu").waitFor();
        expect(await violations(page)).toEqual([]);
        await page.getByRole("menuitem", { name: "Move…" }).click();
        await page.getByRole("dialog").waitFor();
        expect(await violations(page)).toEqual([]);
      }
    });

    test("on a phone nothing is wider than the page, and all can be reached", async () => {
      const fleet = await startWithServices();
      const page = await open({ viewport: { width: 360, height: 740 }, hasTouch: true });
      await signInAtHub(page, fleet.site, fleet.token);
      for (const fragment of fleet.pages) {
        await show(page, fragment);
        const width = await page.evaluate<number>(
          "Math.max(document.documentElement.scrollWidth, document.querySelector('main').scrollWidth)",
        );
        expect([fragment, width]).toEqual([fragment, 360]);
        expect([fragment, await violations(page)]).toEqual([fragment, []]);
      }
      await page.getByRole("navigation", { name: "Pages" }).getByText("Services").tap();
      await page.getByRole("link", { name: "shop" }).tap();
      await page.getByRole("heading", { name: "shop" }).waitFor();
    });

    test("speaks Chinese, and leaves no English over but names and terms", async () => {
      const fleet = await startWithServices();
      const page = await open({ locale: "zh-CN" });
      await page.goto(fleet.site);
      await page.getByLabel("集群令牌").fill(fleet.token);
      await page.getByRole("button", { name: "登录" }).click();
      await page.getByRole("heading", { name: "主控" }).waitFor();
      const allowed =
        /edge-frankfurt|office|shop|mail|local-web|hub-one|paid-for\S*|NodePass|nodepass\S*|English|TCP|UDP|TLS|API|OpenAPI|URL|ID|CPU|QUIC|WebSocket|HTTPS?|Prometheus|Authorization|Bearer|region|tier|env|prod|busy|join|serve|auto|linux|amd64|JSON|fleet init|none|default/gi;
      for (const fragment of fleet.pages) {
        await show(page, fragment);
        const labels = await page.evaluate<string[]>(
          `[...document.querySelectorAll("main h1, main h2, main dt, main th[scope=col], main legend, main label, main button, nav a, main .dim, main .hint, main summary, main [role=columnheader]")]
            .map((each) => each.innerText.trim()).filter(Boolean)`,
        );
        const english = labels.filter(
          (text) => /[A-Za-z]{4,}/.test(text.replaceAll(allowed, "")) && !/[/:@.\d]/.test(text),
        );
        expect([fragment, english]).toEqual([fragment, []]);
      }
    });
  });
});
