import type { ServiceChange, ServicePart } from "@nodepass/model/fleet";
import { useState } from "preact/hooks";
import { readLabels, writeLabels } from "../../../format/labels.ts";
import { TextField } from "../../../parts/fields.tsx";
import { notify } from "../../../parts/notices.tsx";
import { fleetTexts } from "../../i18n/index.ts";
import { FormDialog } from "../../parts/dialogs.tsx";
import { PolicyFields } from "../../parts/policy-fields.tsx";
import { nameOfService } from "../../state/happenings.ts";
import type { OneServiceProps } from "./service-menu.tsx";

/** Name, tags, policy, and the URLs of a service's parts. */
export function EditService({ fleet, service }: OneServiceProps) {
  const t = fleetTexts();
  const [alias, setAlias] = useState(service.alias);
  const [tags, setTags] = useState(writeLabels(service.tags));
  const [policy, setPolicy] = useState(service.policy);
  const [parts, setParts] = useState(service.parts);
  const changePart = (at: number, change: Partial<ServicePart>): void =>
    setParts(parts.map((part, index) => (index === at ? { ...part, ...change } : part)));

  const submit = async (): Promise<void> => {
    const changed = parts.flatMap((part, at) => {
      const before = service.parts[at];
      const { role, url, selector } = part;
      const isSame = url === before?.url && selector === before.selector;
      return isSame ? [] : [{ role, url: url.trim(), selector: selector.trim() }];
    });
    const change: ServiceChange = {
      ...(alias.trim() !== service.alias && { alias: alias.trim() }),
      ...(tags !== writeLabels(service.tags) && { tags: readLabels(tags) }),
      ...(JSON.stringify(policy) !== JSON.stringify(service.policy) && { policy }),
      ...(changed.length > 0 && { parts: changed }),
    };
    if (Object.keys(change).length === 0) return;
    // Whoever changed it since then is not overwritten: the hub says so.
    fleet.putService(await fleet.client.changeService(service.sid, change, service.revision));
    notify(t.saved);
  };
  return (
    <FormDialog
      title={t.services.editTitle(nameOfService(service))}
      action={t.save}
      submit={submit}
    >
      <TextField label={t.form.name} text={alias} onText={setAlias} />
      <TextField label={t.form.tags} text={tags} onText={setTags} placeholder="env=prod" />
      <PolicyFields policy={policy} onPolicy={setPolicy} />
      {parts.map(({ role, url, selector }, at) => (
        <fieldset key={role} class="place">
          <legend>{t.services.partRoles[role]}</legend>
          <TextField
            label={t.services.url}
            text={url}
            onText={(text) => changePart(at, { url: text })}
            hint={url.includes("***@") ? t.services.keyHint : undefined}
            isMono
            isRequired
          />
          <TextField
            label={t.services.selector}
            text={selector}
            onText={(text) => changePart(at, { selector: text })}
            placeholder="region=eu,!busy"
            isMono
          />
        </fieldset>
      ))}
    </FormDialog>
  );
}
