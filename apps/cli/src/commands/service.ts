import { type Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import type { ServiceOptions } from "../service/manage-service.ts";

/** Adds `service install`, `uninstall` and `status`. */
export function addServiceCommand(program: Command, context: CliContext): void {
  const service = program
    .command("service")
    .description("run a URL or a file as a service of this machine (systemd, launchd)");
  const add = (command: Command) =>
    command
      .option("--name <name>", "the service is nodepass-<name>", "main")
      .addOption(
        new Option("--user", "of this user; the default for everybody but root").conflicts(
          "system",
        ),
      )
      .option("--system", "of the machine; the default for root")
      .option("--dry-run", "print what would be written and run, and do nothing");
  add(
    service
      .command("install")
      .description("write the service, enable it, and start it")
      .argument(
        "<url>",
        "server://, client:// or master:// URL; or a YAML or JSON file, or a folder",
      ),
  ).action(async (url: string, options: ServiceOptions) => {
    const { installService } = await import("../service/manage-service.ts");
    await installService(context, url, options);
  });
  add(service.command("uninstall").description("stop the service and forget it")).action(
    async (options: ServiceOptions) => {
      const { uninstallService } = await import("../service/manage-service.ts");
      await uninstallService(context, options);
    },
  );
  add(service.command("status").description("say whether it runs")).action(
    async (options: ServiceOptions) => {
      const { serviceStatus } = await import("../service/manage-service.ts");
      await serviceStatus(context, options);
    },
  );
}
