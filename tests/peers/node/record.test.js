// `sockrates record` between a real browser and applications: what it writes passes on the same server at once, and with many
// clients. SOCKRATES_BIN names the sockrates binary, REFERENCE the command of the reference server.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PATIENCE, launch } from "./chromium.js";

const { SOCKRATES_BIN, REFERENCE } = process.env;
const CLIENTS = process.env.RECORD_CLIENTS || "100";
const app = (name) => `node ${fileURLToPath(new URL(`../apps/${name}.js`, import.meta.url))}`;

let browser;
let folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "record-"));
  browser = await launch();
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What a process says up to the words that are waited for. */
function says(child, stream, words) {
  let told = "";
  return new Promise((resolve, reject) => {
    stream.on("data", (piece) => {
      told += piece;
      const found = told.match(words);
      if (found) resolve(found);
    });
    child.on("exit", () => reject(new Error(told)));
  });
}

/** A command of sockrates, up to its end. */
function sockrates(...args) {
  const child = spawn(SOCKRATES_BIN, args, { stdio: ["ignore", "pipe", "pipe"] });
  let told = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (told += piece));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, told })));
}

/** Records what `story` does in two tabs, and plays what was written with these variables: the scenario's text. */
async function recorded(name, command, story, given = []) {
  const server = spawn("sh", ["-c", `exec ${command}`], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, EXIT_WITH_STDIN: "1" },
  });
  const contexts = [];
  let recording;
  try {
    const [, url] = await says(server, server.stdout, /listening on (http:\/\/[^/\s]+)/);
    const file = join(folder, `${name}.yaml`);
    recording = spawn(SOCKRATES_BIN, ["record", "--url", url, "--output", file], { stdio: ["ignore", "pipe", "pipe"] });
    const ended = new Promise((resolve) => recording.on("close", resolve));
    const [, proxy] = await says(recording, recording.stderr, /Open (http:\S+) in/);
    const tabs = [];
    for (const _ of [1, 2]) {
      const context = await browser.newContext();
      context.setDefaultTimeout(PATIENCE);
      contexts.push(context);
      const tab = await context.newPage();
      await tab.goto(proxy);
      tabs.push(tab);
    }
    await story(...tabs);
    recording.kill("SIGINT");
    assert.equal(await ended, 0);
    const text = readFileSync(file, "utf8");
    for (const more of [[], ["--clients", CLIENTS]]) {
      const { code, told } = await sockrates("run", file, "--url", url, ...given, ...more);
      assert.equal(code, 0, `${more}\n${text}\n${told}`);
    }
    return text;
  } finally {
    recording?.kill("SIGKILL");
    for (const context of contexts) await context.close();
    server.kill();
  }
}

test("a chat with rooms", { skip: !REFERENCE && "REFERENCE is not set" }, async () => {
  const text = await recorded("chat", REFERENCE, async (...tabs) => {
    const part = (tab, id) => tab.getByTestId(id);
    const names = ["alice", "bob"];
    for (const [index, tab] of tabs.entries()) {
      await part(tab, "nick").fill(names[index]);
      await part(tab, "room").fill("kitchen");
      await part(tab, "join").click();
      await part(tab, "log").getByText("you joined kitchen").waitFor();
    }
    for (const [index, words] of ["Is there tea?", "There is.", "Strong, please"].entries()) {
      await part(tabs[index % 2], "text").fill(words);
      await part(tabs[index % 2], "send").click();
      await part(tabs[(index + 1) % 2], "log").getByText(words).waitFor();
    }
  });
  assert.match(text, /talkers: \{ count: 2/);
  assert.match(text, /guessed: `t:join` is a join/);
  assert.match(text, /guessed: `t:cast` is a broadcast: 3 of 3 times another tab heard `said`/);
  assert.match(text, /broadcast: \{ to: kitchen, args: \[/);
});

test("a whiteboard", async () => {
  const text = await recorded("board", app("whiteboard"), async (painter, viewer) => {
    for (const tab of [painter, viewer]) await tab.locator("body.connected").waitFor();
    for (const stroke of [1, 2, 3]) {
      await painter.mouse.move(20 * stroke, 30);
      await painter.mouse.down();
      await painter.mouse.move(20 * stroke, 90);
      await painter.mouse.up();
      await viewer.locator("#strokes").getByText(String(stroke)).waitFor();
    }
  });
  assert.match(text, /1 tab, which sent `drawing`/);
  assert.match(text, /1 tab, which sent nothing/);
  assert.match(text, /guessed: `drawing` is a broadcast: 3 of 3 times another tab heard `drawing`/);
});

test("private messages", async () => {
  const text = await recorded("messages", app("messenger"), async (ann, bob) => {
    for (const [tab, name] of [[ann, "ann"], [bob, "bob"]]) {
      await tab.locator("#name").fill(name);
      await tab.locator("#entrance button").click();
    }
    for (const [from, to, name, words] of [
      [ann, bob, "bob", "are you there"],
      [bob, ann, "ann", "always here"],
      [ann, bob, "bob", "good to know"],
    ]) {
      await from.locator(`#user-${name}`).click();
      await from.locator("#text").fill(words);
      await from.locator("#speak button").click();
      await to.locator("#messages").getByText(words).waitFor();
    }
  });
  assert.match(text, /guessed: each client is in a room of its own: `session` told it/);
  assert.match(text, /username: "user-\$\{index\}"/);
  assert.match(text, /to: "\$\{talkers\[\(n \+ 1\) % count\]\.got_session\.userID\}"/);
});

const PASSWORDS = { ann: "apples & pears", bob: "bananas+1" };
const GIVEN = ["--set", `my_password=${PASSWORDS.ann}`, "--set", `my_password_2=${PASSWORDS.bob}`];

/** Two members log in on a page of that name, and talk. */
const members = (page) => async (...tabs) => {
  const names = Object.keys(PASSWORDS);
  const logIn = async (tab, name, password) => {
    await tab.locator("#username").fill(name);
    await tab.locator("#password").fill(password);
    await tab.locator("#login").click();
  };
  for (const [index, tab] of tabs.entries()) {
    await tab.goto(new URL(page, tab.url()).href);
    if (page === "/form" && index === 0) {
      await logIn(tab, names[index], "mistyped");
      await tab.waitForURL(/wrong/);
    }
    await logIn(tab, names[index], PASSWORDS[names[index]]);
    await tab.locator("#in").waitFor();
  }
  for (const [index, words] of ["is there tea today", "there is some left", "a strong one please"].entries()) {
    await tabs[index % 2].locator("#text").fill(words);
    await tabs[index % 2].locator("#say").click();
    await tabs[(index + 1) % 2].locator("#log").getByText(words).waitFor();
  }
};

/** What holds however members log in: no password and no token is written, and each client is the person of its row. */
function holdsOfMembers(text) {
  assert.match(text, /rows: \[\{ username: ann \}, \{ username: bob \}\]/);
  assert.match(text, /broadcast: \{ args: \[is there tea today\] \}/);
  assert.equal(text.match(/ post: /g).length, 1, text);
  assert.doesNotMatch(text, /apples|bananas|eyJ|mistyped/);
}

test("members who log in by a form, one of whom mistypes", async () => {
  const text = await recorded("form", app("members"), members("/form"), GIVEN);
  holdsOfMembers(text);
  assert.match(text, /get: \/form, .* capture: from_form/);
  assert.match(text, /_csrf=\$\{encoded\(from_form\)\}&username=\$\{encoded\(row\.username\)\}/);
});

for (const [page, connects] of [
  ["/json", 'connect: { auth: { token: "${from_session.token}", client: page } }'],
  ["/query", 'connect: { query: { token: "${from_session.token}" } }'],
  ["/bearer", 'connect: { headers: { Authorization: "Bearer ${from_token.access_token}" } }'],
]) {
  test(`members who log in for a token: ${page}`, async () => {
    const text = await recorded(page.slice(1), app("members"), members(page), GIVEN);
    holdsOfMembers(text);
    assert.ok(text.includes(connects), text);
  });
}
