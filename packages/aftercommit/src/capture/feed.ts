/** The slot that capture reads, and the publication with the declared tables. */
export type Feed = {
  slot: string;
  publication: string;
  /** The connection that reads the slot creates it, and the server drops it with that connection. */
  isTemporary: boolean;
  /** Creates what is missing. Resolves with the position from which the slot is read. */
  open(): Promise<string>;
  /** Removes what must not outlast the process. */
  close(): Promise<void>;
};
