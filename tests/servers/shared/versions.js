// node versions.js FOLDER PACKAGE...
//
// Prints the version of what runs this script, and of these packages as they are installed in FOLDER: a line each, name first.
import { existsSync, readFileSync } from "node:fs";

const [folder, ...packages] = process.argv.slice(2);
const { bun, deno, node } = process.versions;

if (bun) console.log(`bun ${bun}`);
else if (deno) console.log(`deno ${deno}`);
else console.log(`node ${node}`);
for (const name of packages) {
  const file = `${folder}/node_modules/${name}/package.json`;
  if (existsSync(file)) console.log(`${name} ${JSON.parse(readFileSync(file, "utf8")).version}`);
}
