import type { RemoteInstance } from "@nodepass/master-client";
import { formatHostPort } from "@nodepass/url-config";
import { useState } from "preact/hooks";
import { formatNumber } from "../../format/units.ts";
import { texts } from "../../i18n/index.ts";
import { Icon } from "../../parts/icon.tsx";
import { ProblemLine } from "../../parts/problem-line.tsx";
import { flowOf } from "../../state/flow.ts";
import type { Master } from "../../state/master.ts";

const ATTEMPTS = 5;
const PAUSE_MS = 200;

interface Result {
  /** Milliseconds; `undefined` if it failed. */
  readonly latency: number | undefined;
  readonly error: string;
}

/** Connections of the master to an address, for a test: the target, unless another is typed. */
export function Tcping({
  master,
  instance,
}: {
  readonly master: Master;
  readonly instance: RemoteInstance;
}) {
  const t = texts();
  const [target, setTarget] = useState(firstTarget(instance));
  const [results, setResults] = useState<readonly Result[]>([]);
  const [isBusy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    const all: Result[] = [];
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      try {
        const { connected, latency, error } = await master.client.tcping(target.trim());
        all.push({ latency: connected ? latency : undefined, error });
      } catch (error) {
        all.push({ latency: undefined, error: error instanceof Error ? error.message : "" });
      }
      setResults([...all]);
      // What is refused once is refused at once again.
      if (all.at(-1)?.latency === undefined) break;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    setBusy(false);
  };
  const latencies = results.flatMap(({ latency }) => (latency === undefined ? [] : [latency]));
  const failure = results.find(({ latency }) => latency === undefined);
  return (
    <section class="block" aria-labelledby="tcping-title">
      <h2 id="tcping-title">{t.tcping.title}</h2>
      <form
        class="row-form"
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        <label class="field grow">
          <span>{t.tcping.target}</span>
          <input
            type="text"
            class="mono"
            required
            spellcheck={false}
            placeholder="host:port"
            value={target}
            onInput={({ currentTarget }) => setTarget(currentTarget.value)}
          />
        </label>
        <button type="submit" disabled={isBusy || target.trim() === ""}>
          <Icon name="pulse" /> {t.tcping.run}
        </button>
      </form>
      <p role="status">
        {latencies.length === 0
          ? null
          : t.tcping.connected(
              formatNumber(latencies.length),
              formatNumber(Math.min(...latencies)),
              formatNumber(Math.max(...latencies)),
            )}
      </p>
      <ProblemLine text={failure === undefined ? "" : failure.error || t.tcping.failed} />
    </section>
  );
}

/** What the instance dials, if it dials anything. */
function firstTarget(instance: RemoteInstance): string {
  const flow = flowOf(instance);
  const address = flow?.kind === "entry" ? flow.tunnel : flow?.targets[0];
  if (address === undefined) return "";
  return formatHostPort(address.host === "" ? { ...address, host: "127.0.0.1" } : address);
}
