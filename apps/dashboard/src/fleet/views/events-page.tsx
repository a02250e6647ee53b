import { formatMoment } from "../../format/time.ts";
import { fleetTexts } from "../i18n/index.ts";
import type { Fleet } from "../state/fleet.ts";
import type { Happening } from "../state/happenings.ts";

/** The hub says more of these than what they are. */
const TOLD_WHY: readonly Happening["type"][] = ["failover", "alarm", "duplicate"];

/** What happens in the fleet, newest first. */
export function EventsPage({ fleet }: { readonly fleet: Fleet }) {
  const t = fleetTexts();
  const list = fleet.happenings.list.value;
  return (
    <section aria-labelledby="fleet-events-title">
      <div class="page-head">
        <h1 id="fleet-events-title">{t.pages.events}</h1>
      </div>
      {list.length === 0 ? <p class="empty">{t.events.none}</p> : null}
      <ol class="fleet-events">
        {list.map((happening) => (
          <li key={happening.number} class={happening.type}>
            <time dateTime={happening.time.toISOString()}>{formatMoment(happening.time)}</time>
            <span class="break">
              <Name happening={happening} /> {wordsOf(happening)}
              {TOLD_WHY.includes(happening.type) ? (
                <span class="dim"> {happening.message}</span>
              ) : null}
            </span>
          </li>
        ))}
      </ol>
      <p class="hint">{t.events.hint}</p>
    </section>
  );
}

function Name({ happening: { name, href } }: { readonly happening: Happening }) {
  if (name === "") return null;
  return href === undefined ? <strong>{name}</strong> : <a href={href}>{name}</a>;
}

function wordsOf(happening: Happening): string {
  const all = fleetTexts();
  const t = all.events;
  switch (happening.type) {
    case "failover":
    case "moved": {
      const { type, part, from, to } = happening;
      return t[type](all.services.partRoles[part], from, to);
    }
    case "alarm": {
      const words = all.alarms[happening.alarm];
      return happening.isRaised ? words : all.alarmOver(words);
    }
    case "status":
      return t.status[happening.status];
    case "joined":
    case "left":
    case "duplicate":
    case "created":
    case "removed":
      return t[happening.type];
  }
}
