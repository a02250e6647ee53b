import { expect, it } from "vitest";
import { findInstance } from "./find-instance.ts";
import { type RemoteInstance, readInstance } from "./remote-instance.ts";

function instance(id: string, alias = ""): RemoteInstance {
  const read = readInstance({ id, alias, type: "server" });
  if (read === undefined) throw new Error("no instance");
  return read;
}

const all = [
  instance("a1b2c3d4", "web"),
  instance("a1ffffff", "db"),
  instance("b0000000", "twin"),
  instance("b1111111", "twin"),
  instance("a1b2c3d4e5", "b0"),
];

it.each([
  ["a1b2c3d4", "a1b2c3d4"],
  ["a1f", "a1ffffff"],
  ["web", "a1b2c3d4"],
  ["b1", "b1111111"],
])("finds %s", (name, id) => {
  expect(findInstance(all, name).id).toBe(id);
});

it.each([
  ["a1b2", ["a1b2c3d4 (web)", "a1b2c3d4e5 (b0)"]],
  ["twin", ["b0000000 (twin)", "b1111111 (twin)"]],
  ["b0", ["b0000000 (twin)", "a1b2c3d4e5 (b0)"]],
])("lists what %s may be", (name, details) => {
  expect(() => findInstance(all, name)).toThrow(
    expect.objectContaining({ code: "NOT_FOUND", details }),
  );
});

it.each(["zz", "", "********"])("finds no instance %j", (name) => {
  expect(() => findInstance(all, name)).toThrow(expect.objectContaining({ code: "NOT_FOUND" }));
});

it("lists ten candidates and counts the rest", () => {
  const many = Array.from({ length: 13 }, (_, index) => instance(`c${index}`));
  expect(() => findInstance(many, "c")).toThrow(
    expect.objectContaining({ details: expect.arrayContaining(["c9", "and 3 more"]) }),
  );
});
