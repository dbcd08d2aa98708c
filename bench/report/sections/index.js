// @ts-check
import { apiSection } from "./api.js";
import { attacksSection } from "./attacks.js";
import { clusterSection } from "./cluster.js";
import { connectionsSection } from "./connections.js";
import { documentsSection } from "./documents.js";
import { echoSection } from "./echo.js";
import { extensionSection } from "./extension.js";
import { floorSection } from "./floor.js";
import { idleSection } from "./idle.js";
import { joinStormSection } from "./join-storm.js";
import { lobbySection } from "./lobby.js";
import { pollingSection } from "./polling.js";
import { reconnectSection } from "./reconnect.js";
import { resourcesSection } from "./resources.js";
import { restartSection } from "./restart.js";
import { roomSection } from "./room.js";
import { roomsSection } from "./rooms.js";
import { signedSection } from "./signed.js";
import { slowReaderSection } from "./slow-reader.js";
import { soakSection } from "./soak.js";
import { typingSection } from "./typing.js";

/** How each case's data is told, by its name. */
export const sections = new Map(
  /** @type {[string, (data: never) => string][]} */ ([
    ["room", roomSection],
    ["signed", signedSection],
    ["floor", floorSection],
    ["echo", echoSection],
    ["rooms", roomsSection],
    ["typing", typingSection],
    ["documents", documentsSection],
    ["idle", idleSection],
    ["connections", connectionsSection],
    ["join-storm", joinStormSection],
    ["slow-reader", slowReaderSection],
    ["lobby", lobbySection],
    ["polling", pollingSection],
    ["api", apiSection],
    ["reconnect", reconnectSection],
    ["restart", restartSection],
    ["soak", soakSection],
    ["attacks", attacksSection],
    ["resources", resourcesSection],
    ["extension", extensionSection],
    ["cluster", clusterSection],
  ]),
);
