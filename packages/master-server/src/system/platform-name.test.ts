import { expect, it } from "vitest";
import { architectureName, systemName } from "./platform-name.ts";

it.each([
  ["linux", "linux"],
  ["darwin", "darwin"],
  ["win32", "windows"],
  ["freebsd", "freebsd"],
])("names the system %s %s", (platform, expected) => {
  expect(systemName(platform)).toBe(expected);
});

it.each([
  ["x64", "LE", "amd64"],
  ["arm64", "LE", "arm64"],
  ["ia32", "LE", "386"],
  ["arm", "LE", "arm"],
  ["ppc64", "LE", "ppc64le"],
  ["ppc64", "BE", "ppc64"],
  ["s390x", "BE", "s390x"],
  ["riscv64", "LE", "riscv64"],
] as const)("names the architecture %s (%s) %s", (arch, endianness, expected) => {
  expect(architectureName(arch, endianness)).toBe(expected);
});
