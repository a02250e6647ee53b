import type { RemoteInstance } from "@nodepass/master-client";
import { COUNTERS, TOTAL_NAMES } from "@nodepass/model";
import { formatAgo, formatMoment } from "../../format/time.ts";
import { formatBytes, formatNumber, formatRate } from "../../format/units.ts";
import { texts } from "../../i18n/index.ts";
import { hrefOf } from "../../router.ts";
import { nameOf } from "../../state/actions.ts";
import { flowOf } from "../../state/flow.ts";
import type { Master } from "../../state/master.ts";
import { knownMasters } from "../../state/masters.ts";
import { peerFinder, placedIn } from "../../state/peers.ts";
import type { Row } from "../../state/rows.ts";

/** How an instance is now, in numbers. */
export function Figures({ row }: { readonly row: Row }) {
  const t = texts();
  const { instance } = row;
  const { tcprx, udprx, tcptx, udptx } = instance;
  const isRunning = instance.status === "running";
  const figures: readonly (readonly [string, string])[] = [
    [t.series.rx, formatRate(row.received)],
    [t.series.tx, formatRate(row.sent)],
    [t.series.tcps, isRunning ? formatNumber(instance.tcps) : "–"],
    [t.series.udps, isRunning ? formatNumber(instance.udps) : "–"],
    ...(instance.link === "none"
      ? []
      : ([
          [t.series.pool, isRunning ? formatNumber(instance.pool) : "–"],
          [t.series.ping, instance.link === "up" ? `${formatNumber(instance.ping)} ms` : "–"],
        ] as const)),
    [t.tunnel.received, formatBytes(tcprx + udprx)],
    [t.tunnel.sent, formatBytes(tcptx + udptx)],
  ];
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Traffic is among the figures. */
const others = TOTAL_NAMES.filter((name) => !/^(?:tcp|udp)[rt]x$/.test(name));

/** What was counted beside traffic: connections, refusals, drops. */
export function Counts({ instance }: { readonly instance: RemoteInstance }) {
  const t = texts();
  return (
    <section class="block" aria-labelledby="counts-title">
      <h2 id="counts-title">{t.tunnel.counts}</h2>
      <dl class="pairs">
        {others.map((name) => (
          <div key={name} class={instance[name] === 0 ? "zero" : ""}>
            <dt title={COUNTERS[name].metric}>{t.counters[name]}</dt>
            <dd>{formatNumber(instance[name])}</dd>
          </div>
        ))}
      </dl>
      {instance.restingTargets.length === 0 ? null : (
        <>
          <h3>{t.tunnel.resting}</h3>
          <ul class="sentences">
            {instance.restingTargets.map(({ target, protocol, reason }) => (
              <li key={`${protocol} ${target}`}>
                <span class="mono">{target}</span> ({protocol}): {reason}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

/** Who it is: ids, ends, since when. */
export function About({
  master,
  instance,
}: {
  readonly master: Master;
  readonly instance: RemoteInstance;
}) {
  const t = texts();
  const flow = flowOf(instance);
  const tags = Object.entries(instance.tags);
  const since = instance.since === "" ? undefined : new Date(instance.since);
  return (
    <section class="block" aria-labelledby="about-title">
      <h2 id="about-title">{t.tunnel.about}</h2>
      <dl class="pairs">
        <div>
          <dt>{t.columns.kind}</dt>
          <dd>{flow === undefined ? instance.type : t.kinds[flow.kind]}</dd>
        </div>
        <div>
          <dt>ID</dt>
          <dd class="mono">{instance.id}</dd>
        </div>
        {since === undefined ? null : (
          <div>
            <dt>{t.tunnel.since}</dt>
            <dd title={formatMoment(since)}>{formatAgo(since)}</dd>
          </div>
        )}
        {instance.nextRetry === undefined ? null : (
          <div>
            <dt>{t.tunnel.nextRetry}</dt>
            <dd>{formatMoment(new Date(instance.nextRetry))}</dd>
          </div>
        )}
        <div>
          <dt>{t.tunnel.withMaster}</dt>
          <dd>{instance.restart ? t.yes : t.no}</dd>
        </div>
        <div>
          <dt>{t.tunnel.peer}</dt>
          <dd>
            <Peer master={master} instance={instance} />
          </dd>
        </div>
        {instance.origin === undefined ? null : (
          <div>
            <dt>{t.tunnel.origin}</dt>
            <dd class="mono break">{instance.origin.file}</dd>
          </div>
        )}
      </dl>
      {tags.length === 0 ? null : (
        <p class="tags">
          {tags.map(([name, value]) => (
            <span key={name} class="tag">
              {value === "" ? name : `${name}: ${value}`}
            </span>
          ))}
        </p>
      )}
    </section>
  );
}

/** The other end: one that is known here, else what is said of it. */
function Peer({
  master,
  instance,
}: {
  readonly master: Master;
  readonly instance: RemoteInstance;
}) {
  const t = texts();
  for (const { changes } of knownMasters.value) void changes.value;
  const row = master.rows.get(instance.id);
  const peer = row === undefined ? undefined : peerFinder(placedIn(knownMasters.value))({ row });
  if (peer === undefined) {
    const link = LINKS.find((each) => each === instance.link);
    return <>{instance.peer.alias || (link === undefined ? "–" : t.links[link])}</>;
  }
  const name = nameOf(peer.row.instance);
  return peer.place.id === master.url ? (
    <a href={hrefOf({ name: "tunnel", id: peer.row.instance.id })}>{name}</a>
  ) : (
    t.tunnel.at(name, peer.place.name)
  );
}

const LINKS = ["up", "down", "none"] as const;
