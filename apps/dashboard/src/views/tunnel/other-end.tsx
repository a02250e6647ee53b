import { isWildcard, parseTunnelUrlLenient, redact, urlForOtherEnd } from "@nodepass/url-config";
import { texts } from "../../i18n/index.ts";
import { CopyText } from "../../parts/copy.tsx";
import { QrCode } from "../../parts/qr-code.tsx";

export interface OtherEndProps {
  readonly url: string;
  readonly isKeyShown: boolean;
}

/** The command for the other end of a tunnel, to be copied or scanned. */
export function OtherEnd({ url, isKeyShown }: OtherEndProps) {
  const t = texts();
  const other = otherEndOf(url);
  if (other === undefined) return null;
  const shown = isKeyShown ? other : redact(other);
  const command = `nodepass ${quote(shown)}`;
  return (
    <>
      <h3>{t.tunnel.otherEnd}</h3>
      <CopyText text={command} label={t.tunnel.otherEnd} />
      {isKeyShown ? (
        <QrCode text={`nodepass ${quote(other)}`} label={t.tunnel.otherEndCode} />
      ) : (
        <p class="hint">{t.tunnel.otherEndHint}</p>
      )}
    </>
  );
}

/** The URL of the other end; a server on all interfaces is reached as this page's host. */
function otherEndOf(url: string): string | undefined {
  try {
    const { settings } = parseTunnelUrlLenient(url);
    const host =
      settings.scheme === "server" && isWildcard(settings.tunnel.host)
        ? location.hostname
        : undefined;
    return urlForOtherEnd(settings, { host });
  } catch {
    return undefined;
  }
}

/** For a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
