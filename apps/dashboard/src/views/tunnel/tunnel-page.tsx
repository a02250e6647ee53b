import { texts } from "../../i18n/index.ts";
import { GuardedButton } from "../../parts/guarded-button.tsx";
import { GuardedLink } from "../../parts/guarded-link.tsx";
import { Icon } from "../../parts/icon.tsx";
import { hrefOf } from "../../router.ts";
import { actOn, nameOf } from "../../state/actions.ts";
import { flowOf, routeOf } from "../../state/flow.ts";
import type { Master } from "../../state/master.ts";
import { whyNotChange } from "../../state/why-not-change.ts";
import { StatusText } from "../tunnels/status-text.tsx";
import { TunnelMenu } from "../tunnels/tunnel-menu.tsx";
import { Charts } from "./charts.tsx";
import { About, Counts, Figures } from "./facts.tsx";
import { LogPanel } from "./log-panel.tsx";
import { Peers } from "./peers-block.tsx";
import { Tcping } from "./tcping.tsx";
import { Words } from "./words.tsx";

/** One instance: what it does, how it is and was, and its log. */
export function TunnelPage({ master, id }: { readonly master: Master; readonly id: string }) {
  const t = texts();
  void master.changes.value;
  const row = master.rows.get(id);
  if (row === undefined) {
    return (
      <section class="empty">
        <p>{master.isLoaded.value ? t.tunnel.gone : t.loading}</p>
        <a class="button" href={hrefOf({ name: "tunnels" })}>
          {t.tunnel.back}
        </a>
      </section>
    );
  }
  const { instance } = row;
  const flow = flowOf(instance);
  const isStopped = instance.status === "stopped";
  const why = whyNotChange(master);
  return (
    <section class="tunnel" aria-labelledby="tunnel-title">
      <div class="page-head">
        <a class="ghost button" href={hrefOf({ name: "tunnels" })} aria-label={t.tunnel.back}>
          <Icon name="back" />
        </a>
        <h1 id="tunnel-title" class="cut">
          {nameOf(instance)}
        </h1>
        <StatusText instance={instance} />
        <div class="spring" />
        <GuardedButton
          why={why}
          onClick={() => void actOn(master, [instance], isStopped ? "start" : "stop")}
        >
          <Icon name={isStopped ? "play" : "stop"} />
          {isStopped ? t.actions.start : t.actions.stop}
        </GuardedButton>
        <GuardedButton
          why={why}
          isDisabled={isStopped}
          onClick={() => void actOn(master, [instance], "restart")}
        >
          <Icon name="restart" /> {t.actions.restart}
        </GuardedButton>
        <GuardedLink why={why} href={hrefOf({ name: "edit", id })}>
          <Icon name="edit" /> {t.actions.edit}
        </GuardedLink>
        <TunnelMenu master={master} instance={instance} />
      </div>
      {instance.reason === "" ? null : (
        <p class="problem reason-line" role="status">
          <Icon name="warning" /> {instance.reason}
        </p>
      )}
      {flow === undefined ? null : (
        <p class="lead mono break">
          {routeOf(flow)[0]} <span class="arrow">→</span> {routeOf(flow)[1]}
        </p>
      )}
      <Figures row={row} />
      <Charts master={master} id={id} />
      <LogPanel master={master} id={id} name={nameOf(instance)} />
      <div class="columns">
        <Words url={instance.url} />
        <div class="stack">
          <About master={master} instance={instance} />
          <Peers instance={instance} />
          <Counts instance={instance} />
          <Tcping key={id} master={master} instance={instance} />
        </div>
      </div>
    </section>
  );
}
