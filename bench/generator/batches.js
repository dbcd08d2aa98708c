// @ts-check

/** How many connect at a time: about what a server's backlog takes without anybody having to try again. */
const AT_A_TIME = 50;

/**
 * @template Item
 * @param {readonly Item[]} items
 * @param {(item: Item) => Promise<unknown>} act
 */
export async function inBatches(items, act) {
  for (let i = 0; i < items.length; i += AT_A_TIME) await Promise.all(items.slice(i, i + AT_A_TIME).map(act));
}
