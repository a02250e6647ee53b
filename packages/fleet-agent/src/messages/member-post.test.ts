import { randomBytes, randomInt } from "node:crypto";
import type { Msg } from "@nats-io/nats-core";
import {
  ApplySchema,
  type Box,
  createBoxKeys,
  createUserKey,
  openBox,
  PrepareSchema,
  REFUSAL_HEADER,
  sealMessage,
  sessionContext,
} from "@nodepass/fleet-protocol";
import { SILENT_LOGGER } from "@nodepass/model";
import { beforeEach, expect, it, vi } from "vitest";
import { MemberPost } from "./member-post.ts";

const MID = "00000000000000a1";
let hub: Box;
let post: MemberPost;
let warned: number;
let handled: unknown[];

beforeEach(() => {
  const [fleet, member] = [createBoxKeys(), createBoxKeys()];
  hub = openBox({ own: fleet, peerPublicKey: member.publicKey, side: "hub" });
  warned = 0;
  handled = [];
  const data = {
    v: 1 as const,
    fleet: "demo",
    mid: MID,
    seed: createUserKey().seed,
    box: member.privateKey,
    hubKey: fleet.publicKey,
    jwt: "x",
    issued: 0,
    expires: 0,
    fingerprint: "",
    servers: [],
    ca: "",
    hubs: ["http://x"],
    pin: "",
    revision: 0,
    bucket: "",
    left: "",
    parts: [],
    former: [],
  };
  post = new MemberPost(data, { ...SILENT_LOGGER, warn: () => void warned++ });
  post.on(post.subjects.apply, ApplySchema, (message) => {
    handled.push(message);
    return { reports: [] };
  });
  post.on(post.subjects.prepare, PrepareSchema, () => Promise.reject(new Error("its own fault")));
});

function message(subject: string, data: Uint8Array) {
  const answers: { body: Uint8Array; refusal: string | undefined }[] = [];
  const msg = {
    subject,
    data,
    reply: "_INBOX.1",
    respond: (body: Uint8Array, options?: { headers?: { get(name: string): string } }) => {
      answers.push({ body, refusal: options?.headers?.get(REFUSAL_HEADER) });
      return true;
    },
  };
  // Only what the post uses of a message.
  return { msg: msg as unknown as Msg, answers };
}
const sealed = (subject: string, content: unknown) =>
  sealMessage(hub, subject, content, sessionContext(post.session));

it("answers what it can read, and once", async () => {
  const { apply } = post.subjects;
  const body = sealed(apply, { orders: [] });
  for (const expected of ["", "bad-message"]) {
    const { msg, answers } = message(apply, body);
    post.take(msg);
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    expect(answers[0]?.refusal ?? "").toBe(expected);
  }
  expect([handled.length, post.badMessages]).toEqual([1, 1]);
});

it("is stopped by nothing that comes: garbage, changed and misplaced messages are counted", async () => {
  const { apply, prepare } = post.subjects;
  const subjects = [apply, prepare, `np.demo.m.${MID}.unknown`, "", "x.y.z"];
  const contents = [{ orders: "x" }, { orders: [{}] }, null, 7, "text", [], { url: 1, key: null }];
  const count = 5000;
  const all: ReturnType<typeof message>[] = [];
  for (let n = 0; n < count; n++) {
    const subject = subjects[n % subjects.length] ?? "";
    let body: Uint8Array = randomBytes(randomInt(0, 200));
    if (n % 3 === 1) body = sealed(apply, contents[n % contents.length]);
    if (n % 3 === 2) {
      body = sealed(subject, { orders: [] });
      const at = randomInt(0, body.byteLength);
      body[at] = (body[at] ?? 0) ^ (1 << randomInt(0, 8));
    }
    const one = message(subject, body);
    all.push(one);
    post.take(one.msg);
  }
  await vi.waitFor(() => expect(all.every(({ answers }) => answers.length === 1)).toBe(true));
  expect(all.every(({ answers }) => answers[0]?.refusal === "bad-message")).toBe(true);
  expect([handled.length, post.badMessages]).toEqual([0, count]);
  // And the log is not filled by it.
  expect(warned).toBe(1);
});

it("goes on when a handler fails, and says it to nobody", async () => {
  const { msg, answers } = message(
    post.subjects.prepare,
    sealed(post.subjects.prepare, { url: "", key: null }),
  );
  post.take(msg);
  await new Promise((resolve) => setImmediate(resolve));
  expect([answers.length, post.badMessages]).toEqual([0, 0]);
});
