import { texts } from "../i18n/index.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Icon } from "../parts/icon.tsx";
import type { Master } from "../state/master.ts";
import { addMaster, leave, masterName } from "../state/masters.ts";
import { ownMaster, signIn } from "../state/session.ts";
import { KeyForm } from "./sign-in.tsx";

/** Says that the master is away, or wants another key; both heal without a reload. */
export function MasterGone({ master }: { readonly master: Master }) {
  const t = texts();
  const state = master.state.value;
  if (state === "denied") {
    return (
      <Dialog title={t.connection.keyRefused} onClose={() => undefined} mustAnswer>
        <div class="dialog-body">
          <p>{t.connection.keyRefusedText(masterName(master))}</p>
          <KeyForm
            action={t.connection.goOn}
            use={
              master === ownMaster.value
                ? signIn
                : (key, keeping) => addMaster(master.url, key, keeping)
            }
          />
          <button type="button" class="quiet" onClick={leave}>
            {t.signOut}
          </button>
        </div>
      </Dialog>
    );
  }
  // One that has just been opened says nothing for a moment.
  if (state !== "away") return null;
  return (
    <div class="banner" role="alert">
      <Icon name="warning" />
      <span>
        <strong>{t.connection.away}</strong> <span class="dim">{master.reason.value}</span>
      </span>
      <button type="button" onClick={() => master.retry()}>
        {t.connection.retry}
      </button>
    </div>
  );
}
