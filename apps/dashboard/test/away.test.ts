import { once } from "node:events";
import { createMasterClient, parseMasterAddress } from "@nodepass/master-client";
import { expect, test } from "vitest";
import { inBrowser, useBrowser } from "./support/browser.ts";
import { temporaryFolder } from "./support/master.ts";
import { startMasterProcess } from "./support/master-process.ts";

inBrowser("a master that goes away", () => {
  const open = useBrowser();

  test("killed and back: it is said, and healed without a reload", async () => {
    // An address of its own: the same port has to be free for the second one.
    const url = "master://127.84.16.1:19090/api?log=warn";
    const key = "0123456789abcdef0123456789abcdef";
    const state = temporaryFolder();
    const first = await startMasterProcess(url, state, key);
    const client = createMasterClient({ address: parseMasterAddress("127.84.16.1:19090"), key });
    await client.create("client://127.84.16.1:0/127.0.0.1:9?mode=1", "web");
    const page = await open({ expected: /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|ERR_EMPTY|RESET/ });
    await page.goto("http://127.84.16.1:19090/");
    await page.getByLabel("API key").fill(key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "web" }).waitFor();
    await page.evaluate("window.sameDocument = true");

    first.kill("SIGKILL");
    await once(first, "exit");
    await page.getByText("The master does not answer").waitFor();
    // What was known stays in sight.
    await page.getByRole("link", { name: "web" }).waitFor();

    await startMasterProcess(url, state, key);
    await page.getByText("The master does not answer").waitFor({ state: "detached" });
    await client.create("client://127.84.16.1:0/127.0.0.1:9?mode=1", "later");
    await page.getByRole("link", { name: "later" }).waitFor();
    expect(await page.evaluate("window.sameDocument")).toBe(true);
  });
});
