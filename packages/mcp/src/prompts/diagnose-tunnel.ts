import { findInstance, type MasterClient, nameInstance } from "@nodepass/master-client";
import { formatHostPort, readUrlFields, redact, UrlConfigError } from "@nodepass/url-config";
import { explainError } from "../explain-error.ts";
import { toOutput } from "../tools/instance-output.ts";
import { keptLines } from "../tools/kept-lines.ts";

const shownLines = 30;

/**
 * What is known of a tunnel, and how to go on; without keys, since it goes into a conversation.
 *
 * @throws {MasterClientError} `NOT_FOUND` with the candidates
 */
export async function diagnoseTunnel(client: MasterClient, name: string): Promise<string[]> {
  const instance = findInstance(await client.list(), name);
  const { url, config, ...shown } = toOutput(instance);
  const log = await lastLines(client, instance.id);
  const state = JSON.stringify(
    { ...shown, url: redact(url), config: redact(config) },
    undefined,
    2,
  );
  return [
    `Why is the NodePass tunnel ${nameInstance(instance)} down, or does not do what it should? This is its state now:

${state}

And these are its last log lines:

${log}`,
    `How to read that:
- status error: the tunnel does not work; reason says why, nextRetry when it is tried again by itself. stopped: somebody stopped it. running: it works or waits for its peer.
- link down: it has no peer (yet). Then look at the other end: does it run, is the key the same (password), do tunnel address and port fit, does a firewall let the port through? none: it has no other end.
- restingTargets, or refusals in the counters: the other side of it, the target, does not answer. ${hint(url)}
- pool 0 with link up: the client cannot open pool connections to the tunnel port.

Find the cause by tools that only read (get_instance with logs, get_instance_config, tcping_target), and tell it to me in one or two sentences with what proves it. Then say what would mend it; change nothing before I agree.`,
  ];
}

async function lastLines(client: MasterClient, id: string): Promise<string> {
  try {
    const lines = await keptLines(client, id, shownLines);
    return lines.map(({ line }) => line).join("\n") || "(none)";
  } catch (error) {
    const text = explainError(error);
    if (text === undefined) throw error;
    return `(${text})`;
  }
}

/** What to try, by the addresses of the URL. */
function hint(url: string): string {
  try {
    const { targets } = readUrlFields(url);
    const calls = targets.map((target) => `tcping_target ${formatHostPort(target)}`);
    return `Where this end dials its targets, try them: ${calls.join(", ")}.`;
  } catch (error) {
    if (!(error instanceof UrlConfigError)) throw error;
    return "Its URL cannot be read.";
  }
}
