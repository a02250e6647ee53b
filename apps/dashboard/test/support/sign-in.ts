import type { Page } from "playwright-core";
import type { TestMaster } from "./master.ts";

/** Opens the dashboard of a master, signed in. */
export async function signIn(page: Page, { master }: Pick<TestMaster, "master">): Promise<void> {
  const link = master.signInUrl();
  if (link === undefined) throw new Error("this master serves no dashboard");
  await page.goto(link);
  await page.getByRole("navigation").first().waitFor();
}

/** Goes to a page by its fragment, as a link does. */
export async function goTo(page: Page, fragment: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(fragment)}`);
}
