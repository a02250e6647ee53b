import { useState } from "preact/hooks";
import { texts } from "../../i18n/index.ts";
import { CopyText } from "../../parts/copy.tsx";
import { CheckField, ChoiceField, TextField } from "../../parts/fields.tsx";
import { FormPage } from "../../parts/form-page.tsx";
import { notify } from "../../parts/notices.tsx";
import { goTo, hrefOf } from "../../router.ts";
import { checkFields } from "../../state/check-fields.ts";
import type { Master } from "../../state/master.ts";
import { knownMasters, masterName } from "../../state/masters.ts";
import { clientTunnelOf, createPair, type PairPlan, pairUrls } from "../../state/pair.ts";
import { makeKey } from "../../state/url-text.ts";
import { whyNotChange } from "../../state/why-not-change.ts";
import { Problems } from "./problem-text.tsx";

/** Below the ports that systems hand out by themselves, above those of common services. */
const FIRST_PORT = 10_101;

/** Makes both ends of a tunnel in one go, at one master or at two. */
export function PairPage({ master }: { readonly master: Master }) {
  const t = texts();
  const [plan, setPlan] = useState<PairPlan>(() => ({
    name: "",
    entry: master,
    listen: ":8080",
    exit: knownMasters.peek()[1] ?? master,
    target: "127.0.0.1:80",
    server: "entry",
    tunnelPort: String(FIRST_PORT),
    serverHost: new URL(master.url).hostname,
    key: makeKey(),
    tls: "1",
    pool: "0",
  }));
  const change = (part: Partial<PairPlan>): void => {
    const next = { ...plan, ...part };
    // The server is found at the host of its master, unless somebody knows better.
    const serverMaster = next.server === "entry" ? next.entry : next.exit;
    const moved = part.entry !== undefined || part.exit !== undefined || part.server !== undefined;
    setPlan(moved ? { ...next, serverHost: new URL(serverMaster.url).hostname } : next);
  };
  const urls = pairUrls(plan, clientTunnelOf(plan));
  const problems = [...checkFields(urls.server, []).all, ...checkFields(urls.client, []).all];

  const create = async (): Promise<void> => {
    const { server, client } = await createPair(plan);
    notify(t.pair.created);
    const own = plan.entry === master ? "entry" : "exit";
    goTo({ name: "tunnel", id: (plan.server === own ? server : client).id });
  };

  const place = (which: "entry" | "exit") => (
    <fieldset class="place">
      <legend>{t.pair[which]}</legend>
      <ChoiceField
        label={t.pair.master}
        value={String(knownMasters.value.indexOf(plan[which]))}
        choices={knownMasters.value.map((each, at) => [String(at), masterName(each)])}
        onChoose={(at) => change({ [which]: knownMasters.peek()[Number(at)] ?? master })}
      />
      <TextField
        label={which === "entry" ? t.pair.listen : t.pair.target}
        isMono
        text={which === "entry" ? plan.listen : plan.target}
        onText={(text) => change(which === "entry" ? { listen: text } : { target: text })}
      />
      <label class="check">
        <input
          type="radio"
          name="server"
          checked={plan.server === which}
          onChange={() => change({ server: which })}
        />
        <span>{t.pair.isServer}</span>
      </label>
    </fieldset>
  );

  return (
    <FormPage
      title={t.pair.title}
      back={{ href: hrefOf({ name: "tunnels" }), label: t.tunnel.back }}
      action={t.pair.create}
      why={whyNotChange(plan.entry) ?? whyNotChange(plan.exit)}
      hasProblems={problems.length > 0}
      submit={create}
      side={
        <aside class="url-panel" aria-label={t.pair.urls}>
          <h2>{masterName(plan.server === "entry" ? plan.entry : plan.exit)}</h2>
          <CopyText text={urls.server} label={t.pair.serverUrl} />
          <h2>{masterName(plan.server === "entry" ? plan.exit : plan.entry)}</h2>
          <CopyText text={urls.client} label={t.pair.clientUrl} />
          <Problems id="pair-problems" problems={problems} />
        </aside>
      }
    >
      <p class="dim">{t.pair.text}</p>
      <TextField
        label={t.columns.name}
        text={plan.name}
        onText={(name) => change({ name })}
        maxLength={256}
      />
      <div class="places">
        {place("entry")}
        <span class="places-arrow" aria-hidden="true">
          →
        </span>
        {place("exit")}
      </div>
      <div class="two">
        <TextField
          label={t.pair.serverHost}
          isMono
          text={plan.serverHost}
          onText={(serverHost) => change({ serverHost })}
        />
        <TextField
          label={t.pair.tunnelPort}
          isMono
          inputMode="numeric"
          text={plan.tunnelPort}
          onText={(tunnelPort) => change({ tunnelPort })}
        />
        <ChoiceField
          label={t.pair.pool}
          value={plan.pool}
          choices={["TCP", "QUIC", "WebSocket", "HTTP/2"].map((name, at) => [String(at), name])}
          onChoose={(pool) => change({ pool })}
        />
        <TextField label={t.form.key} isMono text={plan.key} onText={(key) => change({ key })} />
      </div>
      <CheckField isChecked={plan.tls === "1"} onCheck={(tls) => change({ tls: tls ? "1" : "0" })}>
        {t.pair.tls}
      </CheckField>
    </FormPage>
  );
}
