import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Target } from "../../peer-114/index.ts";
import { echoTcp, type ScriptedTarget } from "../../support/scripted-target.ts";
import { eventually } from "../../support/tunnel-pair.ts";
import {
  dial,
  digest,
  echo,
  echoRandom,
  endOf,
  openUdpPeer,
  readAll,
  readExactly,
} from "../../support/users.ts";
import { Randomness } from "./mutate.ts";

/** What a trial goes through. */
export interface Trial {
  /** Where users connect. */
  readonly entry: Target;
  readonly target: ScriptedTarget;
  readonly seed: number;
}

/** Echoes of these sizes, one connection after another; each user ends before the target does. */
export async function tryEchoes({ entry, target }: Trial, sizes: readonly number[]): Promise<void> {
  target.onTcp = echoTcp;
  for (const size of sizes) {
    const [sent, received] = await echoRandom(entry, size);
    expect(received).toBe(sent);
  }
}

/** Many short connections, one after another and some at once: pool connections are used again. */
export async function tryMany({ entry, target, seed }: Trial, count: number): Promise<void> {
  target.onTcp = echoTcp;
  const random = new Randomness(seed);
  for (let at = 0; at < count; at++) {
    const users = Array.from({ length: 1 + random.next(3) }, async () => {
      const payload = randomBytes(random.next(300));
      expect(digest(await echo(entry, payload))).toBe(digest(payload));
    });
    await Promise.all(users);
  }
}

/** Both sides send at once, in rounds of their own sizes, on one connection. */
export async function tryTalk(trial: Trial, rounds: number): Promise<void> {
  const { user, served } = await join(trial);
  const random = new Randomness(trial.seed);
  for (let round = 0; round < rounds; round++) {
    const [up, down] = [randomBytes(1 + random.next(700)), randomBytes(1 + random.next(700))];
    user.write(up);
    served.write(down);
    const [asked, answered] = await Promise.all([
      readExactly(served, up.length),
      readExactly(user, down.length),
    ]);
    expect([digest(asked), digest(answered)]).toEqual([digest(up), digest(down)]);
  }
  const rest = readAll(served);
  user.end("the end");
  expect(String(await rest)).toBe("the end");
  served.end("and mine");
  expect(String(await readAll(user))).toBe("and mine");
}

/** The target ends first, and is still sent to; then neither sends a byte. */
export async function tryHalfClose(trial: Trial, bytes: number): Promise<void> {
  const { user, served } = await join(trial);
  const received = readAll(served);
  served.end("done");
  expect(String(await readAll(user))).toBe("done");
  const late = randomBytes(bytes);
  user.end(late);
  expect(digest(await received)).toBe(digest(late));

  const silent = await join(trial);
  silent.user.end();
  expect((await readAll(silent.served)).length).toBe(0);
  silent.served.end();
  expect((await readAll(silent.user)).length).toBe(0);
}

/** A reset of either side is one for the other. */
export async function tryResets(trial: Trial): Promise<void> {
  for (const who of ["user", "served"] as const) {
    const joined = await join(trial);
    joined.user.write("x");
    await readExactly(joined.served, 1);
    const end = endOf(who === "user" ? joined.served : joined.user);
    joined[who].resetAndDestroy();
    expect(await end).toBe("ECONNRESET");
  }
}

/** Datagrams of these sizes one by one, then a burst of so many: whole, in order, both ways. */
export async function tryDatagrams(
  { entry, seed }: Trial,
  sizes: readonly number[],
  burst: number,
): Promise<void> {
  const random = new Randomness(seed);
  const peer = await openUdpPeer(entry);
  peer.socket.setRecvBufferSize(4 * 1024 * 1024);
  const sent: Buffer[] = [];
  const send = (size: number): void => {
    const payload = randomBytes(size);
    sent.push(payload);
    peer.send(payload);
  };
  for (const size of sizes) {
    send(size);
    await eventually(() => expect(peer.received.length).toBe(sent.length));
  }
  for (let count = 0; count < burst; count++) send(random.next(burst));
  await eventually(() => expect(peer.received.length).toBe(sent.length));
  expect(peer.received.map(digest)).toEqual(sent.map(digest));
  peer.close();
}

/** A user's connection, and the target's end of it. */
async function join({ entry, target }: Trial): Promise<{ user: Socket; served: Socket }> {
  const taken = new Promise<Socket>((resolve) => {
    target.onTcp = resolve;
  });
  const user = await dial(entry);
  return { user, served: await taken };
}

/** Both directions full until nothing moves, since nobody reads; then all of it arrives. */
export async function trySlowReaders(trial: Trial, bytes: number): Promise<void> {
  const { user, served } = await join(trial);
  user.pause();
  served.pause();
  const [up, down] = [randomBytes(bytes), randomBytes(bytes)];
  user.end(up);
  served.end(down);
  const pending = (): number => user.writableLength + served.writableLength;
  for (let still = 0, before = -1; still < 5; await sleep(10)) {
    still = pending() === before ? still + 1 : 0;
    before = pending();
  }
  const [asked, answered] = await Promise.all([readAll(served), readAll(user)]);
  expect([digest(asked), digest(answered)]).toEqual([digest(up), digest(down)]);
}

/** How a connection of the crowd goes; the user tells the target in its first line. */
const PLOTS = ["echo", "answer", "targetResets", "userResets", "userLeaves"] as const;

/**
 * A crowd of users, some at once, whose connections end in every way: what one leaves behind on a
 * pool connection would be the next one's first bytes.
 *
 * @param most bytes that one sends
 */
export async function tryCrowd(
  { entry, target, seed }: Trial,
  count: number,
  most: number,
): Promise<void> {
  const random = new Randomness(seed);
  target.onTcp = (socket) => void play(socket);
  const wrong: string[] = [];
  let left = count;
  const visit = async (): Promise<void> => {
    while (left-- > 0) {
      const plot = random.one(PLOTS);
      const size = 1 + random.next(random.one([2, 300, most]));
      const payload = randomBytes(size);
      const user = await dial(entry);
      user.write(`${plot} ${size}\n`);
      if (plot === "echo" || plot === "answer") {
        const answer = readAll(user);
        user.end(payload);
        const due = plot === "echo" ? payload : Buffer.concat([answerOf(size), payload]);
        if (!due.equals(await answer)) wrong.push(`${plot} ${size}`);
      } else if (plot === "targetResets") {
        user.write(payload);
        if ((await endOf(user)) !== "ECONNRESET") wrong.push(`${plot} ${size}`);
      } else {
        user.write(payload);
        // Met by the target, or it would be taken for a later trial's user.
        await once(user, "data");
        if (plot === "userResets") user.resetAndDestroy();
        else user.destroy();
      }
    }
  };
  await Promise.all(Array.from({ length: 6 }, visit));
  expect(wrong).toEqual([]);
}

/** Users who are gone before anybody can have met them. */
export async function tryPassersBy({ entry, target }: Trial, count: number): Promise<void> {
  target.onTcp = echoTcp;
  for (let at = 0; at < count; at++) {
    const user = await dial(entry);
    user.write("x");
    if (at % 2 === 0) user.resetAndDestroy();
    else user.destroy();
  }
}

/** The target's part of a plot: what "answer" ends with depends on all that came. */
async function play(socket: Socket): Promise<void> {
  let line = "";
  while (!line.endsWith("\n")) {
    const byte = await readExactly(socket, 1).catch(() => undefined);
    if (byte === undefined) return;
    line += byte.toString("latin1", 0, 1);
    if (byte.length > 1) socket.unshift(byte.subarray(1));
  }
  const [plot = "", size = "0"] = line.trim().split(" ");
  if (plot === "targetResets") {
    socket.resetAndDestroy();
  } else if (plot === "answer") {
    socket.write(answerOf(Number(size)));
    socket.pipe(socket);
  } else {
    socket.pipe(socket);
  }
}

function answerOf(size: number): Buffer {
  return Buffer.alloc(size, `${size}.`);
}
