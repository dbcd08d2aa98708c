/** The bus over a Redis that Sentinels watch over. */
import { expect, it } from "vitest";
import { openBus } from "../../../../src/relay/cluster/bus/open-bus.ts";
import { ownClient, startRelay, until } from "../../../support.ts";
import { startSentinel } from "../../redis.ts";

it(
  "[BUS-47] relays follow the Sentinels to another master: rosters are stale meanwhile, nobody leaves, and what was missed is healed",
  { timeout: 120_000 },
  async () => {
    const { url, master } = await startSentinel();
    const start = async () => startRelay({ bus: await openBus(url, () => {}), onError: () => {} });
    const [here, there] = [await start(), await start()];
    const [hers, his] = [ownClient(here.url, "alice").join("doc"), ownClient(there.url, "bob").join("doc")];
    await until("both see both", () => hers.roster.users.length === 2 && his.roster.users.length === 2, 20_000);
    const leaves: string[] = [];
    for (const { roster } of [hers, his]) roster.on("leave", ({ userId }) => leaves.push(userId));
    master.kill("SIGKILL");
    await until("it is stale", () => hers.roster.status === "stale" && his.roster.status === "stale", 20_000);
    his.setMeta({ n: 1 });
    his.doc.getText("text").insert(0, "bob");
    await until("it is live", () => hers.roster.status === "live" && his.roster.status === "live", 60_000);
    await until("Alice sees what Bob did", () => hers.roster.get("bob")?.meta["n"] === 1, 20_000);
    await until("Alice reads what Bob wrote", () => hers.doc.getText("text").toJSON() === "bob", 20_000);
    expect(leaves).toEqual([]);
  },
);
