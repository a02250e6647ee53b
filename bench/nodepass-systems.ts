import { fileURLToPath } from "node:url";
import type { Build } from "./options.ts";
import type { Command, Group, System } from "./system.ts";

const KEY = "a-key-for-the-benchmark-only";

/** A program that takes NodePass URLs: ours or the Go one. */
interface Program {
  readonly name: string;
  readonly version: string;
  readonly reference: boolean;
  readonly build?: string | undefined;
  readonly patienceSeconds: number;
  run(url: string): Command;
  instances?: ((ports: readonly number[]) => readonly Command[]) | undefined;
}

/** This project's command, each end a process of its own. */
export function ourSystems(build: Build, reference: boolean): readonly System[] {
  const host = fileURLToPath(new URL("idle-instances.ts", import.meta.url));
  return systemsOf({
    name: build.name,
    version: `Node ${process.versions.node}`,
    reference,
    build: reference ? undefined : build.name,
    patienceSeconds: 20,
    run: (url) => ({ file: process.execPath, args: [build.main, url] }),
    instances: (ports) => [
      { file: process.execPath, args: [host, build.main, ...ports.map(String)] },
    ],
  });
}

/** The Go program. With TLS it may take most of a minute until it serves. */
export function goSystems(file: string, version: string): readonly System[] {
  return systemsOf({
    name: "nodepass-go",
    version,
    reference: false,
    patienceSeconds: 90,
    run: (url) => ({ file, args: [url] }),
    instances: (ports) => ports.map((port) => ({ file, args: [singleEnd(port, 9)] })),
  });
}

function systemsOf(program: Program): readonly System[] {
  const base = {
    reference: program.reference,
    build: program.build,
    udp: true,
    patienceSeconds: program.patienceSeconds,
    version: program.version,
  };
  const twoHops = (name: string, group: Group, tls: 0 | 1): System => ({
    ...base,
    name,
    group,
    commands: ({ entry, control, target }) => [
      program.run(
        `server://${KEY}@127.0.0.1:${control}/127.0.0.1:${entry}?mode=1&tls=${tls}&log=error`,
      ),
      program.run(`client://${KEY}@127.0.0.1:${control}/127.0.0.1:${target}?mode=2&log=error`),
    ],
  });
  return [
    twoHops(program.name, "two hops", 0),
    twoHops(`${program.name}-tls`, "two hops, encrypted", 1),
    {
      ...base,
      name: `${program.name}-single`,
      group: "one hop",
      commands: ({ entry, target }) => [program.run(singleEnd(entry, target))],
      instances: program.instances,
    },
  ];
}

function singleEnd(entry: number, target: number): string {
  return `client://127.0.0.1:${entry}/127.0.0.1:${target}?mode=1&log=error`;
}
