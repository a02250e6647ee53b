import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { inBrowser, useBrowser } from "./support/browser.ts";
import { temporaryFolder } from "./support/master.ts";
import { goTo } from "./support/sign-in.ts";

const entry = fileURLToPath(new URL("../../cli/dist/main.js", import.meta.url));

inBrowser("what npm start leads to", () => {
  const open = useBrowser();

  test("its link opens signed in, on a pair with traffic", async () => {
    const argv = [entry, "quickstart", "--state", temporaryFolder(), "--port", "0"];
    const child = spawn(process.execPath, argv, {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, NP_WORKERS: "1", NP_REPORT_INTERVAL: "1s" },
    });
    onTestFinished(async () => {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
    });
    let said = "";
    child.stdout.on("data", (chunk) => {
      said += String(chunk);
    });
    await expect.poll(() => said, { timeout: 30_000 }).toMatch(/Ctrl-C stops it/);
    const [, link = ""] = /Open: +(\S+)/.exec(said) ?? [];

    const page = await open();
    await page.goto(link);
    const row = page.getByRole("row", { name: /demonstration-server/ });
    await row.getByText("running").waitFor();
    await page
      .getByRole("row", { name: /demonstration-client/ })
      .getByText("running")
      .waitFor();
    await expect.poll(() => row.innerText(), { timeout: 20_000 }).toMatch(/\d (?:k|M)B\/s/);
    await goTo(page, "#/picture");
    expect(await page.getByRole("list", { name: "The picture in words" }).innerText()).toMatch(
      /demonstration-server: .* → .* → 127\.0\.0\.1:\d+, running/,
    );
  });
});
