// Runs a command against a server that lives exactly as long:
//
//   node with-server.js 'node fixture.js' node --test official-client.test.js
//
// The first argument is the command line of the server. What it prints up to its line "listening on URL" is awaited,
// the URL goes to the second command as SOCKRATES_URL, and its exit code becomes ours.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const START_UP = 30_000;
const [serverCommand, command, ...args] = process.argv.slice(2);
if (!serverCommand || !command) {
  console.error("usage: node with-server.js 'SERVER COMMAND' COMMAND [ARGUMENT...]");
  process.exit(2);
}

// "exec" makes the server itself our child, rather than a shell around it.
const server = spawn("sh", ["-c", `exec ${serverCommand}`], {
  stdio: ["pipe", "pipe", "inherit"],
  env: { ...process.env, EXIT_WITH_STDIN: "1" },
});
process.on("exit", () => server.kill());
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

const url = await listening(server);
const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, SOCKRATES_URL: url } });
child.on("error", (error) => fail(`cannot run ${command}: ${error.message}`));
child.on("exit", (code) => process.exit(code ?? 1));
server.on("exit", (code, signal) => {
  child.kill();
  fail(`the server ended before its time (${signal ?? `exit code ${code}`})`);
});

function listening(server) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => fail(`no line "listening on URL" within ${START_UP / 1000} s`), START_UP);
    server.on("exit", () => fail("the server ended without listening"));
    createInterface({ input: server.stdout }).on("line", (line) => {
      const [, url] = /listening on (https?:\S+)/.exec(line) ?? [];
      if (!url) return;
      clearTimeout(timer);
      server.removeAllListeners("exit");
      resolve(url);
    });
  });
}

function fail(why) {
  console.error(`${serverCommand}: ${why}`);
  process.exit(1);
}
