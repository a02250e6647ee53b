import { parseTunnelUrl, UrlConfigError } from "@nodepass/url-config";
import { expect, test } from "vitest";
import { inBrowser, useBrowser } from "./support/browser.ts";
import { startMaster } from "./support/master.ts";
import { goTo, signIn } from "./support/sign-in.ts";

/** What the command line says of a URL. */
function problemsOf(url: string): readonly string[] {
  try {
    parseTunnelUrl(url);
    return [];
  } catch (error) {
    if (!(error instanceof UrlConfigError)) throw error;
    return error.problems.map(({ message }) => message);
  }
}

inBrowser("making and editing", () => {
  const open = useBrowser();

  test("fields make the URL, the URL makes the fields, and it is what is created", async () => {
    const served = await startMaster();
    const page = await open();
    await signIn(page, served);
    await page.getByRole("link", { name: "New tunnel" }).first().click();
    const url = page.getByRole("textbox", { name: "URL" });
    await page.getByLabel("Name").fill("shop");
    await page.getByLabel("Tags").fill("env=prod, urgent");
    await page.getByLabel("Tunnel server, users here").check();
    await page.getByLabel("Tunnel address").fill("127.0.0.1:0");
    await page.getByLabel("Listen on").fill("127.0.0.1:0");
    await page.getByRole("button", { name: "Make one" }).click();
    const key = await page.getByLabel("Tunnel key").inputValue();
    expect(key).toMatch(/^\w{32}$/);
    await page.getByLabel("tls", { exact: true }).selectOption("1");
    await page.getByLabel("read", { exact: true }).fill("30s");
    expect(await url.inputValue()).toBe(
      `server://${key}@127.0.0.1:0/127.0.0.1:0?mode=1&tls=1&read=30s`,
    );
    await url.fill(`server://${key}@127.0.0.1:0/127.0.0.1:0?mode=1&tls=1&read=45s&rate=8`);
    expect(await page.getByLabel("read", { exact: true }).inputValue()).toBe("45s");
    expect(await page.getByLabel("rate", { exact: true }).inputValue()).toBe("8");
    // What it means, and what the other end types.
    await page.getByText("Connections without a byte for 45s are closed.").waitFor();
    await page.getByText("At most 8 Mbit/s in each direction.").waitFor();
    const command = page.locator("code", { hasText: "nodepass 'client://" });
    expect(await command.innerText()).toContain(`${key}@`);
    await page.getByRole("img", { name: "QR code" }).waitFor();
    await page.getByRole("button", { name: "Create and start" }).click();
    await page.getByRole("heading", { name: "shop" }).waitFor();
    const [made] = await served.client.list();
    expect(made).toMatchObject({
      alias: "shop",
      url: `server://${key}@127.0.0.1:0/127.0.0.1:0?mode=1&tls=1&read=45s&rate=8`,
      tags: { env: "prod", urgent: "" },
      restart: true,
    });
  });

  test("every parameter has its meaning and default in the form", async () => {
    const served = await startMaster();
    const page = await open();
    await signIn(page, served);
    await goTo(page, "#/new");
    const { describeParameters } = await import("@nodepass/url-config");
    for (const [role, scheme] of [
      ["Forward a port", "client"],
      ["Tunnel server, target here", "server"],
    ] as const) {
      await page.getByLabel(role).check();
      for (const { name, schemes, meaning, defaultText } of describeParameters()) {
        if (!schemes.includes(scheme) || name === "mode") continue;
        const field = page.locator(`#parameter-${name}`);
        await field.waitFor();
        expect(await page.locator(`#hint-${name}`).innerText()).toContain(meaning);
        const shown = `${await field.getAttribute("placeholder")} ${await field.innerText()}`;
        expect(shown).toContain(defaultText ?? "none");
      }
    }
  });

  test("what is wrong is said beside its field, in the words of the command line", async () => {
    const served = await startMaster();
    const page = await open();
    await signIn(page, served);
    await goTo(page, "#/new");
    const wrong = "client://127.0.0.1/:80?mode=1&slot=ten&read=soon&moed=1";
    await page.getByRole("textbox", { name: "URL" }).fill(wrong);
    const problems = problemsOf(wrong);
    expect(problems).toHaveLength(4);
    const shown = (await page.locator(".problem").allInnerTexts()).join("\n");
    for (const problem of problems) expect(shown).toContain(problem);
    const slot = page.getByLabel("slot", { exact: true });
    expect(await slot.getAttribute("aria-invalid")).toBe("true");
    expect(await page.locator("#problem-slot").innerText()).toContain("slot");
    expect(await page.getByRole("button", { name: "Create and start" }).isDisabled()).toBe(true);
    await page.getByRole("textbox", { name: "URL" }).fill("");
    await page.getByText("URL is empty").waitFor();
    expect(await served.client.list()).toEqual([]);
  });

  test("what the master refuses is said, and nothing is lost", async () => {
    const served = await startMaster();
    await served.client.create("client://127.84.17.1:18080/127.0.0.1:9?mode=1", "first");
    const page = await open({ expected: /409/ });
    await signIn(page, served);
    await goTo(page, "#/new");
    const url = page.getByRole("textbox", { name: "URL" });
    await url.fill("client://127.84.17.1:18080/127.0.0.1:10?mode=1");
    await page.getByRole("button", { name: "Create and start" }).click();
    await page.getByRole("alert").filter({ hasText: "is held by instance" }).waitFor();
    expect(await url.inputValue()).toBe("client://127.84.17.1:18080/127.0.0.1:10?mode=1");
  });

  test("an edit changes what differs, in place where that can be", async () => {
    const served = await startMaster();
    const { id } = await served.client.create("client://127.0.0.1:0/127.0.0.1:9?mode=1", "old");
    const page = await open();
    await signIn(page, served);
    await goTo(page, `#/tunnel/${id}/edit`);
    await page.getByLabel("Name").fill("new name");
    await page.getByLabel("rate", { exact: true }).fill("16");
    await page.getByLabel("Start with the master").uncheck();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Changed while connections went on: rate").waitFor();
    await page.getByRole("heading", { name: "new name" }).waitFor();
    expect(await served.client.get(id)).toMatchObject({
      alias: "new name",
      url: "client://127.0.0.1:0/127.0.0.1:9?mode=1&rate=16",
      restart: false,
      status: "running",
    });
  });
});
