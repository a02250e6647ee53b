import { profilePath, readProfiles, writeProfiles } from "@nodepass/master-client/node";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";
import { printData, printFields } from "../output/print.ts";
import { plainText } from "../output/terminal-text.ts";
import { formatBytes, formatSeconds } from "../output/units.ts";
import { openMaster } from "./open-master.ts";
import type { RemoteOptions } from "./remote-options.ts";

/** Runs `nodepass info`. */
export async function showInfo(context: CliContext, options: RemoteOptions): Promise<void> {
  const { client, shown } = await openMaster(context, options);
  const info = await client.info();
  if (options.json === true) await printData(context, info, options);
  else printFields(context, [["master", shown], ...describeInfo(info)]);
}

/** Runs `nodepass tcping`. */
export async function tcping(
  context: CliContext,
  target: string,
  options: RemoteOptions,
): Promise<void> {
  if (!/^(?:\[[^\]]+\]|[^:[\]]+):\d{1,5}$/.test(target)) {
    throw new CliError("the address is not host:port", { exitCode: exitCodes.usage });
  }
  const { client } = await openMaster(context, options);
  const { connected, latency, error } = await client.tcping(target);
  if (options.json === true) {
    const reason = connected ? null : error;
    await printData(context, { target, connected, latency, error: reason }, options);
  } else if (connected) {
    context.stdout.write(`${target} connected in ${latency} ms\n`);
  }
  if (connected) return;
  throw new CliError(
    options.json === true
      ? ""
      : `${target} not connected: ${plainText(error) || "no reason given"}`,
  );
}

/** Runs `nodepass key renew`: the old key is of no use from then on. */
export async function renewKey(context: CliContext, options: RemoteOptions): Promise<void> {
  const { client, choice } = await openMaster(context, options);
  if (choice.member !== undefined) {
    throw new CliError(
      "a fleet's token can't renew a master's own API key; ask the master itself",
      {
        exitCode: exitCodes.usage,
      },
    );
  }
  const key = await client.renewKey();
  // Printed first: whatever happens to the file, the key must not be lost.
  if (options.json === true) await printData(context, { key }, options);
  else context.stdout.write(`${key}\n`);
  const path = profilePath(context.environment);
  const book = await readProfiles(path);
  // Keys are random: whoever has the old one is a profile of the same master, by whatever address.
  const names = [...book.profiles]
    .filter(([, profile]) => profile.key === choice.key)
    .map(([name]) => name);
  if (names.length === 0) return;
  const profiles = [...book.profiles].map(
    ([name, profile]) => [name, names.includes(name) ? { ...profile, key } : profile] as const,
  );
  await writeProfiles(path, { ...book, profiles: new Map(profiles) });
  const noun = names.length === 1 ? "profile" : "profiles";
  context.stderr.write(`saved in the ${noun} ${names.map(plainText).join(", ")}\n`);
}

function describeInfo(info: Readonly<Record<string, unknown>>): [string, string][] {
  const text = (name: string) => {
    const value = info[name];
    return typeof value === "string" ? plainText(value) : "";
  };
  const number = (name: string) => {
    const value = info[name];
    return typeof value === "number" ? value : 0;
  };
  const use = (kind: string) => {
    const total = number(`${kind}_total`);
    const used = number(`${kind}_used`) || total - number(`${kind}_free`);
    return total <= 0 ? "" : `${formatBytes(used)} of ${formatBytes(total)}`;
  };
  const pair = (one: string, other: string) => {
    const [received, sent] = [number(one), number(other)];
    return received + sent <= 0 ? "" : `${formatBytes(received)}, ${formatBytes(sent)}`;
  };
  const cores = number("noc") > 0 ? ` of ${number("noc")} cores` : "";
  const tls = { 0: "off", 1: "self-signed certificate", 2: "certificate from a file" }[text("tls")];
  const fields: [string, string][] = [
    ["alias", text("alias")],
    ["program", text("impl")],
    ["API", text("ver")],
    ["host", text("name")],
    ["system", [text("os"), text("arch")].filter((part) => part !== "").join(" ")],
    ["CPU", number("cpu") < 0 ? "" : `${number("cpu")} %${cores}`],
    ["memory", use("mem")],
    ["swap", use("swap")],
    ["network in, out", pair("netrx", "nettx")],
    ["disk read, written", pair("diskr", "diskw")],
    ["machine up", number("sysup") > 0 ? formatSeconds(number("sysup")) : ""],
    ["master up", formatSeconds(number("uptime"))],
    ["log", text("log")],
    ["TLS", tls ?? text("tls")],
    ["certificate", text("crt")],
  ];
  return fields.filter(([, value]) => value !== "");
}
