import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TunnelError } from "../errors.ts";
import type { Signal } from "./signal.ts";
import { SignalDecoder } from "./signal-decoder.ts";
import { createSignalEncoder } from "./signal-encoder.ts";

interface Vector {
  readonly key: string;
  readonly signal: Signal;
  readonly line: string;
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL("../../test/vectors/signals.json", import.meta.url), "utf8"),
);

/** The bytes that each end sent on the control connection (the second one) of a recording. */
function recordedStreams(name: string): Buffer[] {
  const url = new URL(`../../test/peer-114/recordings/${name}.jsonl`, import.meta.url);
  const events: { conn: number; dir: string; hex?: string }[] = readFileSync(url, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return ["client>server", "server>client"].map((dir) =>
    Buffer.concat(
      events
        .filter((event) => event.conn === 2 && event.dir === dir)
        .map((event) => Buffer.from(event.hex ?? "", "hex"))
        .map((bytes) => (bytes.equals(Buffer.alloc(4)) ? Buffer.alloc(0) : bytes)),
    ),
  );
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TunnelError) return error.code;
    throw error;
  }
  return "none";
}

/** A line of any text under a key. */
function lineOf(key: string, text: string): Buffer {
  const mask = Buffer.from(key);
  const bytes = Buffer.from(text).map((byte, at) => byte ^ (mask[at % mask.length] ?? 0));
  return Buffer.from(`${Buffer.from(bytes).toString("base64")}\n`);
}

const push = (line: Uint8Array, key = "secret") => new SignalDecoder(key).push(line);

describe("recorded control connections", () => {
  test.each([
    ["forward", { action: "tcp", remote: "127.0.0.1:48020", id: "ee8afa28" }],
    ["forward", { action: "udp", remote: "127.0.0.1:39001", id: "819a2da5" }],
    ["reverse", { action: "tcp", remote: "127.0.0.1:46170", id: "6aa4ae68" }],
    ["reverse", { action: "udp", remote: "127.0.0.1:39872", id: "c6d38d65" }],
  ])("of the %s flow say %o", (name, expected) => {
    const events = recordedStreams(name).flatMap((bytes) => push(bytes));
    expect(events).toContainEqual(expected);
  });

  test.each(["forward", "reverse"])("of the %s flow are encoded to the same bytes", (name) => {
    const encode = createSignalEncoder("secret");
    let lines = 0;
    for (const bytes of recordedStreams(name)) {
      const events = push(bytes);
      const encoded = events.map((event) => (event.action === "unknown" ? "" : encode(event)));
      expect(encoded.join("")).toBe(bytes.toString("latin1"));
      lines += events.length;
    }
    expect(lines).toBe(10);
  });

  test("say the same however they are cut", () => {
    for (const bytes of [...recordedStreams("forward"), ...recordedStreams("reverse")]) {
      const whole = push(bytes);
      for (let cut = 0; cut <= bytes.length; cut++) {
        const decoder = new SignalDecoder("secret");
        const events = [...decoder.push(bytes.subarray(0, cut))];
        events.push(...decoder.push(bytes.subarray(cut)));
        expect(events).toEqual(whole);
      }
      const decoder = new SignalDecoder("secret");
      const events = [...bytes].flatMap((byte) => decoder.push(Uint8Array.of(byte)));
      expect(events).toEqual(whole);
    }
  });
});

describe("vectors", () => {
  test.each(vectors)("$signal.action $signal.remote under a key", ({ key, signal, line }) => {
    expect(createSignalEncoder(key)(signal)).toBe(line);
    expect(push(Buffer.from(line), key)).toEqual([signal]);
  });
});

describe("SignalDecoder", () => {
  test("keeps no view of a chunk", () => {
    const line = Buffer.from(
      createSignalEncoder("secret")({ action: "tcp", remote: "[::1]:80", id: "0123abcd" }),
    );
    const decoder = new SignalDecoder("secret");
    const head = Buffer.from(line.subarray(0, 30));
    expect(decoder.push(head)).toEqual([]);
    head.fill(0);
    const [event] = decoder.push(line.subarray(30));
    line.fill(0);
    expect(event).toEqual({ action: "tcp", remote: "[::1]:80", id: "0123abcd" });
  });

  test("names an action that it does not know, fit for a log line", () => {
    expect(push(lineOf("secret", '{"action":"re\\nplay é","id":1}'))).toEqual([
      { action: "unknown", name: "re?play??" },
    ]);
    const [event] = push(lineOf("secret", `{"action":"${"x".repeat(500)}"}`));
    expect(event).toEqual({ action: "unknown", name: "x".repeat(32) });
  });

  test("takes a verify whose empty fp was left out", () => {
    expect(push(lineOf("secret", '{"action":"verify","id":"00000001"}'))).toEqual([
      { action: "verify", id: "00000001", fp: "" },
    ]);
  });

  test.each([
    ["an empty line", Buffer.from("\n")],
    ["a carriage return", Buffer.from("CEcCEREdHAtBSEcEGgsEUBg=\r\n")],
    ["missing padding", Buffer.from("CEcCEREdHAtBSEcEGgsEUBg\n")],
    ["padding within", Buffer.from("CEc=EREdHAtBSEcEGgsEUBg=\n")],
    ["only padding", Buffer.from("====\n")],
    ["bits beside the padding", Buffer.from("CEcCEREdHAtBSEcEGgsEUBh=\n")],
    ["the URL alphabet", Buffer.from("____\n")],
    ["another key's line", lineOf("other", '{"action":"ping"}')],
    ["no JSON", lineOf("secret", "ping")],
    ["a list", lineOf("secret", '["ping"]')],
    ["null", lineOf("secret", "null")],
    ["no action", lineOf("secret", "{}")],
    ["an action that is no text", lineOf("secret", '{"action":1}')],
    ["an inherited action", lineOf("secret", '{"__proto__":{"action":"ping"}}')],
    ["no id", lineOf("secret", '{"action":"tcp","remote":"1.2.3.4:5"}')],
    ["a short id", lineOf("secret", '{"action":"tcp","remote":"1.2.3.4:5","id":"abc"}')],
    ["an upper-case id", lineOf("secret", '{"action":"tcp","remote":"1.2.3.4:5","id":"ABCDEF01"}')],
    ["a long id", lineOf("secret", '{"action":"tcp","remote":"1.2.3.4:5","id":"abcdef012"}')],
    ["no remote", lineOf("secret", '{"action":"udp","id":"abcdef01"}')],
    ["a name as remote", lineOf("secret", '{"action":"udp","remote":"a.b:5","id":"abcdef01"}')],
    [
      "a remote with a line break",
      lineOf("secret", '{"action":"tcp","remote":"1.2.3.4:5\\r\\n","id":"abcdef01"}'),
    ],
    ["a wrong fp", lineOf("secret", '{"action":"verify","id":"abcdef01","fp":"sha256:00"}')],
    ["an fp that is no text", lineOf("secret", '{"action":"verify","id":"abcdef01","fp":0}')],
  ])("refuses %s", (_, line) => {
    const decoder = new SignalDecoder("secret");
    expect(codeOf(() => decoder.push(line))).toBe("SIGNAL_INVALID");
    // What comes after is not looked at.
    expect(codeOf(() => decoder.push(lineOf("secret", '{"action":"ping"}')))).toBe(
      "SIGNAL_INVALID",
    );
  });

  test("never shows what a line decodes to: zeros would print the key", () => {
    for (const zeros of [1, 3, 6, 30, 300]) {
      const line = Buffer.from(`${Buffer.alloc(zeros).toString("base64")}\n`);
      try {
        push(line);
        expect.unreachable();
      } catch (error) {
        expect(String(error)).not.toContain("secret");
        expect((error as Error).cause).toBeUndefined();
      }
    }
  });

  test("refuses a line over the limit as soon as it is longer, with or without its end", () => {
    const options = { maxLineBytes: 64 };
    const filling = Buffer.alloc(64, "A");
    expect(new SignalDecoder("k", options).push(filling)).toEqual([]);
    const decoder = new SignalDecoder("k", options);
    decoder.push(filling);
    expect(codeOf(() => decoder.push(Buffer.from("A")))).toBe("SIGNAL_TOO_LARGE");
    const line = Buffer.from(`${"A".repeat(68)}\n`);
    expect(codeOf(() => new SignalDecoder("k", options).push(line))).toBe("SIGNAL_TOO_LARGE");
  });

  test("refuses options out of range", () => {
    for (const maxLineBytes of [0, 63, 1.5, Number.NaN, 2 ** 30]) {
      expect(codeOf(() => new SignalDecoder("k", { maxLineBytes }))).toBe("INVALID_OPTIONS");
    }
    expect(codeOf(() => new SignalDecoder(""))).toBe("INVALID_OPTIONS");
  });

  test("throws nothing but its error for random bytes, in random pieces", () => {
    const alphabet = fc.constantFrom(..."ABCxyz019+/=\n\r{ \0");
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ unit: alphabet, maxLength: 300 }).map((text) => Buffer.from(text)),
      fc.json().map((text) => lineOf("secret", text)),
    );
    const codes = new Set(["none", "SIGNAL_INVALID", "SIGNAL_TOO_LARGE"]);
    fc.assert(
      fc.property(fc.array(garbage, { maxLength: 4 }), (chunks) => {
        const decoder = new SignalDecoder("secret", { maxLineBytes: 256 });
        for (const chunk of chunks) expect(codes).toContain(codeOf(() => decoder.push(chunk)));
      }),
      { numRuns: 3000 },
    );
  });

  test("reads good lines with one bit changed as something valid, or refuses them", () => {
    const line = Buffer.from(vectors[3]?.line ?? "");
    let refused = 0;
    for (let bit = 0; bit < line.length * 8; bit++) {
      const changed = Buffer.from(line);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const code = codeOf(() => push(changed));
      expect(["none", "SIGNAL_INVALID"]).toContain(code);
      if (code !== "none") refused++;
    }
    expect(refused).toBeGreaterThan(line.length * 4);
  });
});

describe("createSignalEncoder", () => {
  test("is undone by the decoder, whatever the key", () => {
    const id = fc.integer({ min: 0, max: 0xffff_ffff }).map((n) => n.toString(16).padStart(8, "0"));
    const port = fc.integer({ min: 0, max: 65_535 });
    const remote = fc.oneof(
      fc.tuple(fc.ipV4(), port).map(([address, number]) => `${address}:${number}`),
      fc.tuple(fc.ipV6(), port).map(([address, number]) => `[${address}]:${number}`),
    );
    const signal: fc.Arbitrary<Signal> = fc.oneof(
      fc.record({ action: fc.constantFrom("ping" as const, "pong" as const, "flush" as const) }),
      fc.record({ action: fc.constantFrom("tcp" as const, "udp" as const), remote, id }),
      fc.record({
        action: fc.constantFrom("need" as const, "keep" as const, "max" as const),
        count: fc.integer({ min: 0, max: 0xffff_ffff }),
      }),
    );
    // Not the unit "binary": its table takes most of a second of a core, on a busy machine many.
    const unit = fc
      .oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0x10_ffff }))
      .map((code) => String.fromCodePoint(code));
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit }), fc.array(signal), (key, signals) => {
        const text = signals.map(createSignalEncoder(key)).join("");
        expect(new SignalDecoder(key).push(Buffer.from(text, "latin1"))).toEqual(signals);
      }),
      { numRuns: 1000 },
    );
  });

  test.each<Signal>([
    { action: "tcp", remote: 'x","id":"00000000', id: "00000001" },
    { action: "tcp", remote: "1.2.3.4:5", id: "0000000G" },
    { action: "udp", remote: `[fe80::1%${"x".repeat(200)}]:5`, id: "00000001" },
    { action: "verify", id: "00000001", fp: "sha256:aa" },
    { action: "need", count: -1 },
    { action: "keep", count: 1.5 },
    { action: "max", count: -5 },
    { action: "need", count: 2 ** 32 },
  ])("refuses %o", (signal) => {
    expect(codeOf(() => createSignalEncoder("secret")(signal))).toBe("SIGNAL_INVALID");
  });
});
