import { expect, test } from "vitest";
import { inBrowser, useBrowser } from "./support/browser.ts";
import { startMaster } from "./support/master.ts";
import { signIn } from "./support/sign-in.ts";

inBrowser("signing in", () => {
  const open = useBrowser();

  test("a wrong key is said, the right one leads to the list", async () => {
    const served = await startMaster();
    await served.client.create("client://127.0.0.1:0/127.0.0.1:9?mode=1", "web");
    const page = await open({ expected: /401/ });
    await page.goto(served.site);
    await page.getByLabel("API key").fill("0123456789abcdef");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("does not know this key").waitFor();
    await page.getByLabel("API key").fill(served.master.apiKey);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "web" }).waitFor();
    // Kept for this tab: a reload asks for nothing, another tab does.
    await page.reload();
    await page.getByRole("link", { name: "web" }).waitFor();
    const other = await page.context().newPage();
    await other.goto(served.site);
    await other.getByLabel("API key").waitFor();
  });

  test("a key that was asked to be kept is there for other tabs, until signed out", async () => {
    const served = await startMaster();
    const page = await open();
    await page.goto(served.site);
    await page.getByLabel("API key").fill(served.master.apiKey);
    await page.getByLabel("Keep me signed in").check();
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("No tunnels yet").waitFor();
    const other = await page.context().newPage();
    await other.goto(served.site);
    await other.getByText("No tunnels yet").waitFor();
    await other.getByRole("button", { name: "Sign out" }).click();
    await other.getByLabel("API key").waitFor();
    await other.reload();
    await other.getByLabel("API key").waitFor();
  });

  test("a link signs in once, without the key in it, and leaves nothing in the address", async () => {
    const served = await startMaster();
    const page = await open({ expected: /401/ });
    const link = served.master.signInUrl() ?? "";
    expect(link).not.toContain(served.master.apiKey);
    await page.goto(link);
    await page.getByText("No tunnels yet").waitFor();
    expect(page.url()).toBe(`${served.site}#/`);
    const other = await (await page.context().browser())?.newPage();
    if (other === undefined) throw new Error("no browser");
    await other.goto(link);
    await other.getByText("this link was used").waitFor();
    await other.getByLabel("API key").waitFor();
    await other.close();
  });

  test("the list is live: what others do is seen", async () => {
    const served = await startMaster();
    const page = await open();
    await signIn(page, served);
    await page.getByText("No tunnels yet").waitFor();
    const { id } = await served.client.create("client://127.0.0.1:0/127.0.0.1:9?mode=1", "web");
    const row = page.getByRole("row", { name: /web/ });
    await row.getByText("running").waitFor();
    await served.client.change(id, { action: "stop" });
    await row.getByText("stopped").waitFor();
    await served.client.remove(id);
    await page.getByText("No tunnels yet").waitFor();
  });

  test("the key goes with no URL, events are opened by ticket", async () => {
    const served = await startMaster();
    const page = await open();
    const urls: string[] = [];
    page.on("request", (request) => urls.push(request.url()));
    await signIn(page, served);
    await page.getByText("No tunnels yet").waitFor();
    expect(urls.some((url) => url.includes("/events?ticket="))).toBe(true);
    expect(urls.filter((url) => url.includes(served.master.apiKey))).toEqual([]);
    // Nobody else is asked for anything: it works without internet.
    expect(urls.filter((url) => !url.startsWith(served.site))).toEqual([]);
  });

  test("a key that was changed elsewhere is asked for, and the page goes on", async () => {
    const served = await startMaster();
    await served.client.create("client://127.0.0.1:0/127.0.0.1:9?mode=1", "web");
    const page = await open({ expected: /401/ });
    await signIn(page, served);
    await page.getByRole("link", { name: "web" }).waitFor();
    await page.evaluate("window.sameDocument = true");
    const key = await served.client.renewKey();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("The key has changed").waitFor();
    await dialog.getByLabel("API key").fill("0123456789abcdef");
    await dialog.getByRole("button", { name: "Go on" }).click();
    await dialog.getByText("does not know this key").waitFor();
    await dialog.getByLabel("API key").fill(key);
    await dialog.getByRole("button", { name: "Go on" }).click();
    await dialog.waitFor({ state: "detached" });
    await served.client.create("client://127.0.0.1:0/127.0.0.1:9?mode=1", "later");
    await page.getByRole("link", { name: "later" }).waitFor();
    expect(await page.evaluate("window.sameDocument")).toBe(true);
  });
});
