/** What documents are imported from. */
export interface SourceDocument {
  readonly room: string;
  /** Reads its updates. */
  readonly read: () => Promise<readonly Uint8Array[]>;
}

export interface DocumentSource {
  /** As it may be shown. */
  readonly name: string;
  /** Each document once. */
  documents(): AsyncIterable<SourceDocument>;
  close(): Promise<void>;
}
