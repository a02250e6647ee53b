import { FAILOVER_TTL, type ServicePolicy } from "@nodepass/model/fleet";
import { ChoiceField } from "../../parts/fields.tsx";
import { fleetTexts } from "../i18n/index.ts";

export interface PolicyFieldsProps {
  readonly policy: ServicePolicy;
  readonly onPolicy: (policy: ServicePolicy) => void;
}

const FAILOVERS = ["off", "serve", "strict"] as const;
const FAILBACKS = ["never", "healthy"] as const;

/** What happens to a service whose master is lost. */
export function PolicyFields({ policy, onPolicy }: PolicyFieldsProps) {
  const t = fleetTexts().form;
  return (
    <>
      <ChoiceField
        label={t.failover}
        value={policy.failover}
        choices={FAILOVERS.map((each) => [each, t.failovers[each]])}
        onChoose={(value) => {
          const failover = FAILOVERS.find((each) => each === value);
          if (failover !== undefined) onPolicy({ ...policy, failover });
        }}
      />
      {policy.failover === "off" ? null : (
        <div class="two">
          <label class="field">
            <span>{t.ttl}</span>
            <input
              type="number"
              required
              min={FAILOVER_TTL.min}
              max={FAILOVER_TTL.max}
              value={policy.ttl}
              onInput={({ currentTarget }) =>
                onPolicy({ ...policy, ttl: currentTarget.valueAsNumber })
              }
            />
          </label>
          <ChoiceField
            label={t.failback}
            value={policy.failback}
            choices={FAILBACKS.map((each) => [each, t.failbacks[each]])}
            onChoose={(value) => {
              const failback = FAILBACKS.find((each) => each === value);
              if (failback !== undefined) onPolicy({ ...policy, failback });
            }}
          />
        </div>
      )}
    </>
  );
}
