import type { UrlProblem } from "@nodepass/url-config";
import { texts } from "../../i18n/index.ts";
import { Icon } from "../../parts/icon.tsx";

/** What is wrong with one field. */
export function Problems({
  id,
  problems,
}: {
  readonly id: string;
  readonly problems: readonly UrlProblem[];
}) {
  const t = texts();
  if (problems.length === 0) return null;
  return (
    <span class="problem" id={id}>
      <Icon name="warning" />
      <span>{problems.map((problem) => t.problem(problem)).join("; ")}</span>
    </span>
  );
}
