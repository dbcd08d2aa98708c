/** What can be set on a relay, but for keys: these may be shown and logged. */

/** All times in milliseconds, all sizes in bytes, all whole numbers. */
export interface RelaySettings {
  /** How often each connection is asked for a sign of life. Default 15 000. */
  readonly pingInterval: number;
  /** How long an answer may take before the connection is given up. Default 10 000. */
  readonly pingTimeout: number;
  /** How long a lost connection may take to come back before its user leaves. Default 3 000. */
  readonly leaveGrace: number;
  /** How long a relay on a bus takes to send its clients to others before it stops. Default 5 000. */
  readonly drainTime: number;
  /** Shortest time between two flushes of a room. Default 0: as often as it costs little. */
  readonly tick: number;
  /** Shortest time between two writes to a lobby document. Default 0: as often as it costs little. */
  readonly lobbyTick: number;
  /** How long a lobby remembers somebody who left. Default 24 h. */
  readonly recentTtl: number;
  /** How many of those who left a lobby remembers. Default 1 000. */
  readonly recentMax: number;
  /** Largest message. Default 16 MiB. */
  readonly maxMessage: number;
  /** Largest awareness state. Default 64 KiB. */
  readonly maxState: number;
  /** Most awareness states that one connection may own. Default 64. */
  readonly maxStates: number;
  /** How many cursors a room shows: in a larger one, of those who moved lately. Default 0: all. */
  readonly maxCursors: number;
  /** Most unsent data before the awareness that a slow connection is sent waits for it. Default 256 KiB. */
  readonly maxLag: number;
  /** Most unsent data before a slow connection is closed. Default 64 MiB. */
  readonly maxBuffered: number;
  /** Largest metadata of a session. Default 16 KiB. */
  readonly maxMeta: number;
  /** Messages a second that a connection may send, five seconds' worth at once; 0: any. Default 1 000. */
  readonly messageRate: number;
  /** Bytes a second that a connection may send, five seconds' worth at once; 0: any. Default 16 MiB. */
  readonly byteRate: number;
  /**
   * Milliseconds a second that a connection may keep the relay busy, three seconds' worth at once; 0: any. All of one
   * user (of one address, if nobody is asked who they are) may do so twice as long. Default 200.
   */
  readonly timeRate: number;
  /** Most unsent data, over all connections: those with most of it are closed; 0: any. Default a sixteenth of the heap's limit. */
  readonly maxUnsentTotal: number;
  /** Most that all awareness states may take; 0: any. Default a sixteenth of the heap's limit. */
  readonly maxStatesTotal: number;
  /** Rooms that one connection of a client of ours is in; 0: any. Default 1 000. */
  readonly maxChannels: number;
  /** Connections a second from one address, ten seconds' worth at once; 0: any. Default 2 000. */
  readonly connectRate: number;
  /** Connections from one address; 0: any. Default 50 000. */
  readonly maxAddressConnections: number;
  /** Rooms that connections from one address are in; 0: any. Default 50 000. */
  readonly maxAddressRooms: number;
  /** Connections of one user, with authentication; 0: any. Default 1 000. */
  readonly maxUserConnections: number;
  /** Rooms that one user is in, with authentication; 0: any. Default 1 000. */
  readonly maxUserRooms: number;
  /** Client ids that connections from one address bring, and with them users; 0: any. Default 50 000. */
  readonly maxAddressUsers: number;
  /** Sessions of one user in one lobby; 0: any. Default 1 000. */
  readonly maxUserSessions: number;
  /** Users in one lobby; 0: any. Default 100 000. */
  readonly maxLobbyUsers: number;
  /** Lobbies at once, counting those of which only somebody who left is remembered; 0: any. Default 10 000. */
  readonly maxLobbies: number;
  /** Of these lobbies, those that came about through connections from one address; 0: any. Default 5 000. */
  readonly maxAddressLobbies: number;
  /** Of these lobbies, those that came about through connections of one authenticated user; 0: any. Default 100. */
  readonly maxUserLobbies: number;
  /** How long a client may take to open a connection, and authentication to answer. Default 10 000. */
  readonly handshakeTimeout: number;
  /**
   * Origins whose pages may connect, as browsers send them: `https://app.example`, `capacitor://localhost`, `file://`,
   * `null`. Default: all. What is no browser always may.
   */
  readonly origins: readonly string[];
  /** How many proxies stand before the relay, whose X-Forwarded-For counts; `true` is 1. Default 0. */
  readonly trustProxy: number;
  /** Whether the relay may listen to the network with nobody to ask who connects. Default false. */
  readonly open: boolean;
  /** Whether `/inspect` is served where the relay listens to the network, too. What it shows takes a key. Default false. */
  readonly inspect: boolean;
  /** Whether a lobby tells in which rooms people are. Default true. */
  readonly lobbyRooms: boolean;
  /**
   * Memory for documents, of rooms that nobody is in too: past it new documents are refused, past twice as much all that
   * is written. Default: a quarter of the heap that Node allows.
   */
  readonly maxDocuments: number;
  /** Largest document, as it is stored: what would make it larger is refused (4413), and nothing is lost; 0: any. Default 0. */
  readonly maxDocument: number;
  /** Most insertions (and deletions and values, which count for less) in a document. Default 1 000 000. */
  readonly maxDocumentStructs: number;
  /** The same in one update. Default 250 000. */
  readonly maxUpdateStructs: number;
  /** Most subdocuments of a document. Default 2 000. */
  readonly maxSubdocuments: number;
  /** Most insertions and deletions of a connection that wait for what they build on. Default 10 000. */
  readonly maxPendingStructs: number;
  /** How long a document may be neither opened nor changed before it is deleted; 0: for ever. Default 0. */
  readonly documentTtl: number;
  /** Whether what was deleted from a document may be forgotten. Default true. */
  readonly documentGc: boolean;
  /** How far the clock of the issuer of tokens may be from the relay's. Default 5 000. */
  readonly clockTolerance: number;
}
