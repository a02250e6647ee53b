// Takes the pictures of docs/ from a master that runs, best after some minutes of traffic:
//
//   node scripts/take-screenshots.mjs <URL of its API> <API key>
//
// The tunnel that is shown is the one with the most traffic.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const [api = "", key = ""] = process.argv.slice(2);
const docs = fileURLToPath(new URL("../../../docs/", import.meta.url));
const places = [process.env.NODEPASS_CHROMIUM ?? "", "/usr/bin/chromium"];
const browser = await chromium.launch({
  executablePath: places.find((path) => existsSync(path)),
  args: ["--no-sandbox", "--disable-gpu"],
});

const answer = await fetch(`${api}/instances`, { headers: { "x-api-key": key } });
const instances = (await answer.json()).filter(({ type }) => type !== "");
const busiest = instances.reduce((one, other) => (other.tcptx > one.tcptx ? other : one));

const wide = { width: 1280, height: 760 };
const phone = { width: 390, height: 800 };
const shots = [
  ["tunnels", "#/", wide, "light", "en-GB"],
  ["tunnel", `#/tunnel/${busiest.id}`, wide, "dark", "en-GB"],
  ["picture", "#/picture", wide, "light", "en-GB"],
  ["edit", `#/tunnel/${busiest.id}/edit`, wide, "light", "en-GB"],
  ["phone-zh", "#/", phone, "light", "zh-CN"],
];
for (const [name, fragment, viewport, colorScheme, locale] of shots) {
  const context = await browser.newContext({ viewport, colorScheme, locale });
  await context.addInitScript(
    ([url, kept]) => sessionStorage.setItem(`nodepass.key.${url}`, kept),
    [api, key],
  );
  const page = await context.newPage();
  await page.goto(`${new URL("/", api)}${fragment}`);
  // Rates and sparklines are made of what comes in: a state each five seconds.
  await page.waitForTimeout(name === "tunnels" || name === "phone-zh" ? 75_000 : 12_000);
  await page.screenshot({ path: `${docs}dashboard-${name}.png` });
  await context.close();
}
await browser.close();
