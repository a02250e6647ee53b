import { createAdopter } from "./adopt-service.ts";
import { createAliases } from "./aliases.ts";
import { createServiceChanger } from "./change-service.ts";
import { createServiceCreator } from "./create-service.ts";
import { createDrainer } from "./drain-member.ts";
import { writeExport } from "./export-services.ts";
import { createFailback } from "./failback.ts";
import { createFailover } from "./failover.ts";
import { createFailures } from "./failures.ts";
import { createAddressFollower } from "./follow-address.ts";
import { createImporter } from "./import-services.ts";
import { createLeaseBook } from "./lease-book.ts";
import { createServiceMover } from "./move-service.ts";
import { createPlacer } from "./placer.ts";
import { createRebuilder } from "./rebuild-services.ts";
import { createReconciler } from "./reconciler.ts";
import { createServiceRemover } from "./remove-service.ts";
import type { CreateServiceOperations } from "./service-operations.ts";
import { createServiceWriter } from "./service-writer.ts";
import { createSilence } from "./silence.ts";

/** All operations on a fleet's services, and what its leading hub does with them by itself. */
export const createServiceOperations: CreateServiceOperations = (parts) => {
  const aliases = createAliases(parts);
  const writer = createServiceWriter(parts.store, parts.index, aliases);
  const placer = createPlacer(parts);
  const silence = createSilence(parts, parts.presence);
  const leases = createLeaseBook(parts);
  const failures = createFailures(parts.presence, parts.clock);
  const reconciler = createReconciler(parts, writer, leases, silence, failures);
  const mover = createServiceMover(parts, writer, placer, reconciler);
  const remover = createServiceRemover(parts, writer, reconciler);
  const failover = createFailover(parts, writer, placer, leases, silence, failures);
  const failback = createFailback(parts, mover);

  const addresses = createAddressFollower(parts, writer);

  const create = createServiceCreator(parts, writer, aliases, placer, reconciler, failures);
  return {
    create,
    change: createServiceChanger(parts, writer, aliases, placer),
    remove: remover.remove,
    leave: remover.leave,
    move: mover.move,
    adopt: createAdopter(parts, writer, aliases),
    drain: createDrainer(parts, mover),
    lease: leases.answer,
    resumeFailover: failover.resume,
    export: () => writeExport(parts),
    import: createImporter(parts, writer),
    rebuild: createRebuilder(parts, writer),
    managedPart: (mid, instance) => {
      const found = parts.presence
        .reportsOf(mid)
        .find((report) => report.instance === instance && report.outcome !== "released");
      return found === undefined ? undefined : { sid: found.sid, part: found.part };
    },
    start: () => {
      failures.start();
      leases.start();
      reconciler.start();
      failover.start();
      failback.start();
      addresses.start();
    },
    close: () => {
      addresses.close();
      failback.close();
      failover.close();
      reconciler.close();
      leases.close();
      failures.close();
    },
  };
};
