// Kills a relay with a store in a folder while twenty people type, and then the database of another, and looks whether what
// others were told is there afterwards, with those who left and what they chose.
//
//   npm run build && node scripts/seeded/kill.js --times 30
import { runTests, wholeNumbers } from "./run.js";

const { times } = wholeNumbers({ times: 30 });
runTests("test/faults/stores/kills.test.ts", { STORE_KILLS: times }, "long");
