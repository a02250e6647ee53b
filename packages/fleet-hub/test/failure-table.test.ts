import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = new URL("../../../", import.meta.url);
const read = (path: string) => readFileSync(fileURLToPath(new URL(path, root)), "utf8");

const HUB = "packages/fleet-hub/test";
const AGENT = "packages/fleet-agent/test";
const PROTOCOL = "packages/fleet-protocol/test";

/** What fails, and the tests that show what happens then: file, and what the test is called. */
const FAILURES: Record<string, readonly (readonly [string, string])[]> = {
  "the engine is down": [
    [
      `${HUB}/engine.test.ts`,
      "while it is killed members keep what they have, changes are refused, then all goes on",
    ],
    [`${AGENT}/parts.test.ts`, "runs again with its master while the fleet is away"],
    [`${AGENT}/connection.test.ts`, "is there again after its engine was killed, and syncs anew"],
    [
      `${AGENT}/strict.test.ts`,
      "starts with a lease that names it and not before, and stops at its end",
    ],
    [
      "apps/master/test/fleet-gateway.test.ts",
      "answers 503 while the engine is away, ends streams that it has lost, and comes back",
    ],
    [`${HUB}/trials/trials.ts`, "users of real tunnels while the engine is gone"],
  ],
  "the engine's disk is full": [
    [
      `${HUB}/disk-full.test.ts`,
      "refuses changes, by 503; leases, tunnels and pass-through go on; with room and a restart it takes them again",
    ],
    [
      "packages/fleet-hub/src/leader/leader-election.test.ts",
      "while one server takes no write its leader leads on, and ends when another has written",
    ],
  ],
  "a master's disk is full": [
    [
      `${HUB}/member-disk-full.test.ts`,
      "goes on with its tunnels, says why it can't do what it is told, and does it when it can",
    ],
    [
      `${HUB}/member-disk-full.test.ts`,
      "has nothing half done after a kill, and learns the rest from the hub",
    ],
  ],
  "the engine's power is cut": [
    [
      `${HUB}/trials/trials.ts`,
      "the engine's power is cut amid writes, and what it has not synced is gone; an older store comes back",
    ],
    [
      `${HUB}/power-cut.test.ts`,
      "in the middle of many writes keeps each one that it has acknowledged",
    ],
    [
      "packages/fleet-hub/src/hubs/revocations.test.ts",
      "it revokes again, at once, what the engine has forgotten when it is back",
    ],
    [`${HUB}/engine.test.ts`, "refuses, by its name, a server that writes to its disk later"],
    [`${HUB}/store.test.ts`, "goes on, and its watches too, when one server is killed"],
  ],
  "the engine is cut from some members": [
    [
      `${HUB}/services/failover.test.ts`,
      "goes on where nobody can tell, when a member is cut off: serve in two places, strict in one",
    ],
    [
      `${HUB}/trials/trials.ts`,
      "paths, members, hubs and the engine fail in random order; users see who serves",
    ],
    [`${AGENT}/strict.test.ts`, "is asked for again soon while nobody answers"],
  ],
  "a hub is dead": [
    [
      `${HUB}/two-hubs.test.ts`,
      "a frozen leader does not lead when it wakes; a killed one is followed",
    ],
    [
      `${HUB}/services-engine.test.ts`,
      "the other hub finishes what the leading one had begun when it is gone",
    ],
    [
      `${HUB}/services/failover.test.ts`,
      "does not stop strict parts of living members when the leading hub dies",
    ],
  ],
  "all hubs are dead": [
    [`${AGENT}/connection.test.ts`, "asks again when no hub answers"],
    [`${HUB}/engine.test.ts`, "a hub that is restarted learns from its members what they run"],
  ],
  "a hub is frozen, then awake": [
    [
      `${HUB}/two-hubs.test.ts`,
      "a frozen leader does not lead when it wakes; a killed one is followed",
    ],
    [
      `${HUB}/services/failover.test.ts`,
      "names no new owner of a strict part after a frozen hub's late take-over",
    ],
  ],
  "a member is dead, or starts slowly": [
    [
      `${HUB}/services-engine.test.ts`,
      "gives a strict part to another when its owner is gone, and names only one of them",
    ],
    [
      `${HUB}/trials/trials.ts`,
      "a process with members that own strict parts is killed; with --hub 1 the leading hub, too",
    ],
    [
      `${HUB}/hub.test.ts`,
      "one whose process was started anew keeps what it has; a copy of it has to leave",
    ],
    [`${AGENT}/parts.test.ts`, "runs again with its master while the fleet is away"],
    [
      "apps/master/test/fleet-gateway.test.ts",
      "answers 503 while the master is away, and breaks its streams off",
    ],
  ],
  "a member is overloaded: late, then lost": [
    [
      `${HUB}/slow-member.test.ts`,
      "is cut by the engine as a slow consumer, comes back and syncs; others are not slowed",
    ],
    [
      `${HUB}/slow-member.test.ts`,
      "or reads slowly, is sent no more by the gateway than the engine holds for it",
    ],
    ["packages/fleet-hub/src/members/live-presence.test.ts", "heartbeats are no sealed word"],
    [
      "packages/fleet-hub/src/members/live-presence.test.ts",
      "three missing heartbeats make a member late, its TTL and a second lost",
    ],
    [
      `${PROTOCOL}/engine-silence.test.ts`,
      "a member whose road went dark is given up by the server",
    ],
    [
      `${AGENT}/strict.test.ts`,
      "of a process that stood still beyond its lease serves no new user when it wakes",
    ],
  ],
  "clocks are wrong": [
    [
      `${AGENT}/connection.test.ts`,
      "gets another JWT before the old one ends, and at once when it has ended",
    ],
    [
      `${HUB}/access.test.ts`,
      "a join is refused with the reason: token, clock, signature, identity",
    ],
    [`${PROTOCOL}/engine.test.ts`, "that expire close an open connection, and open none"],
  ],
  "one mid runs twice": [
    [
      `${HUB}/hub.test.ts`,
      "one whose process was started anew keeps what it has; a copy of it has to leave",
    ],
    [
      `${AGENT}/connection.test.ts`,
      "of two processes with one identity the other one leaves, and says how to come back",
    ],
    [`${AGENT}/strict.test.ts`, "stops at once when another process has this one's seat"],
  ],
  "a member floods the engine or a hub": [
    [
      `${HUB}/hostile-members.test.ts`,
      "a member that floods its hub is cut off, and the others keep theirs",
    ],
    [
      `${HUB}/hostile-members.test.ts`,
      "a member that takes the engine's connections is cut off with all of them",
    ],
    [
      "packages/fleet-hub/src/members/member-budget.test.ts",
      "a member is heard as much as an honest one says, and then a little each second",
    ],
  ],
  "a message or a record is poisoned": [
    [
      `${HUB}/hub.test.ts`,
      "what members say that can't be read is counted, dropped and, if it asks, refused",
    ],
    [
      `${HUB}/hub.test.ts`,
      "random and damaged messages of each kind are counted, and nothing else comes of them",
    ],
    [
      `${HUB}/hub.test.ts`,
      "a part that fails is tried five times, and again when its record changes",
    ],
    [`${HUB}/store.test.ts`, "a bad record is skipped and named, and what follows is seen"],
    [`${HUB}/recorded.test.ts`, "makes no dead member look alive to a hub that has begun since"],
    [
      `${HUB}/trials/trials.ts`,
      "bad messages, heartbeats and records of every kind; readers of events beside one that never reads",
    ],
  ],
  "the bucket is lost, older, or another one while hubs run": [
    [
      `${HUB}/engine.test.ts`,
      "raises store-older when members know more than the store, and stops nothing",
    ],
    [
      `${HUB}/engine.test.ts`,
      "notices that another bucket is in its place while it runs, and stops nothing by that",
    ],
    [
      `${HUB}/trials/trials.ts`,
      "the engine's power is cut amid writes, and what it has not synced is gone; an older store comes back",
    ],
    [
      `${HUB}/store.test.ts`,
      "a bucket that was lost is told from the beginning, and what is gone as lost",
    ],
    [
      `${HUB}/services/life.test.ts`,
      "makes services anew of parts that members hold: ids, halves and keys as they are",
    ],
    [`${AGENT}/parts.test.ts`, "a sync removes only what a set that is not older leaves out"],
    [
      "apps/cli/test/fleet-recovery.test.ts",
      "the store is lost: members and services come back from an export, and users notice nothing",
    ],
    [
      "apps/cli/test/fleet-recovery.test.ts",
      "the store is older: nothing stops, the alarm says so, and an import brings it up to date",
    ],
  ],
  "all reconnect at once": [
    [
      `${HUB}/hub.test.ts`,
      "50 syncs are answered at once; the others come again, and all are answered",
    ],
    [`${AGENT}/connection.test.ts`, "comes later when a hub is busy"],
    [`${HUB}/trials/trials.ts`, "members join and sync, idle, create, reconnect at once"],
  ],
};

/** What the tests of a file are called, those that are skipped or to be written left out; of trials, what they show. */
function titlesIn(text: string): string[] {
  const begins =
    /(?:\b(?:it|test)(?:\.concurrent)?|\))\(\s*"((?:[^"\\]|\\.)*)"|\babout:\s*"([^"]*)"/g;
  return [...text.matchAll(begins)].map(([, test, trial]) => test ?? trial ?? "");
}

describe("when there is a test of what happens", () => {
  for (const [what, shown] of Object.entries(FAILURES)) {
    it.each(shown)(`if ${what}: %s, %j`, (file, name) => {
      expect(titlesIn(read(file))).toContain(name);
    });
  }
});

it("takes no text for a test that is none", () => {
  const lines = ['it("a", f);', 'test.skip("b", f);', '// it is "c"', 'it.each([1])("d %i", f);'];
  expect(
    titlesIn(
      `${lines.join("\n")} it.runIf(x)(\n "e", f); test.concurrent("h", f); expect(y).toBe("f"); about: "g"`,
    ),
  ).toEqual(["a", "d %i", "e", "h", "g"]);
});

it("docs/fleet.md names each of these failures", () => {
  const text = read("docs/fleet.md");
  for (const what of Object.keys(FAILURES)) expect(text.toLowerCase()).toContain(what);
});
