import { type CreatedToken, FLEET_ROLES, type FleetRole } from "@nodepass/model/fleet";
import { useState } from "preact/hooks";
import { readLabels } from "../../../format/labels.ts";
import { CopyText } from "../../../parts/copy.tsx";
import { ChoiceField, TextField } from "../../../parts/fields.tsx";
import { GuardedButton } from "../../../parts/guarded-button.tsx";
import { Icon } from "../../../parts/icon.tsx";
import { ProblemLine } from "../../../parts/problem-line.tsx";
import { fleetTexts } from "../../i18n/index.ts";
import type { Fleet } from "../../state/fleet.ts";
import { whyNot } from "../../state/permissions.ts";

/** Seconds. */
const TTLS = { hour: 3600, day: 86_400, month: 30 * 86_400, year: 365 * 86_400 } as const;
const TTL_NAMES = ["hour", "day", "month", "year", "never"] as const;
type TtlName = (typeof TTL_NAMES)[number];

/** Makes a token, and shows it once. */
export function NewToken({
  fleet,
  onMade,
}: {
  readonly fleet: Fleet;
  readonly onMade: () => void;
}) {
  const all = fleetTexts();
  const t = all.tokens;
  const [kind, setKind] = useState<"api" | "join">("join");
  const [role, setRole] = useState<FleetRole>("viewer");
  const [selector, setSelector] = useState("");
  const [labels, setLabels] = useState("");
  const [uses, setUses] = useState("1");
  const [ttl, setTtl] = useState<TtlName>("hour");
  const [note, setNote] = useState("");
  const [made, setMade] = useState<CreatedToken | undefined>(undefined);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);

  const make = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    setMade(undefined);
    try {
      const common = {
        note: note.trim(),
        ttl: ttl === "never" ? null : TTLS[ttl],
      };
      const own =
        kind === "api"
          ? ({ kind, role, selector: selector.trim() } as const)
          : ({
              kind,
              labels: readLabels(labels),
              uses: uses === "" ? null : Number(uses),
            } as const);
      setMade(await fleet.client.createToken({ ...common, ...own }));
      onMade();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };

  return (
    <form
      class="block"
      aria-labelledby="new-token-title"
      onSubmit={(event) => {
        event.preventDefault();
        void make();
      }}
    >
      <h2 id="new-token-title">{t.add}</h2>
      <div class="token-fields">
        <ChoiceField
          label={t.columns.kind}
          value={kind}
          choices={[
            ["join", t.kinds.join],
            ["api", t.kinds.api],
          ]}
          onChoose={(value) => setKind(value === "api" ? "api" : "join")}
        />
        {kind === "api" ? (
          <>
            <ChoiceField
              label={t.role}
              value={role}
              choices={FLEET_ROLES.map((each): [string, string] => [each, all.roles[each]])}
              onChoose={(value) => setRole(FLEET_ROLES.find((each) => each === value) ?? "viewer")}
            />
            <TextField
              label={t.selector}
              text={selector}
              onText={setSelector}
              hint={t.selectorHint}
              isMono
            />
          </>
        ) : (
          <>
            <TextField
              label={t.labels}
              text={labels}
              onText={setLabels}
              placeholder="region=eu, fast"
            />
            <label class="field">
              <span>{t.uses}</span>
              <input
                type="number"
                min={1}
                max={100_000}
                placeholder={t.noLimit}
                value={uses}
                onInput={({ currentTarget }) => setUses(currentTarget.value)}
              />
            </label>
          </>
        )}
        <ChoiceField
          label={t.ttl}
          value={ttl}
          choices={TTL_NAMES.map((each): [string, string] => [each, t.ttls[each]])}
          onChoose={(value) => setTtl(TTL_NAMES.find((each) => each === value) ?? "hour")}
        />
        <TextField label={t.note} text={note} onText={setNote} />
      </div>
      <ProblemLine text={problem} />
      <div class="buttons start">
        <GuardedButton type="submit" why={whyNot(fleet, "admin")} isDisabled={isBusy}>
          <Icon name="key" /> {t.make}
        </GuardedButton>
      </div>
      {made === undefined ? null : (
        <div role="status" class="stack">
          <h3>{t.made}</h3>
          <CopyText text={made.token} label={t.made} />
          {made.kind === "join" ? (
            <>
              <h3>{t.joinCommand}</h3>
              <CopyText text={`nodepass-master --join ${made.token}`} label={t.joinCommand} />
            </>
          ) : null}
        </div>
      )}
    </form>
  );
}
