import fc from "fast-check";
import { expect, test } from "vitest";
import { createDataKey, openAtRest, sealAtRest } from "./at-rest.ts";
import { SealError, type SealErrorCode } from "./seal-error.ts";

const key = createDataKey();
const former = createDataKey();

function codeOf(action: () => unknown): SealErrorCode | "none" {
  try {
    action();
  } catch (error) {
    if (error instanceof SealError) return error.code;
    throw error;
  }
  return "none";
}

test("a record opens under its name, with the key it was sealed with among several", () => {
  const body = Buffer.from("server://key@:10101/:80");
  const sealed = sealAtRest(former, "np_f_svc/a", body);
  expect(sealed.byteLength).toBe(body.byteLength + 33);
  expect(Buffer.from(sealed).includes("key@")).toBe(false);
  expect(Buffer.from(openAtRest([key, former], "np_f_svc/a", sealed))).toEqual(body);
  expect(codeOf(() => openAtRest(key, "np_f_svc/a", sealed))).toBe("BAD_SEAL");
  expect(codeOf(() => openAtRest(former, "np_f_svc/b", sealed))).toBe("BAD_SEAL");
});

test("the same record is never sealed the same twice", () => {
  const body = Buffer.from("x");
  expect(sealAtRest(key, "n", body)).not.toEqual(sealAtRest(key, "n", body));
});

test("a data key of another length is refused", () => {
  expect(codeOf(() => sealAtRest(new Uint8Array(16), "n", new Uint8Array()))).toBe("BAD_KEY");
});

test("a changed or cut record, and any other bytes, are refused by name", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 100 }),
      fc.nat(),
      fc.nat({ max: 7 }),
      fc.string(),
      (body, at, bit, name) => {
        const sealed = sealAtRest(key, name, body);
        const place = at % sealed.length;
        const changed = sealed.slice();
        changed[place] = (sealed[place] ?? 0) ^ (1 << bit);
        for (const bad of [changed, sealed.subarray(0, place), body, Buffer.of(1, ...body)]) {
          expect(["BAD_SEAL", "BAD_FRAME"]).toContain(codeOf(() => openAtRest(key, name, bad)));
        }
        expect(Buffer.from(openAtRest(key, name, sealed)).equals(body)).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});
