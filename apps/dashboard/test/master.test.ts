import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { inBrowser, useBrowser } from "./support/browser.ts";
import { startMaster } from "./support/master.ts";
import { goTo, signIn } from "./support/sign-in.ts";

inBrowser("the master's page", () => {
  const open = useBrowser();

  test("a new key is shown, the old one is refused, and the page goes on", async () => {
    const served = await startMaster();
    const page = await open({ expected: /401/ });
    await signIn(page, served);
    await goTo(page, "#/master");
    const before = served.master.apiKey;
    await page.getByRole("button", { name: "New API key" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Make a new key" }).click();
    await page.getByText(served.master.apiKey).waitFor();
    expect(served.master.apiKey).not.toBe(before);
    const ask = (key: string) =>
      fetch(`${served.master.url}/instances`, { headers: { "x-api-key": key } });
    expect((await ask(before)).status).toBe(401);
    // The events come again with the new key, and a reload signs in with it.
    served.client.setKey(served.master.apiKey);
    await served.client.create("client://127.0.0.1:0/127.0.0.1:9?mode=1", "later");
    await goTo(page, "#/");
    await page.getByRole("link", { name: "later" }).waitFor();
    await page.reload();
    await page.getByRole("link", { name: "later" }).waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);
  });

  test("a key for reading is made, and reads", async () => {
    const served = await startMaster();
    const page = await open();
    await signIn(page, served);
    await goTo(page, "#/master");
    await page.getByRole("button", { name: "New key for reading" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Make a new key" }).click();
    const shown = page.locator("[role=status] code");
    const key = await shown.innerText();
    const answer = await fetch(`${served.master.url}/info`, { headers: { "x-api-key": key } });
    expect(answer.status).toBe(200);
  });

  test("what a key for reading may not do is greyed out, and says why", async () => {
    const served = await startMaster();
    const { client, master } = served;
    const { id } = await client.create("client://127.0.0.1:0/127.0.0.1:9?mode=1", "seen");
    const page = await open();
    await page.goto(new URL("/", master.url).href);
    await page.getByLabel("API key").fill(await client.renewReadKey());
    await page.getByRole("button", { name: "Sign in" }).click();
    const why = "This key may only read";
    await goTo(page, "#/");
    await page.getByRole("link", { name: "seen" }).waitFor();
    const add = page.getByRole("button", { name: "New tunnel" });
    await add.waitFor();
    expect([await add.isDisabled(), await add.getAttribute("title")]).toEqual([true, why]);
    expect(await page.getByRole("link", { name: "New tunnel" }).count()).toBe(0);
    expect(await page.getByRole("button", { name: "Stop: seen" }).isDisabled()).toBe(true);
    await page
      .getByRole("button", { name: /^More: seen|seen$/ })
      .last()
      .click();
    const items = page.getByRole("menuitem");
    const enabled = [];
    for (const item of await items.all()) {
      if (await item.isEnabled()) enabled.push((await item.innerText()).trim());
    }
    expect(enabled).toEqual(["Export"]);
    await page.keyboard.press("Escape");
    await goTo(page, `#/tunnel/${id}`);
    for (const name of ["Stop", "Restart", "Edit"]) {
      const button = page.getByRole("button", { name, exact: true });
      await button.waitFor();
      expect(await button.isDisabled()).toBe(true);
    }
    await goTo(page, "#/master");
    for (const name of ["New API key", "New key for reading", "Restore", "Rename"]) {
      expect(await page.getByRole("button", { name }).first().isDisabled(), name).toBe(true);
    }
    expect(await page.getByRole("button", { name: "Download" }).isEnabled()).toBe(true);
  });

  test("is named, tells its version and shows its machine over time", async () => {
    const served = await startMaster();
    const page = await open();
    await signIn(page, served);
    await goTo(page, "#/master");
    await page.getByText("nodepass-ts 1.2.3").waitFor();
    await page.getByLabel("Name of this master").fill("edge one");
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByRole("heading", { name: "edge one" }).waitFor();
    expect(await served.client.info()).toMatchObject({ alias: "edge one" });
    await expect.poll(() => page.locator(".chart canvas").count(), { timeout: 20_000 }).toBe(4);
  });

  test("a backup is downloaded, and restores what is missing and no more", async () => {
    const served = await startMaster();
    const { client } = served;
    const kept = await client.create("client://127.0.0.1:0/127.0.0.1:9?mode=1", "kept");
    const lost = await client.create("client://127.0.0.1:0/127.0.0.1:10?mode=1", "lost");
    const peer = { sid: "s", type: "0", alias: "both" };
    await client.change(lost.id, { meta: { tags: { env: "prod" }, peer }, restart: false });
    await client.change(lost.id, { action: "stop" });
    const page = await open();
    await signIn(page, served);
    await goTo(page, "#/master");
    await page.getByRole("listitem").filter({ hasText: "connected" }).waitFor();
    await expect.poll(() => page.locator(".figures").innerText()).toContain("nodepass-ts");
    const block = page.getByRole("region", { name: "Backup" });
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      block.getByRole("button", { name: "Download" }).click(),
    ]);
    const path = await download.path();
    expect(JSON.parse(readFileSync(path, "utf8")).instances).toHaveLength(2);
    expect(readFileSync(path, "utf8")).not.toContain(served.master.apiKey);
    await client.remove(lost.id);
    await goTo(page, "#/");
    await page.getByRole("link", { name: "lost" }).waitFor({ state: "detached" });
    await goTo(page, "#/master");
    await block.locator("input[type=file]").setInputFiles(path);
    await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
    await page.getByText("1 tunnel made, 1 there already").waitFor();
    const all = await client.list();
    expect(all.map(({ id }) => id)).toContain(kept.id);
    expect(all.find(({ alias }) => alias === "lost")).toMatchObject({
      url: "client://127.0.0.1:0/127.0.0.1:10?mode=1",
      tags: { env: "prod" },
      peer,
      restart: false,
      status: "stopped",
    });
    await block.locator("input[type=file]").setInputFiles({
      name: "other.json",
      mimeType: "application/json",
      buffer: Buffer.from('{"a":1}'),
    });
    await page.getByText("not a backup of a master").waitFor();
  });

  test("metrics are shown, and what happens is listed as it happens", async () => {
    const served = await startMaster();
    const { id } = await served.client.create("client://127.0.0.1:0/127.0.0.1:9?mode=1", "web");
    const page = await open();
    await signIn(page, served);
    await goTo(page, "#/master");
    const events = page.getByRole("region", { name: "Events" });
    await events.getByText("Nothing has happened").waitFor();
    await page.getByRole("listitem").filter({ hasText: "connected" }).waitFor();
    await served.client.change(id, { action: "stop" });
    await events.getByText("stopped").waitFor();
    await served.client.remove(id);
    await events.getByText("deleted").waitFor();
    await page.getByText(`${served.master.url}/metrics`).waitFor();
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByRole("dialog").getByText("nodepass_").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  });
});
