// @ts-check
/**
 * Several servers that are one world, and who dials which.
 *
 * @typedef {object} Cluster
 * @property {readonly { readonly port: number, readonly pid: number }[]} servers
 * @property {number | null} busPid  Of the process through which they hear each other; null: there is one server.
 * @property {"room" | "person"} by  Whether all of a room dial one server, or each person of a room another.
 */

/**
 * The number of the server that each client dials.
 *
 * @param {Cluster} cluster
 * @param {number} perRoom
 * @returns {(index: number) => number}
 */
export function placement({ servers: { length }, by }, perRoom) {
  return (index) => {
    const room = Math.floor(index / perRoom);
    if (by === "room") return room % length;
    // one half of the room each; of an odd number the greater half is on each server in turn
    return (Math.floor(((index % perRoom) * length) / perRoom) + room) % length;
  };
}
