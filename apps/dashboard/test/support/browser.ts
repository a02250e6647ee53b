import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished } from "vitest";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const program = [process.env.NODEPASS_CHROMIUM ?? "", ...places].find((path) => existsSync(path));

if (program === undefined) {
  process.stderr.write(
    "dashboard: no Chromium here, its tests are left out (Debian: apt-get install chromium)\n",
  );
}

/** Tests in a real browser; left out, with one line that says so, where there is none. */
export const inBrowser = describe.skipIf(program === undefined);

/** A page of a fresh profile. Whatever it complains about on its console fails the test. */
export type OpenPage = (options?: OpenPageOptions) => Promise<Page>;

export interface OpenPageOptions extends BrowserContextOptions {
  /** What a browser itself puts on the console, where a test provokes it: a refused request. */
  readonly expected?: RegExp;
}

/** One browser for the tests of a file. */
export function useBrowser(): OpenPage {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await chromium.launch({
      ...(program !== undefined && { executablePath: program }),
      // In a container root has no sandbox to be had.
      args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--lang=en-GB"],
    });
  });
  afterAll(() => browser?.close());

  return async ({ expected, ...options } = {}) => {
    if (browser === undefined) throw new Error("the browser did not start");
    const context = await browser.newContext({
      locale: "en-GB",
      viewport: { width: 1280, height: 800 },
      // What is on its way is neither here nor there.
      reducedMotion: "reduce",
      ...options,
    });
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      const text = `${message.type()}: ${message.text()}`;
      if (!["error", "warning"].includes(message.type())) return;
      if (expected?.test(text) !== true) complaints.push(text);
    });
    page.on("pageerror", (error) => complaints.push(error.stack ?? error.message));
    onTestFinished(async () => {
      await context.close();
      expect(complaints).toEqual([]);
    });
    return page;
  };
}
