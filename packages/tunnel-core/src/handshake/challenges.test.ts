import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { newNonce } from "../wire/proof.ts";
import { ConnectionChallenges, ProxiedChallenges } from "./challenges.ts";

const here = {};
const elsewhere = {};

describe("challenges of a connection", () => {
  test("are good once, there and with the same client nonce", () => {
    const challenges = new ConnectionChallenges();
    const nonce = newNonce();
    const made = challenges.make(here, nonce);
    expect(challenges.take(elsewhere, nonce)).toBeUndefined();
    expect(challenges.take(here, nonce)).toBe(made);
    expect(challenges.take(here, nonce)).toBeUndefined();
  });

  test("are used up by another client nonce, and replaced by a second opening", () => {
    const challenges = new ConnectionChallenges();
    const nonce = newNonce();
    challenges.make(here, nonce);
    expect(challenges.take(here, newNonce())).toBeUndefined();
    expect(challenges.take(here, nonce)).toBeUndefined();
    const first = challenges.make(here, nonce);
    expect(challenges.make(here, nonce).serverNonce).not.toEqual(first.serverNonce);
  });
});

describe("challenges behind a reverse proxy", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("are good once, on any connection", () => {
    const challenges = new ProxiedChallenges(5000);
    const nonce = newNonce();
    const made = challenges.make(here, nonce);
    expect(challenges.take(elsewhere, newNonce())).toBeUndefined();
    expect(challenges.take(elsewhere, nonce)).toBe(made);
    expect(challenges.take(elsewhere, nonce)).toBeUndefined();
    challenges.close();
  });

  test("can't be replaced by somebody who has seen the nonce", () => {
    const challenges = new ProxiedChallenges(5000);
    const nonce = newNonce();
    const made = challenges.make(here, nonce);
    expect(challenges.make(elsewhere, nonce)).toBe(made);
    challenges.close();
  });

  test("are forgotten in time, and the oldest when there are too many", () => {
    const challenges = new ProxiedChallenges(5000);
    const nonces = Array.from({ length: 1025 }, newNonce);
    for (const nonce of nonces) challenges.make(here, nonce);
    expect(challenges.take(here, nonces[0] ?? newNonce())).toBeUndefined();
    expect(challenges.take(here, nonces[1] ?? newNonce())).toBeDefined();
    vi.advanceTimersByTime(5001);
    expect(challenges.take(here, nonces[2] ?? newNonce())).toBeUndefined();
    challenges.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
