import { expect, it } from "vitest";
import { chooseUrl, readArguments } from "./arguments.ts";

const fleet = { token: undefined, newIdentity: false, allow: undefined, targets: undefined };
const run = { kind: "run", url: undefined, configFiles: [], logFormat: "text", fleet };

it.each([
  [[], undefined, run],
  [[], "", run],
  [["master://:2"], undefined, { ...run, url: "master://:2" }],
  [["--log-format", "json"], "", { ...run, logFormat: "json" }],
  [["--config", "a.yaml", "--config", "b"], "/etc/np", { ...run, configFiles: ["a.yaml", "b"] }],
  [[], "/etc/np", { ...run, configFiles: ["/etc/np"] }],
  [["--renew-key"], "/etc/np", { kind: "renew key" }],
  [["--join", "np1_x"], "", { ...run, fleet: { ...fleet, token: "np1_x" } }],
  [
    ["--join", "np1_x", "--new-identity", "--allow", "read", "--targets", "10.0.0.0/8"],
    "",
    { ...run, fleet: { token: "np1_x", newIdentity: true, allow: "read", targets: "10.0.0.0/8" } },
  ],
  [["--leave"], undefined, { kind: "leave fleet" }],
  [["--help"], undefined, { kind: "help" }],
  [["-h", "x"], undefined, { kind: "help" }],
  [["-v"], undefined, { kind: "version" }],
  [["--import", "x.gob"], "", { ...run, importFile: "x.gob" }],
  [["--", "master://:2"], undefined, { ...run, url: "master://:2" }],
])("reads %j with NP_CONFIG %j", (argv, config, expected) => {
  expect(readArguments(argv, config)).toEqual(expected);
});

it("takes the first URL that is given, else one of this machine only", () => {
  expect(chooseUrl(undefined, "", "master://:1")).toBe("master://:1");
  expect(chooseUrl(undefined)).toBe("master://127.0.0.1:9090");
});

it.each([
  [["--port", "1"]],
  [["--help=yes"]],
  [["a", "b"]],
  [["--log-format"]],
  [["--log-format=xml"]],
  [["--renew-key", "master://:1"]],
  [["--leave", "master://:1"]],
  [["--new-identity"]],
])("refuses %j", (argv) => {
  expect(readArguments(argv).kind).toBe("wrong usage");
});
