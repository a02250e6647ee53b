import { describe, expect, test } from "vitest";
import { inBrowser, useBrowser } from "./support/browser.ts";
import { hasEngine, signInAtHub, startFleet } from "./support/fleet.ts";
import { goTo } from "./support/sign-in.ts";
import { sendThrough, startEcho } from "./support/sockets.ts";

describe.skipIf(!hasEngine)("at a hub", () => {
  inBrowser("the dashboard", () => {
    const open = useBrowser();

    test("shows a pair that is made by hand, moved by hand, and failed over", async () => {
      const fleet = await startFleet();
      const [edge, office] = [
        await fleet.join("edge", { labels: { region: "eu" }, address: "127.0.0.1" }),
        await fleet.join("office", { labels: { region: "us" }, address: "127.0.0.1" }),
      ];
      const echo = await startEcho();
      const page = await open();
      await signInAtHub(page, fleet.site, fleet.token);
      await page.getByRole("row", { name: /edge/ }).getByText("online").waitFor();
      await page.getByText("2 of 2 masters online").waitFor();

      await goTo(page, "#/services");
      await page.getByRole("link", { name: "New service" }).click();
      const entry = page.getByRole("group", { name: "Users connect at" });
      const exit = page.getByRole("group", { name: "The target is seen from" });
      await page.getByLabel("Name").fill("shop");
      await entry.getByLabel("Master").selectOption("edge");
      await entry.getByLabel("Listen on").fill("127.84.30.1:18080");
      await exit.getByLabel("Master").selectOption("office");
      await exit.getByLabel("Target").fill(`127.0.0.1:${echo}`);
      await page.getByLabel("When its master is lost").selectOption("serve");
      await page.getByLabel("Lost after, seconds").fill("3");
      await page.getByRole("button", { name: "Create" }).click();
      await page.getByRole("heading", { name: "shop" }).waitFor();
      const bytes = 200_000;
      await expect
        .poll(() => sendThrough(18_080, bytes, "127.84.30.1").catch(String), { timeout: 20_000 })
        .toBe(bytes);
      console.log(await page.locator("main").innerText());
      void edge;
      void office;
    });
  });
});
