import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { inBrowser, useBrowser } from "./support/browser.ts";
import { startMaster, type TestMaster } from "./support/master.ts";
import { goTo, signIn } from "./support/sign-in.ts";
import { sendThrough, startEcho } from "./support/sockets.ts";

/** Makes another master known to the browser. */
async function addMaster(page: Page, { master }: TestMaster): Promise<void> {
  await goTo(page, "#/master");
  await page.getByText("Add a master").first().click();
  await page.getByLabel("Address of its API").fill(master.url);
  await page.getByLabel("API key").fill(master.apiKey);
  await page.getByRole("button", { name: "Add a master" }).click();
  await page.getByRole("listitem").filter({ hasText: "office" }).getByText("connected").waitFor();
}

inBrowser("a pair", () => {
  const open = useBrowser();

  test("is made at two masters in one go, carries traffic, and the chart shows it", async () => {
    const [one, other] = [await startMaster(), await startMaster()];
    await one.client.rename("edge");
    await other.client.rename("office");
    const echo = await startEcho();
    const page = await open();
    await signIn(page, one);
    await addMaster(page, other);

    await goTo(page, "#/pair");
    const [entry, exit] = [
      page.getByRole("group", { name: "Users connect at" }),
      page.getByRole("group", { name: "The target is seen from" }),
    ];
    await page.getByLabel("Name").fill("shop");
    await entry.getByLabel("Master").selectOption("edge");
    await entry.getByLabel("Listen on").fill("127.84.18.1:18080");
    await exit.getByLabel("Master").selectOption("office");
    await exit.getByLabel("Target").fill(`127.0.0.1:${echo}`);
    await page.getByLabel("Server is reached at").fill("127.84.18.1");
    await page.getByLabel("Tunnel port").fill("18101");
    await page.getByRole("button", { name: "Create both" }).click();
    await page.getByRole("heading", { name: "shop" }).waitFor();

    const [[server], [client]] = [await one.client.list(), await other.client.list()];
    expect(server).toMatchObject({ type: "server", alias: "shop" });
    expect(client).toMatchObject({ type: "client", alias: "shop" });
    // Tied as NodePassDash ties them: "1" is a service whose users are at the server.
    expect(server?.peer).toEqual({
      sid: expect.stringMatching(
        /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
      ),
      type: "1",
      alias: "shop",
    });
    expect(client?.peer).toEqual(server?.peer);
    await page.getByText("shop at office").waitFor();

    await page.locator(".status.up").waitFor();
    // Two of it are more than a megabyte, which the figures say then.
    const bytes = 600_000;
    const send = () => sendThrough(18_080, bytes, "127.84.18.1");
    expect(await send()).toBe(bytes);
    // What a chart says to who does not see it is what it draws; its last step has traffic.
    const chart = page.getByRole("img", { name: /^Traffic: Received/ });
    const told = async () => {
      await send();
      return await chart.getAttribute("aria-label");
    };
    await expect.poll(told, { timeout: 40_000, interval: 500 }).toMatch(/Received \d+ [kM]B\/s/);
    const drawn = `(() => { const canvas = document.querySelector(".chart canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value > 0); })()`;
    expect(await page.evaluate<boolean>(drawn)).toBe(true);
    const { rx } = await one.client.history(server?.id ?? "");
    expect(Math.max(...rx.map((rate) => rate ?? 0))).toBeGreaterThan(50_000);
    await expect
      .poll(() => page.locator(".figures").innerText(), { timeout: 20_000 })
      .toMatch(/Received in all\s+[\d.]+ MB/);

    await goTo(page, "#/picture");
    await page.getByText("1 way at 2 masters").waitFor();
    expect(await page.getByRole("list", { name: "The picture in words" }).innerText()).toMatch(
      new RegExp(
        `^shop: edge 127\\.84\\.18\\.1:18080 → office .*→ 127\\.0\\.0\\.1:${echo}, running`,
      ),
    );
  });

  test("whose second end is refused leaves no first one", async () => {
    const [one, other] = [await startMaster(), await startMaster()];
    await other.client.rename("office");
    const page = await open({ expected: /401/ });
    await signIn(page, one);
    await addMaster(page, other);
    await goTo(page, "#/pair");
    const exit = page.getByRole("group", { name: "The target is seen from" });
    await exit.getByLabel("Master").selectOption("office");
    await page.getByLabel("Listen on").fill("127.84.18.2:18080");
    await page.getByLabel("Tunnel port").fill("18102");
    await other.client.renewKey();
    await page.getByRole("button", { name: "Create both" }).click();
    await page.getByRole("alert").filter({ hasText: "Invalid API key" }).waitFor();
    expect(await one.client.list()).toEqual([]);
    expect(await other.client.list()).toEqual([]);
  });
});
