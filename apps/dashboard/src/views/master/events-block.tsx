import { formatMoment } from "../../format/time.ts";
import { texts } from "../../i18n/index.ts";
import { happeningsOf } from "../../state/happenings.ts";
import type { Master } from "../../state/master.ts";

/** What happens at a master, as it happens. */
export function Events({ master }: { readonly master: Master }) {
  const t = texts();
  const list = happeningsOf(master).value;
  return (
    <section class="block" aria-labelledby="events-title">
      <h2 id="events-title">{t.events.title}</h2>
      {list.length === 0 ? <p class="dim">{t.events.none}</p> : null}
      <ol class="events">
        {list.map(({ number, time, type, name, condition, reason }) => (
          <li key={number}>
            <time dateTime={time.toISOString()}>{formatMoment(time)}</time>
            <span class="cut">
              <strong>{name}</strong>{" "}
              {type === "update" && condition !== undefined
                ? `${t.conditions[condition]}${reason === "" ? "" : `: ${reason}`}`
                : t.events.types[type]}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
