import { useState } from "preact/hooks";
import { texts } from "../../i18n/index.ts";
import { CopyText } from "../../parts/copy.tsx";
import { GuardedButton } from "../../parts/guarded-button.tsx";
import { Icon } from "../../parts/icon.tsx";
import { notify } from "../../parts/notices.tsx";
import { ProblemLine } from "../../parts/problem-line.tsx";
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
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
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
    setBusy(true);
    setProblem("");
    try {
      const { server, client } = await createPair(plan);
      notify(t.pair.created);
      const own = plan.entry === master ? "entry" : "exit";
      goTo({ name: "tunnel", id: (plan.server === own ? server : client).id });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };

  const place = (which: "entry" | "exit") => (
    <fieldset class="place">
      <legend>{t.pair[which]}</legend>
      <label class="field">
        <span>{t.pair.master}</span>
        <select
          value={knownMasters.value.indexOf(plan[which])}
          onChange={({ currentTarget }) =>
            change({ [which]: knownMasters.peek()[Number(currentTarget.value)] ?? master })
          }
        >
          {knownMasters.value.map((each, at) => (
            <option key={each.url} value={at}>
              {masterName(each)}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>{which === "entry" ? t.pair.listen : t.pair.target}</span>
        <input
          type="text"
          class="mono"
          spellcheck={false}
          value={which === "entry" ? plan.listen : plan.target}
          onInput={({ currentTarget: { value } }) =>
            change(which === "entry" ? { listen: value } : { target: value })
          }
        />
      </label>
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

  const why = whyNotChange(plan.entry) ?? whyNotChange(plan.exit);
  return (
    <section aria-labelledby="pair-title">
      <div class="page-head">
        <a class="ghost button" href={hrefOf({ name: "tunnels" })} aria-label={t.tunnel.back}>
          <Icon name="back" />
        </a>
        <h1 id="pair-title">{t.pair.title}</h1>
      </div>
      <form
        class="edit"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (problems.length === 0) void create();
        }}
      >
        <div class="stack wide">
          <p class="dim">{t.pair.text}</p>
          <label class="field">
            <span>{t.columns.name}</span>
            <input
              type="text"
              maxLength={256}
              spellcheck={false}
              value={plan.name}
              onInput={({ currentTarget }) => change({ name: currentTarget.value })}
            />
          </label>
          <div class="places">
            {place("entry")}
            <span class="places-arrow" aria-hidden="true">
              →
            </span>
            {place("exit")}
          </div>
          <div class="two">
            <label class="field">
              <span>{t.pair.serverHost}</span>
              <input
                type="text"
                class="mono"
                spellcheck={false}
                value={plan.serverHost}
                onInput={({ currentTarget }) => change({ serverHost: currentTarget.value })}
              />
            </label>
            <label class="field">
              <span>{t.pair.tunnelPort}</span>
              <input
                type="text"
                inputMode="numeric"
                class="mono"
                value={plan.tunnelPort}
                onInput={({ currentTarget }) => change({ tunnelPort: currentTarget.value })}
              />
            </label>
            <label class="field">
              <span>{t.pair.pool}</span>
              <select
                value={plan.pool}
                onChange={({ currentTarget }) => change({ pool: currentTarget.value })}
              >
                {["TCP", "QUIC", "WebSocket", "HTTP/2"].map((name, at) => (
                  <option key={name} value={String(at)}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
            <label class="field">
              <span>{t.form.key}</span>
              <input
                type="text"
                class="mono"
                spellcheck={false}
                autocomplete="off"
                value={plan.key}
                onInput={({ currentTarget }) => change({ key: currentTarget.value })}
              />
            </label>
          </div>
          <label class="check">
            <input
              type="checkbox"
              checked={plan.tls === "1"}
              onChange={({ currentTarget }) => change({ tls: currentTarget.checked ? "1" : "0" })}
            />
            <span>{t.pair.tls}</span>
          </label>
        </div>
        <div class="edit-side">
          <aside class="url-panel" aria-label={t.pair.urls}>
            <h2>{masterName(plan.server === "entry" ? plan.entry : plan.exit)}</h2>
            <CopyText text={urls.server} label={t.pair.serverUrl} />
            <h2>{masterName(plan.server === "entry" ? plan.exit : plan.entry)}</h2>
            <CopyText text={urls.client} label={t.pair.clientUrl} />
            <Problems id="pair-problems" problems={problems} />
          </aside>
          <ProblemLine text={problem} />
          <div class="buttons">
            <a class="button" href={hrefOf({ name: "tunnels" })}>
              {t.cancel}
            </a>
            <GuardedButton
              type="submit"
              class="primary"
              why={why}
              isDisabled={problems.length > 0 || isBusy}
            >
              {t.pair.create}
            </GuardedButton>
          </div>
        </div>
      </form>
    </section>
  );
}
