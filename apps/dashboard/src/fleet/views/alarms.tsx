import { GuardedButton } from "../../parts/guarded-button.tsx";
import { Icon } from "../../parts/icon.tsx";
import { notify, notifyFailure } from "../../parts/notices.tsx";
import { fleetTexts } from "../i18n/index.ts";
import type { Fleet } from "../state/fleet.ts";
import { whyNot } from "../state/permissions.ts";

/** What is wrong with the fleet, on every page. */
export function Alarms({ fleet }: { readonly fleet: Fleet }) {
  const t = fleetTexts();
  const resume = async (): Promise<void> => {
    try {
      await fleet.client.resumeFailover();
      notify(t.resumed);
    } catch (error) {
      notifyFailure(error);
    }
  };
  return (
    <>
      {[...fleet.alarms.value].map(([alarm, message]) => (
        <div key={alarm} class="banner" role="alert">
          <Icon name="warning" />
          <span>
            <strong>{t.alarms[alarm]}</strong> <span class="dim">{message}</span>
          </span>
          {alarm === "mass-loss" ? (
            <GuardedButton why={whyNot(fleet, "operator")} onClick={() => void resume()}>
              {t.resumeFailover}
            </GuardedButton>
          ) : null}
        </div>
      ))}
    </>
  );
}
