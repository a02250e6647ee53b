import { expect, test } from "vitest";
import { createTurnstile } from "./turnstile.ts";

test("lets a few through at a time, in the order they came, and refuses who is too many", async () => {
  const turnstile = createTurnstile(2, 3, "joins");
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const pass = (name: number) =>
    turnstile.pass(() => {
      begun.push(name);
      return new Promise<number>((resolve) => ends.push(() => resolve(name)));
    });
  const all = [1, 2, 3, 4, 5].map(pass);
  expect(begun).toEqual([1, 2]);
  await expect(pass(6)).rejects.toMatchObject({ code: "LIMIT_REACHED" });
  while (ends.length > 0) {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await Promise.all(all)).toEqual([1, 2, 3, 4, 5]);
  expect(begun).toEqual([1, 2, 3, 4, 5]);
});

test("goes on after a failure", async () => {
  const turnstile = createTurnstile(1, 1, "joins");
  const failed = turnstile.pass(() => Promise.reject(new Error("no")));
  const next = turnstile.pass(() => Promise.resolve("yes"));
  await expect(failed).rejects.toThrow("no");
  expect(await next).toBe("yes");
  expect(await turnstile.pass(() => Promise.resolve("again"))).toBe("again");
});
