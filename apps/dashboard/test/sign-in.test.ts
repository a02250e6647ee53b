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

  test("the key goes with no URL", async () => {
    const served = await startMaster();
    const page = await open();
    const urls: string[] = [];
    page.on("request", (request) => urls.push(request.url()));
    await signIn(page, served);
    await page.getByText("No tunnels yet").waitFor();
    expect(urls.some((url) => url.includes("ticket="))).toBe(true);
    expect(urls.filter((url) => url.includes(served.master.apiKey))).toEqual([]);
  });
});
