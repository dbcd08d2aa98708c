// @ts-check
/** RESULTS.md: everything that was measured, in tables. */
import { bytes } from "./format.js";
import { sections } from "./sections/index.js";

/** @param {import("../runner/results.js").Results} results */
export function toMarkdown({ cases }) {
  const settings = new Map(Object.entries(cases).map(([name, measured]) => [name, describe(measured)]));
  const [usual = "", ...others] = new Set(settings.values());
  const told = [...sections].flatMap(([name, section]) => {
    const measured = cases[name];
    if (measured === undefined) return [];
    // what a case wrote, its section reads
    const data = /** @type {never} */ (measured.data);
    const setting = settings.get(name) ?? usual;
    const where = others.length === 0 ? "" : `, ${letterOf([usual, ...others].indexOf(setting))}`;
    const source = `\`${measured.command}\`, ${measured.measuredAt.slice(0, 10)}${where}`;
    const failed = measured.failures.flatMap((failure) => ["", `Failed: ${failure}`]);
    return ["", `## ${name}`, "", source, "", section(data), ...failed];
  });
  const listed =
    others.length === 0
      ? ["", usual]
      : [usual, ...others].flatMap((setting, index) => ["", `**${letterOf(index)}.** ${setting}`]);
  return [
    "# Results",
    "",
    "Written by the bench; what is measured and how is in [README.md](README.md). `npm run bench` measures all of it again.",
    ...listed,
    ...told,
    "",
  ].join("\n");
}

/** On which machine a case was measured, and with which versions. @param {import("../runner/results.js").Setting} setting */
function describe({ machine, versions }) {
  const pins = machine.pinned ? "server and generator on a core each" : "processes not pinned to cores";
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return (
    `Machine: ${machine.cpu}, ${machine.cores} cores, ${bytes(machine.memoryBytes)}, ${machine.system}, ` +
    `Node.js ${machine.node}; ${pins}. Versions: ${named.join(", ")}.`
  );
}

/** @param {number} index */
function letterOf(index) {
  return String.fromCharCode(65 + index);
}
