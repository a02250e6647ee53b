import { CheckField, ChoiceField, TextField } from "../../../parts/fields.tsx";
import { fleetTexts } from "../../i18n/index.ts";
import { PlaceFields } from "../../parts/place-fields.tsx";
import type { Fleet } from "../../state/fleet.ts";
import type { ServiceDraft } from "../../state/new-service.ts";

export interface DraftFieldsProps {
  readonly fleet: Fleet;
  readonly draft: ServiceDraft;
  readonly onChange: (change: Partial<ServiceDraft>) => void;
}

const POOLS = ["TCP", "QUIC", "WebSocket", "HTTP/2"];

/** Both ends of a tunnel: where they run, and the way between. */
export function PairFields({ fleet, draft, onChange }: DraftFieldsProps) {
  const t = fleetTexts().form;
  const end = (which: "entry" | "exit") => (
    <fieldset class="place">
      <legend>{t[which]}</legend>
      <PlaceFields
        fleet={fleet}
        label={t.master}
        place={draft[which]}
        onPlace={(place) => onChange({ [which]: place })}
        canSpread
      />
      {which === "entry" ? (
        <TextField
          label={t.listen}
          text={draft.listen}
          onText={(listen) => onChange({ listen })}
          hint={t.listenHint}
          isMono
        />
      ) : (
        <TextField
          label={t.target}
          text={draft.target}
          onText={(target) => onChange({ target })}
          isMono
        />
      )}
      <label class="check">
        <input
          type="radio"
          name="server"
          checked={draft.server === which}
          onChange={() => onChange({ server: which })}
        />
        <span>{t.isServer}</span>
      </label>
    </fieldset>
  );
  return (
    <>
      <div class="places">
        {end("entry")}
        <span class="places-arrow" aria-hidden="true">
          →
        </span>
        {end("exit")}
      </div>
      <div class="two">
        <TextField
          label={t.tunnelPort}
          text={draft.tunnelPort}
          onText={(tunnelPort) => onChange({ tunnelPort: tunnelPort.trim() })}
          isMono
          isRequired
        />
        <TextField
          label={t.key}
          text={draft.key}
          onText={(key) => onChange({ key })}
          hint={t.keyHint}
          isMono
        />
        <ChoiceField
          label={t.pool}
          value={draft.pool}
          choices={POOLS.map((name, at): [string, string] => [String(at), name])}
          onChoose={(pool) => onChange({ pool })}
        />
        <TextField
          label={t.more}
          text={draft.more}
          onText={(more) => onChange({ more })}
          hint={t.moreHint}
          isMono
        />
      </div>
      <CheckField
        isChecked={draft.tls === "1"}
        onCheck={(isChecked) => onChange({ tls: isChecked ? "1" : "0" })}
      >
        {t.tls}
      </CheckField>
    </>
  );
}
