import { ChoiceField, TextField } from "../../../parts/fields.tsx";
import { readFields, type UrlFields, withParameter, writeFields } from "../../../state/url-text.ts";
import { fleetTexts } from "../../i18n/index.ts";
import { PlaceFields } from "../../parts/place-fields.tsx";
import type { DraftFieldsProps } from "./pair-fields.tsx";

const ROLES = ["forwarder", "server", "client"] as const;
type Role = (typeof ROLES)[number];

/** What a URL's end is: a client of mode 1 forwards by itself. */
function roleOf({ scheme, parameters }: UrlFields): Role {
  if (scheme === "server") return "server";
  return parameters.get("mode") === "1" ? "forwarder" : "client";
}

/** One tunnel at one master: the parts of its URL, or the URL itself. */
export function SingleFields({ fleet, draft, onChange }: DraftFieldsProps) {
  const t = fleetTexts().form;
  const fields = readFields(draft.url);
  const role = roleOf(fields);
  const set = (part: Partial<UrlFields>): void =>
    onChange({ url: writeFields({ ...fields, ...part }) });
  const setRole = (chosen: Role): void => {
    const scheme = chosen === "server" ? "server" : "client";
    const mode = { forwarder: "1", server: "", client: "2" }[chosen];
    const key = chosen === "forwarder" ? "" : fields.key;
    onChange({ url: writeFields(withParameter({ ...fields, scheme, key }, "mode", mode)) });
  };
  return (
    <>
      <fieldset class="place">
        <legend>{t.master}</legend>
        <PlaceFields
          fleet={fleet}
          label={t.master}
          place={draft.place}
          onPlace={(place) => onChange({ place })}
          canSpread
        />
      </fieldset>
      <div class="two">
        <ChoiceField
          label={t.role}
          value={role}
          choices={ROLES.map((each): [string, string] => [each, t.scheme[each]])}
          onChoose={(value) => setRole(ROLES.find((each) => each === value) ?? "forwarder")}
        />
        <TextField
          label={role === "forwarder" ? t.listen : t.tunnel}
          text={fields.tunnel}
          onText={(tunnel) => set({ tunnel: tunnel.trim() })}
          hint={t.listenHint}
          isMono
        />
        <TextField
          label={role === "forwarder" ? t.target : t.targets}
          text={fields.targets}
          onText={(targets) => set({ targets: targets.trim() })}
          isMono
        />
        {role === "forwarder" ? null : (
          <TextField label={t.key} text={fields.key} onText={(key) => set({ key })} isMono />
        )}
      </div>
      <TextField label={t.url} text={draft.url} onText={(url) => onChange({ url })} isMono />
    </>
  );
}
