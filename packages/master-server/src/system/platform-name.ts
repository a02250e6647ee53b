const systems: Readonly<Record<string, string>> = { win32: "windows", sunos: "solaris" };
const architectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  mipsel: "mipsle",
};

/** An operating system of Node's (`process.platform`) as Go names it. */
export function systemName(platform: string): string {
  return systems[platform] ?? platform;
}

/**
 * An architecture of Node's (`process.arch`) as Go names it: dashboards compare that.
 *
 * @param endianness as of `node:os`; Node 22 names both kinds of POWER `ppc64`
 */
export function architectureName(arch: string, endianness: "BE" | "LE"): string {
  if (arch === "ppc64" && endianness === "LE") return "ppc64le";
  return architectures[arch] ?? arch;
}
