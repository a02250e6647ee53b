import { describe, expect, test } from "vitest";
import { inBrowser, useBrowser } from "./support/browser.ts";
import { hasEngine, signInAtHub, startFleet } from "./support/fleet.ts";
import { goTo } from "./support/sign-in.ts";
import { sendThrough, startEcho } from "./support/sockets.ts";

describe.skipIf(!hasEngine)("at a hub", () => {
  inBrowser("the dashboard", () => {
    const open = useBrowser();

    test("shows a pair that is made by hand, moved by hand, and failed over", async () => {
      const fleet = await startFleet();
      await fleet.join("edge", { labels: { region: "eu" }, address: "127.0.0.1" });
      const office = await fleet.join("office", { address: "127.0.0.1" });
      const spare = await fleet.join("spare", { labels: { region: "eu" }, address: "127.0.0.1" });
      const echo = await startEcho();
      const page = await open();
      const urls: string[] = [];
      page.on("request", (request) => urls.push(request.url()));
      await signInAtHub(page, fleet.site, fleet.token);
      await page.getByRole("row", { name: /edge/ }).getByText("online").waitFor();
      await page.getByText("3 of 3 masters online").waitFor();

      await goTo(page, "#/services");
      await page.getByRole("link", { name: "New service" }).click();
      // Till it is there, "Name" is in the label of the list's search, too.
      await page.getByRole("heading", { name: "New service" }).waitFor();
      const entry = page.getByRole("group", { name: "Users connect at" });
      const exit = page.getByRole("group", { name: "The target is seen from" });
      await page.getByLabel("Name").fill("shop");
      await entry.getByLabel("Master").selectOption("edge");
      await entry.getByLabel("Listen on").fill("127.84.30.1:18080");
      await exit.getByLabel("Master").selectOption("office");
      await exit.getByLabel("Target").fill(`127.0.0.1:${echo}`);
      await page.getByLabel("When its master is lost").selectOption("serve");
      await page.getByLabel("Lost after, seconds").fill("3");
      await page.getByRole("button", { name: "Create" }).click();
      await page.getByRole("heading", { name: "shop" }).waitFor();
      const bytes = 200_000;
      const send = () => sendThrough(18_080, bytes, "127.84.30.1").catch(String);
      await expect.poll(send, { timeout: 20_000 }).toBe(bytes);

      // By hand: the client goes to the third master, and the service works there.
      await page.getByRole("button", { name: "Move…" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Part").selectOption({ label: "Client at office" });
      await dialog.getByLabel("To", { exact: true }).selectOption("spare");
      await dialog.getByRole("button", { name: "Move", exact: true }).click();
      await dialog.waitFor({ state: "detached" });
      const client = page.getByRole("region", { name: "Client" });
      await client.getByRole("link", { name: "spare" }).waitFor();
      await expect.poll(send, { timeout: 20_000 }).toBe(bytes);
      expect(await office.client.list()).toEqual([]);
      expect(await spare.client.list()).toMatchObject([{ alias: "shop", type: "client" }]);

      await goTo(page, "#/picture");
      await page.getByText("1 way at 3 masters").waitFor();
      const words = page.getByRole("list", { name: "The picture in words" });
      const way = new RegExp(
        `^shop: edge 127\\.84\\.30\\.1:18080 → spare .*→ 127\\.0\\.0\\.1:${echo}, running`,
      );
      await expect.poll(() => words.innerText()).toMatch(way);
      const rate = async () => {
        await send();
        return words.innerText();
      };
      await expect.poll(rate, { timeout: 30_000, interval: 500 }).toMatch(/running, \d+ [kM]B\/s/);

      // It dies: nobody says good-bye.
      spare.kill();
      await goTo(page, "#/events");
      const events = page.getByRole("listitem");
      await events
        .filter({ hasText: "failover: Client from spare to" })
        .waitFor({ timeout: 40_000 });
      await events.filter({ hasText: "moved: Client from office to spare" }).waitFor();
      await expect.poll(send, { timeout: 30_000 }).toBe(bytes);

      await goTo(page, "#/audit");
      const rows = page.getByRole("row");
      await rows.filter({ hasText: "service.move" }).filter({ hasText: "done" }).first().waitFor();
      expect(await rows.filter({ hasText: "service.create" }).first().innerText()).toContain(
        "shop",
      );
      // The token goes with no URL, and nobody else is asked.
      expect(urls.some((url) => url.includes("/fleet/events?ticket="))).toBe(true);
      expect(urls.filter((url) => url.includes(fleet.token))).toEqual([]);
      expect(urls.filter((url) => !url.startsWith(fleet.site))).toEqual([]);
    });

    test("lists masters, changes them, and opens one through the gateway", async () => {
      const fleet = await startFleet();
      const edge = await fleet.join("edge", { labels: { region: "eu" } });
      await edge.client.create("client://127.0.0.1:0/127.0.0.1:9?mode=1", "local-web");
      const page = await open({ expected: /403|503/ });
      await signInAtHub(page, fleet.site, fleet.token);
      const row = page.getByRole("row", { name: /edge/ });
      await expect.poll(() => row.innerText(), { timeout: 20_000 }).toMatch(/1 running/);
      expect(await row.innerText()).toMatch(new RegExp(`${edge.mid}[\\s\\S]*region=eu`));

      await page.getByRole("button", { name: "More for edge" }).click();
      await page.getByRole("menuitem", { name: "Edit…" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Name").fill("edge-2");
      await dialog.getByLabel("Address").fill("192.0.2.9");
      await dialog.getByLabel("Labels").fill("region=us, fast");
      await dialog.getByRole("button", { name: "Save" }).click();
      await page
        .getByRole("row", { name: /edge-2/ })
        .getByText("region=us")
        .waitFor();
      expect((await fleet.client.masters())[0]).toMatchObject({
        name: "edge-2",
        address: "192.0.2.9",
        labels: { region: "us", fast: "" },
      });
      await page.getByRole("searchbox").fill("nothing");
      await page.getByText("Nothing fits").waitFor();
      await page.getByRole("searchbox").fill("region=us");

      await page.getByRole("link", { name: "edge-2" }).click();
      await page.getByRole("heading", { name: "Tunnels" }).waitFor();
      await page.getByRole("link", { name: "local-web" }).click();
      await page.getByRole("heading", { name: "local-web" }).waitFor();
      expect(page.url()).toContain(`#/masters/${edge.mid}/tunnel/`);
      await page.getByRole("button", { name: "Stop" }).click();
      const { id = "" } = (await edge.client.list())[0] ?? {};
      await expect.poll(async () => (await edge.client.get(id)).status).toBe("stopped");
      await page.getByRole("navigation", { name: "edge-2" }).getByText("Master").click();
      await page.getByRole("heading", { name: "Machine" }).waitFor();
      // Its keys stay with it.
      expect(await page.getByRole("heading", { name: "Keys" }).count()).toBe(0);

      await page.getByRole("button", { name: "More for edge-2" }).click();
      await page.getByRole("menuitem", { name: "Drain" }).click();
      await dialog.getByRole("button", { name: "Drain" }).click();
      await page.getByText("draining").waitFor();
      await page.getByRole("button", { name: "More for edge-2" }).click();
      await page.getByRole("menuitem", { name: "End draining" }).click();
      await page.getByText("draining", { exact: true }).waitFor({ state: "detached" });
      await page.getByRole("button", { name: "More for edge-2" }).click();
      await page.getByRole("menuitem", { name: "Remove" }).click();
      await dialog.getByRole("button", { name: "Remove" }).click();
      await page.getByText("No master has joined yet").waitFor();
      expect(await fleet.client.masters()).toEqual([]);
      await goTo(page, "#/events");
      await page.getByRole("listitem").filter({ hasText: "left the fleet" }).waitFor();
    });

    test("shows whatever masters and people call things as text", async () => {
      const fleet = await startFleet();
      const evil = `<img src=x onerror="window.obeyed=1">'&#34;{{1}}`;
      const { mid, client } = await fleet.join(evil);
      // Which might become a link: no hub takes it.
      const address = "javascript:window.obeyed=1";
      await expect(fleet.client.changeMaster(mid, { address })).rejects.toMatchObject({
        status: 400,
      });
      await client.create("server://127.84.30.4:0/127.0.0.1:9?mode=1", evil);
      const { sid } = await fleet.client.createService({
        alias: evil,
        tags: { [evil]: evil },
        parts: [{ url: "server://127.84.30.4:auto/127.0.0.1:9", master: mid }],
      });
      const page = await open();
      await signInAtHub(page, fleet.site, fleet.token);
      for (const path of ["masters", `masters/${mid}`, "services", `services/${sid}`, "picture"]) {
        await goTo(page, `#/${path}`);
        await page.getByText(evil).first().waitFor();
      }
      for (const path of ["events", "audit"]) {
        await goTo(page, `#/${path}`);
        await page.getByRole("main").waitFor();
      }
      expect(await page.locator("img[src=x], a[href^=javascript]").count()).toBe(0);
      expect(await page.evaluate("window.obeyed")).toBeUndefined();
    }, 60_000);

    test("makes tokens, shows them once, and removes them", async () => {
      const fleet = await startFleet();
      const page = await open({ expected: /401/ });
      await page.goto(fleet.site);
      await page.getByLabel("Fleet token").fill("npf_0123456789abcdef");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByText("does not know this token").waitFor();
      await signInAtHub(page, fleet.site, fleet.token);
      await goTo(page, "#/tokens");
      await page.getByLabel("Labels of whoever joins with it").fill("region=eu");
      await page.getByLabel("Note").fill("for the new VPS");
      await page.getByRole("button", { name: "Make it" }).click();
      const command = await page.getByText(/^nodepass-master --join np1_\S+$/).innerText();
      // It works: a master joins with what was shown, and gets its labels.
      const joinToken = command.split(" ").at(-1) ?? "";
      await fleet.joinWith(joinToken);
      expect((await fleet.client.masters())[0]?.labels).toEqual({ region: "eu" });

      await page.getByLabel("For", { exact: true }).selectOption("People and programs");
      await page.getByLabel("Role").selectOption("operator");
      await page.getByLabel("Note").fill("for Li");
      await page.getByRole("button", { name: "Make it" }).click();
      const shown = await page.getByText(/^npf_\S+$/).innerText();
      const row = page.getByRole("row", { name: /for Li/ });
      expect(await row.innerText()).toMatch(/operator/);
      await page.reload();
      await row.waitFor();
      expect(await page.getByText(shown).count()).toBe(0);

      // Who has it may do what an operator may, till it is removed.
      const other = await (await open({ expected: /401/ })).context().newPage();
      await signInAtHub(other, fleet.site, shown);
      await other.getByRole("row", { name: /region=eu/ }).waitFor();
      await row.getByRole("button", { name: "Remove for Li" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
      await row.waitFor({ state: "detached" });
      await other.reload();
      const dialog = other.getByRole("dialog");
      await dialog.getByText("The token has ended").waitFor();
      await dialog.getByLabel("Fleet token").fill(fleet.token);
      await dialog.getByRole("button", { name: "Go on" }).click();
      await other.getByRole("row", { name: /region=eu/ }).waitFor();
    });

    test("greys out what a role may not do, and says why", async () => {
      const fleet = await startFleet();
      const edge = await fleet.join("edge");
      await edge.client.create("client://127.0.0.1:0/127.0.0.1:9?mode=1", "local-web");
      await fleet.client.createService({
        alias: "shop",
        parts: [{ url: "client://127.84.30.3:auto/127.0.0.1:9?mode=1", master: "edge" }],
      });
      const page = await open();
      await signInAtHub(page, fleet.site, await fleet.tokenOf("viewer"));
      const why = "This token has the role viewer; this takes the role operator.";
      await page.getByText(why).waitFor();
      await page.getByRole("button", { name: "More for edge" }).click();
      for (const name of ["Edit…", "Drain", "Remove"]) {
        const item = page.getByRole("menuitem", { name });
        expect([name, await item.isDisabled()]).toEqual([name, true]);
        expect(await item.getAttribute("title")).toMatch(/^This token has the role viewer/);
      }
      await page.keyboard.press("Escape");
      await goTo(page, "#/services");
      await page.getByRole("link", { name: "shop" }).waitFor();
      const add = page.getByRole("button", { name: "New service" });
      expect([await add.isDisabled(), await add.getAttribute("title")]).toEqual([true, why]);
      await page.getByRole("link", { name: "shop" }).click();
      for (const name of ["Stop", "Move…", "Edit…", "Delete"]) {
        expect(await page.getByRole("button", { name }).isDisabled()).toBe(true);
      }
      for (const fragment of ["#/audit", "#/tokens"]) {
        await goTo(page, fragment);
        await page.getByText("this takes the role admin").first().waitFor();
      }
      // The master's own pages know it, too: an operator may change there, a viewer may not.
      await goTo(page, `#/masters/${edge.mid}/`);
      const stop = page.getByRole("button", { name: "Stop: local-web" });
      await stop.waitFor();
      await expect.poll(() => stop.isDisabled()).toBe(true);

      const other = await open();
      await signInAtHub(other, fleet.site, await fleet.tokenOf("operator"));
      // Of a master they set the labels, and no more.
      await other.getByRole("button", { name: "More for edge" }).click();
      await other.getByRole("menuitem", { name: "Edit…" }).click();
      const dialog = other.getByRole("dialog");
      expect(await dialog.getByLabel("Name").isDisabled()).toBe(true);
      await dialog.getByLabel("Labels").fill("tier=1");
      await dialog.getByRole("button", { name: "Save" }).click();
      await dialog.waitFor({ state: "detached" });
      expect((await fleet.client.masters())[0]?.labels).toEqual({ tier: "1" });
      await goTo(other, "#/services");
      await other.getByRole("link", { name: "New service" }).waitFor();
      await goTo(other, `#/masters/${edge.mid}/`);
      await other.getByRole("button", { name: "Stop: local-web" }).click();
      await other.getByRole("button", { name: "Start: local-web" }).waitFor();
      await goTo(other, "#/tokens");
      await other
        .getByText("This token has the role operator; this takes the role admin.")
        .waitFor();
    });

    test("goes on when the hub was away, and forgets what went meanwhile", async () => {
      const fleet = await startFleet();
      await fleet.join("edge");
      const gone = await fleet.join("gone");
      const page = await open({ expected: /ERR_|net::|401|50\d/ });
      await signInAtHub(page, fleet.site, fleet.token);
      await page.getByText("2 of 2 masters online").waitFor();
      await page.evaluate("window.sameDocument = true");
      await fleet.restart(async (other) => {
        await page.getByText("The hub does not answer").waitFor();
        await other.removeMaster(gone.mid);
      });
      await page.getByText("1 of 1 master online").waitFor();
      await page.getByText("The hub does not answer").waitFor({ state: "detached" });
      expect(await page.evaluate("window.sameDocument")).toBe(true);
    });

    test("raises an alarm on every page while the engine is away", async () => {
      const fleet = await startFleet();
      await fleet.join("edge");
      const page = await open({ expected: /503/ });
      await signInAtHub(page, fleet.site, fleet.token);
      await page.getByText("1 of 1 master online").waitFor();
      await fleet.engine.kill();
      const alarm = page
        .getByRole("alert")
        .filter({ hasText: "Something is wrong with the engine" });
      await alarm.waitFor({ timeout: 40_000 });
      await goTo(page, "#/services");
      await alarm.waitFor();
      await fleet.engine.restart();
      await alarm.waitFor({ state: "detached", timeout: 40_000 });
      await goTo(page, "#/events");
      await page.getByRole("listitem").filter({ hasText: "Over: Something is wrong" }).waitFor();
    });

    test("makes, stops, edits and deletes a single service", async () => {
      const fleet = await startFleet();
      const edge = await fleet.join("edge", { labels: { region: "eu" } });
      const page = await open({ expected: /409|412|400/ });
      await signInAtHub(page, fleet.site, fleet.token);
      await goTo(page, "#/services/new");
      // What it begins with can be made: the fleet fills in masters, ports and a key.
      expect(await page.getByRole("button", { name: "Create" }).isDisabled()).toBe(false);
      await page.getByLabel("One tunnel at one master").check();
      await page.getByLabel("Name").fill("web");
      await page.getByLabel("Labels", { exact: true }).fill("region=us");
      await page.getByLabel("Listen on").fill("127.84.30.2:auto");
      await page.getByLabel("Target", { exact: true }).fill("127.0.0.1:99999");
      await page.getByText(/99999/).last().waitFor();
      expect(await page.getByRole("button", { name: "Create" }).isDisabled()).toBe(true);
      await page.getByLabel("Target", { exact: true }).fill("127.0.0.1:9");
      await page.getByRole("button", { name: "Create" }).click();
      // Nothing is made where no master fits, and the hub's reason is said.
      await page
        .getByRole("alert")
        .filter({ hasText: /master/ })
        .waitFor();
      expect(await fleet.client.services()).toEqual([]);
      await page.getByLabel("Labels", { exact: true }).fill("region=eu");
      await page.getByRole("button", { name: "Create" }).click();
      await page.getByRole("heading", { name: "web" }).waitFor();
      await page.getByRole("link", { name: "edge" }).waitFor();
      const [made] = await fleet.client.services();
      expect(made).toMatchObject({ alias: "web", parts: [{ owner: edge.mid, state: "applied" }] });

      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByRole("button", { name: "Start" }).waitFor();
      await expect
        .poll(async () => (await edge.client.list())[0]?.status, { timeout: 10_000 })
        .toBe("stopped");
      await page.getByRole("button", { name: "Edit…" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Name").fill("web-2");
      await dialog.getByLabel("Tags").fill("env=prod");
      await dialog.getByRole("button", { name: "Save" }).click();
      await page.getByRole("heading", { name: "web-2" }).waitFor();
      // Somebody else is faster than a dialog that is open.
      await page.getByRole("button", { name: "Edit…" }).click();
      await fleet.client.changeService(made?.sid ?? "", { alias: "theirs" });
      await dialog.getByLabel("Name").fill("mine");
      await dialog.getByRole("button", { name: "Save" }).click();
      await dialog.getByRole("alert").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("heading", { name: "theirs" }).waitFor();

      await page.getByRole("button", { name: "Delete" }).click();
      await dialog.getByRole("button", { name: "Delete" }).click();
      await page.getByText("No services yet").waitFor();
      await expect.poll(() => edge.client.list()).toEqual([]);
    });
  });
});
