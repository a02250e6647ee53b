/** A file of the dashboard, ready to be sent. */
export interface SiteFile {
  /** Media type. */
  readonly type: string;
  /** Quoted, as the header has it; another one for each encoding. */
  readonly etag: string;
  /** What {@link SiteFile.bytes} are in; `undefined` as they are. */
  readonly encoding: "br" | "gzip" | undefined;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The built dashboard. */
export interface Site {
  /**
   * The page.
   *
   * @param api URL of the API relative to the page's own
   */
  page(api: string): Promise<SiteFile>;
  /**
   * A file of `assets/`, whose name changes with its content.
   *
   * @returns `undefined` for a name that there is not
   */
  asset(name: string, acceptEncoding: string | undefined): Promise<SiteFile | undefined>;
}
