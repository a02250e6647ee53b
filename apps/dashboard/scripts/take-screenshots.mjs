// Takes the pictures of docs/ from a master or a hub that runs, best after some minutes of traffic:
//
//   node scripts/take-screenshots.mjs <URL of its API> <API key or token>
//
// The tunnel that is shown is the one with the most traffic. What happens in a fleet is taken for a
// minute: let something happen.
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
const headers = { "x-api-key": key };
const wide = { width: 1280, height: 760 };
const low = { width: 1280, height: 480 };
const phone = { width: 390, height: 800 };
// Rates and sparklines are made of what comes in: a state each five seconds.
const [shortly, long] = [12_000, 75_000];

const isHub = (await fetch(`${api}/fleet`, { headers })).ok;
const shots = isHub ? fleetShots() : await masterShots();
for (const [name, fragment, viewport, colorScheme, locale, wait, prepare] of shots) {
  const context = await browser.newContext({ viewport, colorScheme, locale });
  await context.addInitScript(
    ([url, kept]) => sessionStorage.setItem(`nodepass.key.${url}`, kept),
    [api, key],
  );
  const page = await context.newPage();
  await page.goto(`${new URL("/", api)}${fragment}`);
  await page.waitForTimeout(wait);
  await prepare?.(page);
  await page.screenshot({ path: `${docs}dashboard-${name}.png` });
  await context.close();
}
await browser.close();

async function masterShots() {
  const answer = await fetch(`${api}/instances`, { headers });
  const instances = (await answer.json()).filter(({ type }) => type !== "");
  const busiest = instances.reduce((one, other) => (other.tcptx > one.tcptx ? other : one));
  return [
    ["tunnels", "#/", wide, "light", "en-GB", long],
    ["tunnel", `#/tunnel/${busiest.id}`, wide, "dark", "en-GB", shortly],
    ["picture", "#/picture", wide, "light", "en-GB", shortly],
    ["edit", `#/tunnel/${busiest.id}/edit`, wide, "light", "en-GB", shortly],
    ["phone-zh", "#/", phone, "light", "zh-CN", long],
  ];
}

function fleetShots() {
  return [
    ["fleet-masters", "#/", low, "light", "en-GB", shortly],
    ["fleet-picture", "#/picture", low, "dark", "en-GB", shortly],
    ["fleet-pair", "#/services/new", wide, "light", "en-GB", shortly, fillPair],
    ["fleet-events", "#/events", low, "light", "en-GB", 60_000],
  ];
}

async function fillPair(page) {
  await page.getByLabel("Name").fill("shop");
  const [entry, exit] = [page.getByRole("group").nth(1), page.getByRole("group").nth(2)];
  await entry.getByRole("combobox").selectOption({ index: 1 });
  await entry.getByLabel("Listen on").fill(":8443");
  await exit.getByLabel("Labels", { exact: true }).fill("tier=office");
  await page.locator("h1").click();
}
