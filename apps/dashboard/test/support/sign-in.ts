import type { Page } from "playwright-core";
import type { TestMaster } from "./master.ts";

/** Opens the dashboard of a master and signs in with its key. */
export async function signIn(page: Page, { site, master }: TestMaster): Promise<void> {
  await page.goto(site);
  await page.getByLabel("API key").fill(master.apiKey);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Tunnels" }).waitFor();
}
