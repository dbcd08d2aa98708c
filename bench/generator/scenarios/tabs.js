// @ts-check
/** Tabs with real client libraries, each in several rooms. A process loads one library: each brings a Yjs of its own. */
import { WebSocket } from "ws";

/** @typedef {{ seesAll: (perRoom: number) => boolean, isUp: () => boolean }} Tab */

/** @param {() => void} onOpen */
function countedSocket(onOpen) {
  return class extends WebSocket {
    /**
     * @param {string} address
     * @param {string[]} [protocols]
     */
    constructor(address, protocols) {
      super(address, protocols);
      this.on("open", onOpen);
    }
  };
}

/**
 * @param {string} kind
 * @param {string} url
 * @param {readonly (readonly string[])[]} rooms  of each tab
 * @param {() => void} onOpen  called for each socket that opens
 * @returns {Promise<Tab[]>}
 */
export async function openTabs(kind, url, rooms, onOpen) {
  const Socket = countedSocket(onOpen);
  return kind === "tab" ? ownTabs(url, rooms, Socket) : stockTabs(url, rooms, Socket);
}

/**
 * @param {string} url
 * @param {readonly (readonly string[])[]} rooms
 * @param {ReturnType<typeof countedSocket>} Socket
 */
async function ownTabs(url, rooms, Socket) {
  const { createPresence } = await import("../../../dist/client/index.js");
  // each would say in the console that its relay is away
  console.warn = () => {};
  return rooms.map((names, index) => {
    const user = { id: `u${index}`, name: `Ann ${index}` };
    const presence = createPresence(url, { user, WebSocket: Socket, observeLobby: false });
    const rosters = names.map((name) => presence.join(name).roster);
    return {
      isUp: () => presence.connection.status === "connected",
      /** @param {number} perRoom */
      seesAll: (perRoom) =>
        rosters.every(
          ({ status, count, users }) =>
            status === "live" && count === perRoom && users.every(({ reconnecting }) => !reconnecting),
        ),
    };
  });
}

/**
 * @param {string} url
 * @param {readonly (readonly string[])[]} rooms
 * @param {ReturnType<typeof countedSocket>} Socket
 */
async function stockTabs(url, rooms, Socket) {
  const Y = await import("yjs");
  const { WebsocketProvider } = await import("y-websocket");
  // each provider listens for the end of the process
  process.setMaxListeners(0);
  return rooms.map((names, index) => {
    const providers = names.map((name) => {
      const provider = new WebsocketProvider(url, name, new Y.Doc(), {
        // @ts-expect-error the class of ws will do for what y-websocket needs of it
        WebSocketPolyfill: Socket,
        disableBc: true,
      });
      provider.awareness.setLocalStateField("user", { name: `Ann ${index}` });
      return provider;
    });
    return {
      isUp: () => providers.some(({ wsconnected }) => wsconnected),
      /** @param {number} perRoom */
      seesAll: (perRoom) =>
        providers.every(({ wsconnected, awareness }) => wsconnected && awareness.getStates().size === perRoom),
    };
  });
}
