import { expect, it } from "vitest";
import { z } from "zod";
import { readArguments } from "./read-arguments.ts";

const schema = z.strictObject({
  id: z.string().regex(/^[a-z]+$/, "not an id"),
  mode: z.string().optional(),
  action: z.enum(["start", "stop"]).optional(),
  lines: z.int().min(0).max(9).optional(),
  password: z.string().optional(),
  peer: z.strictObject({ sid: z.string() }).optional(),
});

it("takes numbers and booleans for the texts that they stand for", () => {
  expect(readArguments("tool", schema, { id: "a", mode: 1, lines: 3 })).toEqual({
    id: "a",
    mode: "1",
    lines: 3,
  });
  expect(readArguments("tool", schema, { id: "a", mode: false }).mode).toBe("false");
});

it.each([
  [{}, "tool: id is missing"],
  [{ id: "A" }, 'tool: id "A": not an id'],
  [{ id: "a", mode: {} }, "tool: mode {} is not valid (allowed: a text)"],
  [{ id: "a", mode: null }, "tool: mode null is not valid (allowed: a text)"],
  [{ id: "a", action: "halt" }, 'tool: action "halt" is not valid (allowed: start, stop)'],
  [{ id: "a", action: 3 }, 'tool: action "3" is not valid (allowed: start, stop)'],
  [{ id: "a", lines: "3" }, 'tool: lines "3" is not valid (allowed: a number)'],
  [{ id: "a", lines: 10 }, /^tool: lines 10: .*<=9$/],
  [
    { id: "a", mod: "1" },
    'tool: "mod" is no argument (allowed: id, mode, action, lines, password, peer); did you mean mode?',
  ],
  [{ id: "a", peer: {} }, "tool: peer.sid is missing"],
  [{ id: "a", peer: { sid: 1 } }, "tool: peer.sid 1 is not valid (allowed: a text)"],
  [[], /^tool: the arguments \[\] is not valid \(allowed: an object\)/],
  ["x", /^tool: the arguments "x"/],
])("says of %j what is wrong and what is allowed", (args, message) => {
  expect(() => readArguments("tool", schema, args)).toThrow(
    expect.objectContaining({
      code: "INVALID",
      message: typeof message === "string" ? message : expect.stringMatching(message),
    }),
  );
});

it("says all that is wrong at once, at bounded length, and no password", () => {
  const read = () =>
    readArguments("tool", schema, { id: "A".repeat(9999), action: 1, password: ["hunter2"] });
  expect(read).toThrow(/^tool: id "A{119}….*; action.*; password \*\*\*/);
  expect(read).not.toThrow(/hunter2/);
  const many = Object.fromEntries(Array.from({ length: 999 }, (_each, at) => [`k${at}`, 1]));
  expect(() => readArguments("tool", schema, { id: "a", ...many })).toThrow(/^.{1,2000}$/s);
});
