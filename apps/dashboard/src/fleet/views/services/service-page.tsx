import type { ServicePart } from "@nodepass/model/fleet";
import type { ComponentChildren } from "preact";
import { writeLabels } from "../../../format/labels.ts";
import { formatMoment } from "../../../format/time.ts";
import { texts } from "../../../i18n/index.ts";
import { CopyText } from "../../../parts/copy.tsx";
import { GuardedButton } from "../../../parts/guarded-button.tsx";
import { Icon } from "../../../parts/icon.tsx";
import { hrefOf } from "../../../router.ts";
import { fleetTexts } from "../../i18n/index.ts";
import { RoleHint } from "../../parts/role-hint.tsx";
import { Status } from "../../parts/status.tsx";
import { hrefOfPage } from "../../routes.ts";
import type { Fleet } from "../../state/fleet.ts";
import { nameOfService } from "../../state/happenings.ts";
import { conditionOfPart } from "../../state/parts.ts";
import { type OneServiceProps, serviceActions } from "./service-menu.tsx";
import { ServiceStatus } from "./services-page.tsx";

/** One service: its parts, who runs them, and how they are. */
export function ServicePage({ fleet, sid }: { readonly fleet: Fleet; readonly sid: string }) {
  const t = fleetTexts().services;
  const service = fleet.services.value.get(sid);
  if (service === undefined) {
    return <p class="empty">{fleet.isLoaded.value ? t.gone : texts().loading}</p>;
  }
  return (
    <section aria-labelledby="service-title">
      <div class="page-head">
        <a class="ghost button" href={hrefOfPage("services")} aria-label={t.back}>
          <Icon name="back" />
        </a>
        <h1 id="service-title" class="cut">
          {nameOfService(service)}
        </h1>
        <ServiceStatus service={service} />
        <div class="spring" />
        {serviceActions({ fleet, service }).map(({ text, icon, isDangerous, why, onChoose }) => (
          <GuardedButton
            key={text}
            why={why}
            class={isDangerous === true ? "danger-text" : undefined}
            onClick={onChoose}
          >
            <Icon name={icon} /> {text}
          </GuardedButton>
        ))}
      </div>
      <RoleHint fleet={fleet} needed="operator" />
      <div class="columns">
        {service.parts.map((part) => (
          <Part key={part.role} fleet={fleet} part={part} />
        ))}
      </div>
      <About service={service} />
    </section>
  );
}

function Part({ fleet, part }: { readonly fleet: Fleet; readonly part: ServicePart }) {
  const t = fleetTexts().services;
  const { role, owner, state, reason, running, epoch, url, selector, instance } = part;
  return (
    <section class="block" aria-labelledby={`part-${role}`}>
      <div class="block-head">
        <h2 id={`part-${role}`}>{t.partRoles[role]}</h2>
        <Status condition={conditionOfPart(part)}>{t.states[state]}</Status>
      </div>
      {reason === "" ? null : (
        <p class="problem">
          <Icon name="warning" /> {reason}
        </p>
      )}
      <CopyText text={url} label={`${t.partRoles[role]} URL`} />
      <dl class="pairs">
        <Fact name={t.owner}>
          {owner === null ? (
            t.nobody
          ) : (
            <a href={hrefOf({ name: "tunnels" }, owner)}>{fleet.nameOf(owner)}</a>
          )}
        </Fact>
        <Fact name={t.wanted}>{running ? t.running : t.stopped}</Fact>
        <Fact name={t.selector}>{selector || t.anywhere}</Fact>
        <Fact name={t.epoch}>{epoch}</Fact>
        <Fact name={t.instance}>
          {owner === null || instance === null ? (
            "–"
          ) : (
            <a class="mono" href={hrefOf({ name: "tunnel", id: instance }, owner)}>
              {instance}
            </a>
          )}
        </Fact>
      </dl>
    </section>
  );
}

function About({ service }: Pick<OneServiceProps, "service">) {
  const t = fleetTexts();
  const { policy, tags, by, changed, revision, sid } = service;
  const facts: readonly (readonly [string, string])[] = [
    [
      t.services.columns.failover,
      policy.failover === "off" ? t.short.off : `${t.short[policy.failover]}, ${policy.ttl} s`,
    ],
    [t.form.failback, t.form.failbacks[policy.failback]],
    [t.services.tags, writeLabels(tags) || "–"],
    [t.services.by, by],
    [t.services.changed, formatMoment(new Date(changed))],
    [t.services.revision, revision],
    ["sid", sid],
  ];
  return (
    <section class="block" aria-labelledby="about-title">
      <h2 id="about-title">{t.services.about}</h2>
      <dl class="pairs">
        {facts.map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
      </dl>
    </section>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="break">{children}</dd>
    </div>
  );
}
