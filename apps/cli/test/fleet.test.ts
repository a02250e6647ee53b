import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import type { FleetMaster, Service } from "@nodepass/model/fleet";
import { findNatsServer } from "test-support/nats";
import { expect, it, onTestFinished, vi } from "vitest";
import { commandsOf, type DocumentCommand, yamlOf } from "./support/document.ts";
import { FleetPlace, netOf, type RunningMember } from "./support/fleet-place.ts";

/** Addresses of this file alone, in place of the document's; its ports may be others' on all of them. */
const NET = netOf(5);
const EDGE = `${NET}.11`;
const [HOME, SPARE, SERVICES] = [`${NET}.12`, `${NET}.13`, `${NET}.20`];
const places: readonly (readonly [string, string])[] = [
  ["edge.example.org", EDGE],
  ["hub.example.org", `${NET}.1`],
  // Where the web servers at home are, and where users connect.
  ["127.0.0.1:8000", `${SERVICES}:28000`],
  ["127.0.0.1:8081", `${HOME}:28081`],
];

/** A web server, on all machines at home at once: they share this one's loopback. */
async function serveWeb(): Promise<void> {
  const server = createServer((_request, response) => response.end("hello from home"));
  server.listen(28000, SERVICES);
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
}

async function visit(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(3000) });
  return answer.text();
}

const eventually = (work: () => Promise<unknown>) =>
  vi.waitFor(work, { timeout: 45_000, interval: 200 });

/** The words of a command, addressed to this file's own places. */
function here({ words }: DocumentCommand): string[] {
  return words.map((word) => {
    const text = word === ":8080" ? `${EDGE}:28080` : word;
    return places.reduce((all, [name, address]) => all.replaceAll(name, address), text);
  });
}

it.runIf(findNatsServer() !== undefined)(
  "docs/fleet.md: from one master to three, and back, by the commands as they stand",
  async () => {
    const document = commandsOf("fleet.md");
    const done = new Set<string>();
    const place = new FleetPlace(NET);
    await serveWeb();
    const take = (section: string): readonly DocumentCommand[] => {
      const found = [...document].find(([heading]) => heading.startsWith(section));
      if (found === undefined) throw new Error(`no section ${section}`);
      return found[1];
    };
    const typed = async (command: DocumentCommand, input = ""): Promise<string> => {
      const [program, ...argv] = here(command);
      expect(program).toBe("nodepass");
      done.add(command.line);
      return place.run(argv, { input });
    };

    // The fleet; what the test adds to the document's line is where it listens.
    const [init, cd, nats, hub, login, show, ...rest] = take("From one master to three");
    expect([init, cd, nats, hub].map((each) => each?.line)).toEqual([
      "nodepass fleet init prod --name prod --host hub.example.org",
      "cd prod",
      "nats-server -c nats/nats-0.conf",
      "nodepass fleet hub .",
    ]);
    const { token, pin } = await place.init();
    await place.engine();
    await place.hub();
    for (const each of [init, cd, nats, hub]) done.add(each?.line ?? "");
    const loginHere = {
      line: login?.line ?? "",
      words: login?.words.map((word) => (word === "PIN" ? pin : word)) ?? [],
    };
    await typed(loginHere, `${token}\n`);
    expect(await typed(show ?? neverHere())).toMatch(/^fleet +prod\n[\s\S]*^your role +admin$/m);

    // Three masters, each with a token.
    const tokens = rest.slice(0, 3);
    const members: RunningMember[] = [];
    for (const [at, create] of tokens.entries()) {
      const joinToken = (await typed(create)).trim();
      members.push(await place.member([EDGE, HOME, SPARE][at] ?? "", { token: joinToken }));
    }
    const [join, ls, ...more] = rest.slice(3);
    expect(join?.words).toEqual(["nodepass-master", "--join", "TOKEN"]);
    done.add(join?.line ?? "");
    const masters = async () => {
      const all = await place.json<FleetMaster[]>(["fleet", "ls"]);
      return all.toSorted((one, other) => one.joined.localeCompare(other.joined));
    };
    await eventually(async () => {
      const all = await masters();
      expect(all.map(({ status }) => status)).toEqual(["online", "online", "online"]);
      expect(all.map(({ labels }) => labels.site)).toEqual(["edge", "home", "home"]);
    });
    expect(await typed(ls ?? neverHere())).toMatch(/site=edge +\S+ +online/);
    const mids = (await masters()).map(({ mid }) => mid);
    for (const [at, label] of more.slice(0, 3).entries()) {
      const words = label.words.map((word) => (word === "MID" ? (mids[at] ?? "") : word));
      expect(await typed({ ...label, words })).toContain(label.words[5] ?? "?");
    }

    // A pair in one line, users, and a move of the end at home.
    const [pair, move, services, audit, members1, members2, ...back] = more.slice(3);
    expect(await typed(pair ?? neverHere())).toMatch(/^alias +web$/m);
    const page = `http://${EDGE}:28080/`;
    await eventually(async () => expect(await visit(page)).toBe("hello from home"));
    await typed(move ?? neverHere());
    await eventually(async () => expect(await visit(page)).toBe("hello from home"));
    expect(await typed(services ?? neverHere())).toMatch(/^web +\S+ +edge runs +spare runs/m);
    expect(await typed(audit ?? neverHere())).toMatch(
      /service\.move .* done +web, client from home to spare: server \S+ on edge, client \S+ on spare$/m,
    );

    // Any command for a member behind the hub.
    expect(await typed(members1 ?? neverHere())).toMatch(/client +running/);
    expect(await typed(members2 ?? neverHere())).toMatch(/^API +/m);

    // What a master tells as it happens comes through, too; and what the fleet tells.
    const ofMember = place.start(["-m", "spare@prod", "events"]);
    await ofMember.waitFor(/initial .* web /);
    const ofFleet = place.start(["fleet", "events", "--type", "service"]);

    // The other sections, in their order.
    for (const label of take("Names, labels")) await typed(label);
    expect((await masters())[0]?.labels).toMatchObject({ region: "eu", fast: "" });
    expect((await masters())[0]?.labels.tier).toBeUndefined();
    const [viewer, ...otherTokens] = take("Tokens and roles");
    const seen = (await typed(viewer ?? neverHere())).trim();
    for (const command of otherTokens) await typed(command);
    // A viewer sees, without keys, and no more.
    expect(await place.run(["fleet", "show", "web", "--show-key", "--key", seen])).not.toMatch(
      /server:\/\/[0-9a-f]/,
    );
    await place.run(["fleet", "rm", "web", "--key", seen], { code: 1 });
    await place.run(["fleet", "audit", "--key", seen], { code: 1 });

    const [create, ...serviceCommands] = take("Services");
    await typed(create ?? neverHere());
    await eventually(async () =>
      expect(await visit(`http://${HOME}:28081/`)).toBe("hello from home"),
    );
    await ofFleet.waitFor(/service +local /);
    for (const command of serviceCommands) await typed(command);
    await applyFile(place, take("From files"), typed);
    for (const { line } of take("From files")) done.add(line);
    for (const command of take("When a master is lost")) await typed(command);
    const [web] = await place.json<Service[]>(["fleet", "ls", "services"]);
    expect(web?.policy).toMatchObject({ failover: "serve", ttl: 15 });

    // And back: masters as they were, in no fleet.
    for (const command of back) await typed(command);
    expect(await place.json(["fleet", "ls"])).toEqual([]);
    await expect(visit(page)).rejects.toThrow();
    for (const { running, url, key } of members) {
      expect(running.child.exitCode).toBeNull();
      const answer = await fetch(`${url}/v1/info`, { headers: { "x-api-key": key } });
      expect(answer.status).toBe(200);
    }
    const all = [...document].flatMap(([, commands]) => commands.map(({ line }) => line));
    expect(all.filter((line) => !done.has(line))).toEqual([]);
  },
  180_000,
);

/** The document's file, addressed to this file's own places, and what is typed with it. */
async function applyFile(
  place: FleetPlace,
  commands: readonly DocumentCommand[],
  typed: (command: DocumentCommand) => Promise<string>,
): Promise<void> {
  const [diff, apply, prune, exportAll] = commands;
  const folder = dirname(place.folder);
  const text = places
    .concat([['":8082"', `"${EDGE}:28082"`]])
    .reduce(
      (all, [name, address]) => all.replaceAll(name, address),
      yamlOf("fleet.md", "site.yaml"),
    );
  writeFileSync(join(folder, "site.yaml"), text);
  expect(await place.run(diff?.words.slice(1) ?? [], { code: 6 })).toMatch(
    /^create shop {2}server:\/\/:auto\/\S+ on edge, client:\S+ on site=home\ncreate local {2}/,
  );
  expect(await typed(apply ?? neverHere())).toMatch(
    /^create shop .*: done\ncreate local .*: done\n$/,
  );
  const pages = [`http://${EDGE}:28082/`, `http://${HOME}:28081/`];
  for (const page of pages) {
    await eventually(async () => expect(await visit(page)).toBe("hello from home"));
  }
  // Again, and where it was moved within its selector, nothing is to do.
  const services = () => place.json<Service[]>(["fleet", "ls", "services"]);
  const shop = async () => (await services()).find(({ alias }) => alias === "shop");
  const masters = await place.json<FleetMaster[]>(["fleet", "ls"]);
  const owner = (await shop())?.parts[1]?.owner;
  const other = masters.find(({ mid, labels }) => labels.site === "home" && mid !== owner);
  await place.run(["fleet", "move", "shop", "--part", "client", "--to", other?.mid ?? ""]);
  const before = await services();
  expect(await typed(apply ?? neverHere())).toBe("nothing to do\n");
  expect(await services()).toEqual(before);
  // A change of the file, and one by hand of what names its master.
  await place.run(["fleet", "move", "shop", "--part", "server", "--to", owner ?? ""], { code: 1 });
  writeFileSync(
    join(folder, "site.yaml"),
    text.replace(/^ {2}local: .*\n/m, "").replace("server: {", "server: { rate: 50,"),
  );
  expect(await typed(prune ?? neverHere())).toMatch(
    /^remove local \(\w+\): done\nchange shop \(\w+\): server url: done\n$/,
  );
  expect((await shop())?.parts[0]?.url).toMatch(/rate=50/);
  await eventually(async () => expect(await visit(pages[0] ?? "")).toBe("hello from home"));
  // What is exported says the same; what no file has brought stays the fleet's own.
  await typed(exportAll ?? neverHere());
  const again = ["-f", "all.yaml", "--owner", "site"];
  expect(await place.run(["diff", ...again], { code: 6 })).toMatch(/^conflict web .*--adopt.*\n$/);
  expect(await place.run(["apply", ...again, "--adopt"])).toMatch(
    /^change web \(\w+\): tags: done\n$/,
  );
  expect(await place.run(["diff", ...again])).toBe("nothing differs\n");
  // The same owner's files for the master itself don't reach what it runs for the fleet.
  writeFileSync(join(folder, "none.yaml"), "tunnels: {}\n");
  const none = ["apply", "-f", "none.yaml", "--owner", "site", "--prune"];
  expect(await place.run([...none, "-m", "edge@prod"])).toBe("nothing to do\n");
  await place.run(["fleet", "rm", "shop"]);
}

function neverHere(): never {
  throw new Error("the document has another command there");
}
