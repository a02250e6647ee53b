import type { Profile, ProfileBook } from "@nodepass/master-client/node";
import { expect, it } from "vitest";
import { chooseMaster, type MasterOptions } from "./choose-master.ts";

const profile = (master: string, key: string, more: Partial<Profile> = {}): Profile => ({
  master,
  key,
  insecure: false,
  pin: undefined,
  ...more,
});

const book: ProfileBook = {
  current: "home",
  profiles: new Map([
    ["home", profile("http://home:1/api", "home-key")],
    ["work", profile("https://work", "work-key", { insecure: true })],
  ]),
};
const empty: ProfileBook = { current: undefined, profiles: new Map() };

it.each<[MasterOptions, Record<string, string>, ProfileBook, string, string]>([
  [{}, {}, book, "http://home:1", "home-key"],
  [{ profile: "work" }, {}, book, "https://work", "work-key"],
  [{ key: "k" }, {}, empty, "http://127.0.0.1:9090", "k"],
  [{}, { NP_API_KEY: "e" }, empty, "http://127.0.0.1:9090", "e"],
  [{}, { NP_MASTER_URL: "env:2", NP_API_KEY: "e" }, book, "http://env:2", "e"],
  [{ master: "m:3" }, { NP_API_KEY: "e" }, book, "http://m:3", "e"],
  [{ master: "m:3", key: "k" }, { NP_API_KEY: "e" }, book, "http://m:3", "k"],
  // A master of a profile, by its address.
  [{ master: "home:1" }, {}, book, "http://home:1", "home-key"],
  [
    { master: "home:1" },
    { NP_MASTER_URL: "env:2", NP_API_KEY: "e" },
    book,
    "http://home:1",
    "home-key",
  ],
  // The key of the environment is not for a master of a profile.
  [{ profile: "work" }, { NP_API_KEY: "e" }, book, "https://work", "work-key"],
  [{}, { NP_API_KEY: "e" }, book, "http://home:1", "home-key"],
  [{ profile: "work", key: "k" }, {}, book, "https://work", "k"],
  // By the name of a profile.
  [{ master: "work" }, { NP_API_KEY: "e" }, book, "https://work", "work-key"],
  [{ master: "edge@work" }, { NP_API_KEY: "e" }, book, "https://work", "work-key"],
  [{ master: "edge@home:1" }, {}, book, "http://home:1", "home-key"],
  [{ master: "edge@https://hub/api", key: "k" }, {}, book, "https://hub", "k"],
])("with %j and %j goes to the right master with its key", (options, env, saved, origin, key) => {
  const choice = chooseMaster(options, env, saved);
  expect([choice.address.origin, choice.key]).toEqual([origin, key]);
});

it.each([
  ["edge@work", "edge"],
  ["0123456789abcdef@work", "0123456789abcdef"],
  ["work", undefined],
  ["https://work", undefined],
])("takes %j for the member %j", (master, member) => {
  expect(chooseMaster({ master }, {}, book).member).toBe(member);
});

it("sends no key to a master that it does not belong to", () => {
  const environment = { NP_MASTER_URL: "env:2", NP_API_KEY: "e" };
  expect(() => chooseMaster({ master: "other:3" }, environment, book)).toThrow(
    expect.objectContaining({ exitCode: 4, message: expect.stringContaining("http://other:3") }),
  );
});

it("says where a key comes from, also in a container", () => {
  expect(() => chooseMaster({ master: "other:3" }, {}, book)).toThrow(
    expect.objectContaining({
      details: [
        expect.any(Function),
        expect.stringMatching(/first time;.*container.*NP_SHOW_KEY=1/),
      ],
    }),
  );
});

it("takes trust from the options, else from the profile", () => {
  expect(chooseMaster({ profile: "work" }, {}, book).trust).toEqual({ kind: "any" });
  expect(chooseMaster({ profile: "work", pin: "AA" }, {}, book).trust).toEqual({
    kind: "pin",
    fingerprint: "AA",
  });
  expect(chooseMaster({ insecure: true }, {}, book).trust).toEqual({ kind: "any" });
  expect(chooseMaster({}, {}, book).trust).toEqual({ kind: "system" });
});

it.each<[MasterOptions, number]>([
  [{ master: "m:3", profile: "work" }, 2],
  [{ insecure: true, pin: "AA" }, 2],
  [{ profile: "none" }, 1],
  [{ profile: "home", pin: "AA" }, 2],
  [{ master: "edge@work", profile: "work" }, 2],
  [{ master: "edge@nowhere" }, 1],
  [{ master: "edge@http://nowhere" }, 4],
])("refuses %j", (options, exitCode) => {
  expect(() => chooseMaster(options, {}, book)).toThrow(expect.objectContaining({ exitCode }));
});
