import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A listener that takes no connection: what is sent to it is swallowed by a full backlog. */
export interface DeafListener {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

const PROGRAM = `
  const server = require("node:net").createServer();
  server.listen({ host: process.argv[1], port: 0, backlog: 1 }, () => {
    process.stdout.write(server.address().port + "\\n");
  });
`;

/** Starts one in a process that is stopped, and fills its backlog. */
export async function startDeafListener(host: string): Promise<DeafListener> {
  const child = spawn(process.execPath, ["-e", PROGRAM, host], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  const [text] = await once(child.stdout, "data");
  const port = Number(String(text));
  child.kill("SIGSTOP");
  const fillers: Socket[] = [];
  // Two fit a backlog of 1; the first that is not answered shows that it is full.
  for (let filled = true; filled; ) {
    const filler = connect({ host, port });
    filler.on("error", () => {});
    fillers.push(filler);
    filled = await Promise.race([once(filler, "connect").then(() => true), sleep(200, false)]);
  }
  return {
    host,
    port,
    async close() {
      for (const filler of fillers) filler.destroy();
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}
