// @ts-check
/** RESULTS.md: everything that was measured, in tables. */
import { bytes } from "./format.js";
import { sections } from "./sections/index.js";

/** @param {import("../runner/results.js").Results} results */
export function toMarkdown({ machine, versions, cases }) {
  const told = [...sections].flatMap(([name, section]) => {
    const measured = cases[name];
    if (measured === undefined) return [];
    // what a case wrote, its section reads
    const data = /** @type {never} */ (measured.data);
    const source = `\`${measured.command}\`, ${measured.measuredAt.slice(0, 10)}`;
    const failed = measured.failures.flatMap((failure) => ["", `Failed: ${failure}`]);
    return ["", `## ${name}`, "", source, "", section(data), ...failed];
  });
  const pins = machine.pinned ? "server and generator on a core each" : "processes not pinned to cores";
  return [
    "# Results",
    "",
    "Written by the bench; what is measured and how is in [README.md](README.md). `npm run bench` measures all of it again.",
    "",
    `Machine: ${machine.cpu}, ${machine.cores} cores, ${bytes(machine.memoryBytes)}, ${machine.system}, Node.js ${machine.node}; ${pins}.`,
    "",
    `Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}.`,
    ...told,
    "",
  ].join("\n");
}
