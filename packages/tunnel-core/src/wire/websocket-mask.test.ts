import fc from "fast-check";
import { expect, test } from "vitest";
import { maskInPlace, writeMaskingKey } from "./websocket-mask.ts";

test("is the XOR of RFC 6455, section 5.3, on any address, length and phase, and touches no more", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.nat(3),
      fc.nat(7),
      (payload, key, phase, lead) => {
        const memory = new Uint8Array(lead + payload.length + 8).fill(0x55);
        // A view that begins anywhere in its memory, as a slice of a read buffer does.
        const bytes = memory.subarray(lead % 4);
        const start = lead - (lead % 4);
        bytes.set(payload, start);
        maskInPlace(bytes, start, start + payload.length, key, phase);
        const wanted = payload.map((byte, i) => byte ^ (key[(phase + i) % 4] ?? 0));
        expect([...bytes.subarray(start, start + payload.length)]).toEqual([...wanted]);
        expect(memory.subarray(0, lead).every((byte) => byte === 0x55)).toBe(true);
        const rest = bytes.subarray(start + payload.length);
        expect(rest.every((byte) => byte === 0x55)).toBe(true);
      },
    ),
    { numRuns: 2000 },
  );
});

test("keys are fresh, also after many", () => {
  const seen = new Set<number>();
  const out = Buffer.alloc(6);
  for (let i = 0; i < 5000; i++) {
    writeMaskingKey(out, 1);
    seen.add(out.readUInt32BE(1));
  }
  // Two of 5,000 random words may be alike; twenty may not.
  expect(seen.size).toBeGreaterThan(4980);
  expect(out[0]).toBe(0);
  expect(out[5]).toBe(0);
});
