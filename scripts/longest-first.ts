import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Files of about half a minute and more, longest first; those that use a core all the time are not one
 * behind the other. What is not listed comes after them, larger files first.
 */
const LONG = [
  "scripts/test/bare-machine.test.ts",
  "packages/tunnel-core/test/proxies.test.ts",
  "apps/cli/test/fleet-recovery.test.ts",
  "apps/master/test/operations.test.ts",
  "packages/fleet-hub/test/trials.test.ts",
  "apps/dashboard/test/fleet.test.ts",
  "packages/fleet-hub/test/hub.test.ts",
  "scripts/test/starter.test.ts",
  "packages/fleet-hub/test/hostile.test.ts",
  "packages/fleet-hub/test/store.test.ts",
  "packages/fleet-hub/test/power-cut.test.ts",
  "packages/fleet-hub/test/two-hubs.test.ts",
  "packages/tunnel-core/test/interop-114.test.ts",
  "packages/tunnel-core/test/matrix.test.ts",
  "packages/tunnel-core/test/rate.test.ts",
  "packages/tunnel-core/test/trust/lanes-soak.test.ts",
];

/** Has a file that takes long begin early, so that none is left alone with one worker at the end. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // The order of projects stays.
    const projects = new Map<string, TestSpecification[]>();
    for (const file of await super.sort(files)) {
      const { name } = file.project;
      projects.set(name, [...(projects.get(name) ?? []), file]);
    }
    return [...projects.values()].flatMap((those) => those.sort((a, b) => place(a) - place(b)));
  }
}

function place({ moduleId, project }: TestSpecification): number {
  const index = LONG.indexOf(relative(project.config.root, moduleId));
  return index < 0 ? LONG.length : index;
}
