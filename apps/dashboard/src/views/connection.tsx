import { texts } from "../i18n/index.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Icon } from "../parts/icon.tsx";
import type { Followed } from "../state/keep-following.ts";
import type { Master } from "../state/master.ts";
import { addMaster, leave, masterName } from "../state/masters.ts";
import { ownMaster, signIn } from "../state/session.ts";
import { KeyForm, type KeyFormProps, type KeyWords } from "./sign-in.tsx";

/** Says that the master is away, or wants another key; both heal without a reload. */
export function MasterGone({ master }: { readonly master: Master }) {
  const use: KeyFormProps["use"] =
    master === ownMaster.value ? signIn : (key, keeping) => addMaster(master.url, key, keeping);
  return <Gone followed={master} name={masterName(master)} use={use} />;
}

/** What is said of its absence. */
export interface GoneWords {
  readonly away: string;
  readonly keyRefused: string;
  readonly keyRefusedText: (name: string) => string;
}

export interface GoneProps extends Pick<KeyFormProps, "use"> {
  readonly followed: Followed;
  /** What people call it. */
  readonly name: string;
  /** @default a master's */
  readonly words?: (GoneWords & KeyWords) | undefined;
}

/** Says that what is followed is away, or wants another key. */
export function Gone({ followed, name, use, words }: GoneProps) {
  const t = texts();
  const said = words ?? t.connection;
  const state = followed.state.value;
  if (state === "denied") {
    return (
      <Dialog title={said.keyRefused} onClose={() => undefined} mustAnswer>
        <div class="dialog-body">
          <p>{said.keyRefusedText(name)}</p>
          <KeyForm action={t.connection.goOn} use={use} words={words} />
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
        <strong>{said.away}</strong> <span class="dim">{followed.reason.value}</span>
      </span>
      <button type="button" onClick={() => followed.retry()}>
        {t.connection.retry}
      </button>
    </div>
  );
}
