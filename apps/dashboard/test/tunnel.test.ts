import { readFileSync } from "node:fs";
import { checkUrl } from "@nodepass/url-config";
import { expect, test } from "vitest";
import { inBrowser, useBrowser } from "./support/browser.ts";
import { startMaster } from "./support/master.ts";
import { goTo, signIn } from "./support/sign-in.ts";
import { startEcho } from "./support/sockets.ts";

inBrowser("one tunnel", () => {
  const open = useBrowser();

  test("is told in the words of nodepass check, with the command for the other end", async () => {
    const served = await startMaster();
    const url = "server://correct-horse-battery@127.0.0.1:0/127.0.0.1:0?mode=1&noudp=1";
    const { id } = await served.client.create(url, "web");
    const page = await open();
    await signIn(page, served);
    await goTo(page, `#/tunnel/${id}`);
    const words = page.getByRole("region", { name: "What it means" });
    const report = checkUrl(url, {}, { keygen: "nodepass keygen" });
    const items = words.getByRole("listitem");
    await expect.poll(() => items.allTextContents()).toEqual(report.description);
    for (const warning of report.warnings) await words.getByText(warning).waitFor();
    await words.getByText(report.url ?? "").waitFor();
    expect(await words.innerText()).not.toContain("correct-horse-battery");
    expect(await words.getByRole("img").count()).toBe(0);
    await words.getByLabel("Show key").check();
    await words.getByText("nodepass 'client://correct-horse-battery@").waitFor();
    await words.getByRole("img", { name: "QR code" }).waitFor();
  });

  test("log lines come live, by level and words, are held and downloaded", async () => {
    const served = await startMaster();
    // Nobody listens there: each user's connection makes a line.
    const url = "client://127.84.19.1:18080/127.0.0.1:9?mode=1&log=debug";
    const { id } = await served.client.create(url, "web");
    const page = await open();
    await signIn(page, served);
    await goTo(page, `#/tunnel/${id}`);
    const log = page.getByRole("log");
    await expect.poll(() => log.innerText()).toMatch(/INFO/);
    expect(await log.locator(".c-green").count()).toBeGreaterThan(0);
    const before = await log.locator(".log-line").count();
    await served.client.change(id, { action: "restart" });
    await expect.poll(() => log.locator(".log-line").count()).toBeGreaterThan(before);

    await page.getByRole("button", { name: "Pause" }).click();
    const held = await log.innerText();
    await served.client.change(id, { action: "restart" });
    await page.getByRole("button", { name: /Go on \(\d+ new\)/ }).waitFor();
    expect(await log.innerText()).toBe(held);
    await page.getByRole("button", { name: /Go on/ }).click();
    await expect.poll(() => log.innerText()).not.toBe(held);

    await page.getByLabel("Search the log").fill("no line has these words");
    await log.getByText("No lines.").waitFor();
    await page.getByLabel("Search the log").fill("");
    await page.getByRole("combobox", { name: "From" }).selectOption("error");
    await log.getByText("No lines.").waitFor();
    await page.getByRole("combobox", { name: "From" }).selectOption("debug");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("web.log");
    const text = readFileSync(await download.path(), "utf8");
    expect(text).toMatch(/INFO/);
    expect(text).not.toContain("\u001b");
  });

  test("a connection is tested from the master", async () => {
    const served = await startMaster();
    const echo = await startEcho();
    const url = `client://127.0.0.1:0/127.0.0.1:${echo}?mode=1`;
    const { id } = await served.client.create(url, "web");
    const page = await open();
    await signIn(page, served);
    await goTo(page, `#/tunnel/${id}`);
    const block = page.getByRole("region", { name: "Test a connection" });
    expect(await block.getByRole("textbox").inputValue()).toBe(`127.0.0.1:${echo}`);
    await block.getByRole("button", { name: "Test" }).click();
    await block.getByText(/Connected 5 times, in \d+ to \d+ ms/).waitFor();
    // The discard port: nobody listens.
    await block.getByRole("textbox").fill("127.0.0.1:9");
    await block.getByRole("button", { name: "Test" }).click();
    await block.getByRole("alert").waitFor();
  });

  test("its history is shown for an hour, a day and a month", async () => {
    const served = await startMaster();
    const { id } = await served.client.create("client://127.0.0.1:0/127.0.0.1:9?mode=1", "web");
    const page = await open();
    const ranges: string[] = [];
    page.on("request", (request) => {
      const range = /history\?range=(\w+)/.exec(request.url())?.[1];
      if (range !== undefined) ranges.push(range);
    });
    await signIn(page, served);
    await goTo(page, `#/tunnel/${id}`);
    await expect.poll(() => page.locator(".chart canvas").count(), { timeout: 20_000 }).toBe(4);
    await page.getByLabel("Day").check();
    await expect.poll(() => ranges).toContain("day");
    await page.getByLabel("Month").check();
    await expect.poll(() => ranges).toContain("month");
    await expect.poll(() => page.locator(".chart canvas").count()).toBe(4);
  });

  test("each of several clients of a server is listed", async () => {
    const served = await startMaster();
    const key = "a-key-of-its-own-for-two";
    const { id } = await served.client.create(
      `server://${key}@127.84.21.1:18101/127.84.21.1:18080?mode=1&clients=2`,
      "many",
    );
    for (const name of ["one", "two"]) {
      await served.client.create(
        `client://${key}@127.84.21.1:18101/127.0.0.1:9?mode=2&min=1`,
        name,
      );
    }
    const page = await open();
    await signIn(page, served);
    await goTo(page, `#/tunnel/${id}`);
    const peers = page.getByRole("region", { name: "Other ends" });
    await expect.poll(() => peers.getByText(/\d+ connections, \d+ ms/).count()).toBe(2);
  });

  test("one that is deleted meanwhile is said to be gone", async () => {
    const served = await startMaster();
    const { id } = await served.client.create("client://127.0.0.1:0/127.0.0.1:9?mode=1", "web");
    const page = await open();
    await signIn(page, served);
    await goTo(page, `#/tunnel/${id}`);
    await page.getByRole("heading", { name: "web" }).waitFor();
    await served.client.remove(id);
    await page.getByText("There is no such tunnel (any more).").waitFor();
  });
});
