import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { inBrowser, useBrowser } from "./support/browser.ts";
import { startMaster, type TestMaster } from "./support/master.ts";
import { goTo, signIn } from "./support/sign-in.ts";

/** A forwarder on a free port of loopback. */
const forwarder = (target = 9) => `client://127.0.0.1:0/127.0.0.1:${target}?mode=1`;

inBrowser("the list of tunnels", () => {
  const open = useBrowser();

  /** Names of the rows, from top to bottom. */
  const names = (page: Page) => page.locator("a.row-link").allTextContents();

  async function openWithThree(): Promise<{ served: TestMaster; page: Page }> {
    const served = await startMaster();
    const { client } = served;
    const [a, b] = [
      await client.create(forwarder(1001), "alpha"),
      await client.create(forwarder(1002), "beta"),
    ];
    await client.create("client://192.0.2.77:9100/127.0.0.1:9?mode=1", "gamma");
    await client.change(a.id, { meta: { tags: { env: "prod" } } });
    await client.change(b.id, { meta: { tags: { env: "staging" } }, action: "stop" });
    const page = await open();
    await signIn(page, served);
    await page.getByRole("link", { name: "gamma" }).waitFor();
    return { served, page };
  }

  test("each row tells status with its reason, route, rates, connections and totals", async () => {
    const { page } = await openWithThree();
    const failing = page.getByRole("row", { name: /gamma/ });
    await failing.getByText("failing").waitFor();
    expect(await failing.innerText()).toMatch(/192\.0\.2\.77/);
    const running = page.getByRole("row", { name: /alpha/ });
    await running.getByText("running").waitFor();
    expect(await running.innerText()).toContain("127.0.0.1:1001");
    await expect.poll(() => running.innerText(), { timeout: 20_000 }).toMatch(/0 B\/s/);
    expect(await page.getByRole("list", { name: "How they are" }).innerText()).toMatch(
      /1 running[\s\S]*1 failing[\s\S]*1 stopped/,
    );
  });

  test("is searched, grouped by a tag, sorted, and shows the columns that are wanted", async () => {
    const { page } = await openWithThree();
    await page.getByRole("searchbox").fill("1002 stopped");
    await expect.poll(() => names(page)).toEqual(["beta"]);
    await page.getByRole("searchbox").fill("nobody has this");
    await page.getByText("Nothing fits").waitFor();
    await page.getByRole("searchbox").fill("");
    await page.getByRole("button", { name: "Name" }).click();
    await expect.poll(() => names(page)).toEqual(["gamma", "beta", "alpha"]);
    await page.getByRole("button", { name: "Status" }).click();
    await expect.poll(() => names(page)).toEqual(["gamma", "alpha", "beta"]);
    await page.getByLabel("Groups").selectOption("tag:env");
    const groups = page.locator(".row.group");
    await expect.poll(() => groups.allInnerTexts()).toEqual(["prod 1", "staging 1", "without 1"]);
    await page.getByText("Columns").click();
    await page.getByRole("checkbox", { name: "Ping" }).uncheck();
    await page.getByRole("columnheader", { name: "Ping" }).waitFor({ state: "detached" });
    // All of it is kept.
    await page.reload();
    await groups.first().waitFor();
    expect(await page.getByRole("columnheader", { name: "Ping" }).count()).toBe(0);
  });

  test("many are stopped, started and deleted, and deletion is asked for once", async () => {
    const { served, page } = await openWithThree();
    await page.getByRole("checkbox", { name: "Select all" }).check();
    await page.getByText("3 selected").waitFor();
    const bar = page.getByRole("toolbar");
    await bar.getByRole("button", { name: "Stop" }).click();
    await expect
      .poll(async () => (await served.client.list()).map(({ status }) => status))
      .toEqual(["stopped", "stopped", "stopped"]);
    await bar.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByText("Started 3 tunnels").waitFor();
    await bar.getByRole("button", { name: "Delete" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete 3 tunnels?" });
    expect(await dialog.getByRole("listitem").allTextContents()).toEqual([
      "alpha",
      "beta",
      "gamma",
    ]);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    expect(await served.client.list()).toHaveLength(3);
    await bar.getByRole("button", { name: "Delete" }).click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByText("No tunnels yet").waitFor();
    expect(await served.client.list()).toEqual([]);
  });

  test("one is duplicated, exported, restarted and reset from its menu, by keys alone", async () => {
    const { served, page } = await openWithThree();
    const menu = async (item: string): Promise<void> => {
      await page.getByRole("button", { name: "More for alpha" }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("menu").waitFor();
      const focused = page.locator("[role=menuitem]:focus");
      for (let step = 0; step < 8 && (await focused.innerText()).trim() !== item; step += 1) {
        await page.keyboard.press("ArrowDown");
      }
      await page.keyboard.press("Enter");
    };
    await menu("Restart");
    await page.getByText("Restarted alpha").waitFor();
    await menu("Reset counters");
    await page.getByRole("dialog").getByRole("button", { name: "Reset counters" }).click();
    await page.getByText("Reset the counters of alpha").waitFor();
    const [download] = await Promise.all([page.waitForEvent("download"), menu("Export")]);
    expect(download.suggestedFilename()).toBe("alpha.nodepass.json");
    const file = JSON.parse(readFileSync(await download.path(), "utf8"));
    expect(file).toEqual({ tunnels: { alpha: { url: forwarder(1001), tags: { env: "prod" } } } });
    await menu("Duplicate");
    await page.getByRole("heading", { name: "New tunnel" }).waitFor();
    expect(await page.getByLabel("Name").inputValue()).toBe("alpha-2");
    expect(await page.getByRole("textbox", { name: "URL" }).inputValue()).toBe(forwarder(1001));
    await page.getByRole("button", { name: "Create and start" }).click();
    await page.getByRole("heading", { name: "alpha-2" }).waitFor();
    const made = (await served.client.list()).find(({ alias }) => alias === "alpha-2");
    expect(made).toMatchObject({ url: forwarder(1001), tags: { env: "prod" } });
  });

  test("arrows go from row to row, Enter opens one", async () => {
    const { page } = await openWithThree();
    await page.getByRole("link", { name: "alpha" }).focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    expect(await page.locator("a:focus").innerText()).toBe("beta");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "beta" }).waitFor();
  });

  test("1,000 instances: only what is seen is in the page, and it scrolls to the last", async () => {
    const served = await startMaster();
    const { client } = served;
    const numbers = Array.from({ length: 1000 }, (_each, at) => at);
    for (let from = 0; from < numbers.length; from += 50) {
      await Promise.all(
        numbers.slice(from, from + 50).map((at) => client.create(forwarder(), `tunnel-${at}`)),
      );
    }
    const page = await open();
    await signIn(page, served);
    await page.getByText("1000 running").waitFor();
    expect(await page.locator("a.row-link").count()).toBeLessThan(60);
    // Frames while it is scrolled from end to end: none may wait long.
    const longest = await page.evaluate<number>(`new Promise((resolve) => {
      const scroller = document.querySelector(".scroller");
      let longest = 0, last = performance.now();
      const step = (now) => {
        longest = Math.max(longest, now - last);
        last = now;
        scroller.scrollTop += 900;
        if (scroller.scrollTop + scroller.clientHeight < scroller.scrollHeight - 1) requestAnimationFrame(step);
        else resolve(longest);
      };
      requestAnimationFrame(step);
    })`);
    process.stderr.write(`dashboard: longest frame of 1,000 rows ${Math.round(longest)} ms\n`);
    expect(longest).toBeLessThan(2000);
    await page.getByRole("link", { name: "tunnel-999", exact: true }).waitFor();
    await page.getByRole("searchbox").fill("tunnel-500");
    await expect.poll(() => names(page)).toEqual(["tunnel-500"]);
    await goTo(page, "#/picture");
    await page.getByText(/880 quieter ways left out/).waitFor();
  });
});
