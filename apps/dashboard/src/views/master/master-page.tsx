import { formatSpan } from "../../format/time.ts";
import { formatBytes, formatNumber, formatShare } from "../../format/units.ts";
import { texts } from "../../i18n/index.ts";
import { numberOf } from "../../state/machine.ts";
import type { Master } from "../../state/master.ts";
import { masterName, openedMember } from "../../state/masters.ts";
import { Backup } from "./backup-block.tsx";
import { Events } from "./events-block.tsx";
import { Keys } from "./keys-block.tsx";
import { Machine } from "./machine-block.tsx";
import { Masters } from "./masters-block.tsx";
import { Metrics } from "./metrics-block.tsx";
import { NameForm } from "./name-form.tsx";

/** A master: its machine, its keys, its state, what happens there. */
export function MasterPage({ master }: { readonly master: Master }) {
  const t = texts();
  // Its keys never leave it, and its fleet knows the others.
  const isOfFleet = master === openedMember.value;
  return (
    <section aria-labelledby="master-title">
      <div class="page-head">
        <h1 id="master-title" class="cut">
          {masterName(master)}
        </h1>
        <span class="dim mono break">{master.url}</span>
      </div>
      <Facts master={master} />
      <Machine key={master.url} master={master} />
      <div class="columns">
        <div class="stack">
          <NameForm key={master.url} master={master} />
          {isOfFleet ? null : <Keys master={master} />}
          <Backup master={master} />
        </div>
        <div class="stack">
          {isOfFleet ? null : <Masters />}
          <Metrics master={master} />
          <Events master={master} />
        </div>
      </div>
      <p class="hint">{t.master.versionHint}</p>
    </section>
  );
}

function Facts({ master }: { readonly master: Master }) {
  const t = texts();
  const facts = master.facts.value;
  const text = (name: string): string => (typeof facts[name] === "string" ? facts[name] : "");
  const total = numberOf(facts, "mem_total") ?? 0;
  const used = numberOf(facts, "mem_used") ?? 0;
  const figures: readonly (readonly [string, string])[] = [
    [t.master.version, text("impl") || `NodePass ${text("ver")}`],
    [t.master.level, text("ver")],
    [t.master.system, `${text("os")}/${text("arch")}`],
    [t.master.host, text("name")],
    [t.master.uptime, formatSpan(numberOf(facts, "uptime") ?? 0)],
    [t.master.hostUptime, formatSpan(numberOf(facts, "sysup") ?? 0)],
    [t.master.cores, formatNumber(numberOf(facts, "noc") ?? 0)],
    [
      t.master.memory,
      total === 0
        ? "–"
        : `${formatBytes(used)} / ${formatBytes(total)} (${formatShare(used, total)})`,
    ],
    [t.master.tls, t.master.tlsModes[Number(text("tls")) as 0 | 1 | 2] ?? text("tls")],
  ];
  return (
    <dl class="figures wordy">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
