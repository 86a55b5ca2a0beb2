// People in pages of the reference server's chat, in a real browser: once among themselves, once together with clients
// simulated by sockrates. Screenshots of how it ended go to test-output/.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PATIENCE, launch } from "./chromium.js";

const { SOCKRATES_URL, SOCKRATES_BIN } = process.env;
if (!SOCKRATES_URL) throw new Error("SOCKRATES_URL does not say which server to test; with-server.js sets it");
const home = new URL("/", SOCKRATES_URL);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

let browser;
before(async () => {
  mkdirSync(here("../../../test-output"), { recursive: true });
  browser = await launch();
});
after(() => browser?.close());

test("people in a room talk to each other, and nobody else hears", async () => {
  await among(["alice", "bob", "carol"], "people", async (alice, bob, carol) => {
    await alice.joins("kitchen");
    await bob.joins("kitchen");
    await carol.joins("garden");
    for (const person of [alice, bob]) await person.seesAround("alice", "bob");
    await carol.seesAround("carol");

    await alice.says("Is there tea? <b>Strong</b>, please");
    await bob.reads("alice", "Is there tea? <b>Strong</b>, please");
    await bob.says("Plenty.");
    await alice.reads("bob", "Plenty.");
    // The server had handled her question before his answer: had it come back to her, she would have read it by now.
    await alice.hasRead([["bob", "Plenty."]]);
    await bob.hasRead([["alice", "Is there tea? <b>Strong</b>, please"]]);

    await bob.leaves();
    await alice.seesAround("alice");
    await alice.says("Bob?");
    await bob.joins("garden");
    await carol.seesAround("bob", "carol");
    await alice.joins("garden");
    await alice.says("There you are.");
    for (const person of [bob, carol]) await person.reads("alice", "There you are.");
    await carol.hasRead([["alice", "There you are."]]);
    await bob.hasRead([["alice", "Is there tea? <b>Strong</b>, please"], ["alice", "There you are."]]);

    await carol.closesThePage();
    for (const person of [alice, bob]) await person.seesAround("alice", "bob");
  });
});

test("people and simulated clients meet in a room", { skip: !SOCKRATES_BIN && "SOCKRATES_BIN is not set" }, async () => {
  await among(["anna", "ben"], "with-simulated-clients", async (anna, ben) => {
    for (const person of [anna, ben]) await person.joins("table");

    const sockrates = run("with-browser.yaml");
    // Each of the three guests greets the room, then waits for the welcome.
    for (const guest of [0, 1, 2]) {
      for (const person of [anna, ben]) await person.reads(`guest ${guest}`, `good evening from ${guest}`);
    }
    await anna.says("welcome, all of you");
    await ben.reads("anna", "welcome, all of you");

    const { code, output } = await sockrates;
    assert.equal(code, 0, output);
  });
});

/** Opens a page for each of `names`, tells their `story` and looks whether a page complained. */
async function among(names, title, story) {
  const people = await Promise.all(names.map((name) => Person.arrives(name)));
  try {
    await story(...people);
    for (const { name, complaints } of people) assert.deepEqual(complaints, [], `the page of ${name}`);
  } finally {
    await Promise.all(people.map((person) => person.goes(here(`../../../test-output/${title}-${person.name}.png`))));
  }
}

/** Somebody before a page of their own. */
class Person {
  static async arrives(name) {
    const context = await browser.newContext({ viewport: { width: 960, height: 640 } });
    context.setDefaultTimeout(PATIENCE);
    const person = new Person(name, await context.newPage());
    await person.page.goto(home.href);
    await person.part("nick").fill(name);
    return person;
  }

  constructor(name, page) {
    this.name = name;
    this.page = page;
    this.complaints = [];
    page.on("console", (message) => message.type() === "error" && this.complaints.push(message.text()));
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("request", (request) => {
      const { protocol, host } = new URL(request.url());
      if (protocol !== "data:" && host !== home.host) this.complaints.push(`asked another host: ${request.url()}`);
    });
  }

  part(id) {
    return this.page.getByTestId(id);
  }

  async joins(room) {
    await this.part("room").fill(room);
    await this.part("join").click();
    await this.part("log").getByText(`you joined ${room}`, { exact: true }).last().waitFor();
  }

  async leaves() {
    await this.part("leave").click();
    await this.part("log").getByText(/^you left /).last().waitFor();
  }

  async says(text) {
    await this.part("text").fill(text);
    await this.part("send").click();
  }

  /** Waits until exactly these are shown to be here, oneself marked as such. */
  async seesAround(...names) {
    const expected = names.map((name) => (name === this.name ? `${name} (you)` : name)).sort();
    const shown = () => this.part("people").getByRole("listitem").allTextContents();
    await this.until(async () => assert.deepEqual((await shown()).sort(), expected, `who is here for ${this.name}`));
  }

  /** Waits for a message of somebody else. */
  async reads(from, text) {
    const isThere = (messages) => messages.some((message) => message[0] === from && message[1] === text);
    await this.until(async () => {
      const messages = await this.messages();
      assert.ok(isThere(messages), `${this.name} waits for ${from}: ${text}, and has read ${JSON.stringify(messages)}`);
    });
  }

  /** What others have said so far is this and nothing else. */
  async hasRead(expected) {
    assert.deepEqual(await this.messages(), expected, `what ${this.name} has read`);
  }

  /** `[who, words]` of each message of somebody else. */
  messages() {
    return this.part("log").locator("li:not(.own):not(.note)").evaluateAll((items) =>
      items.map((item) => [".who", ".words"].map((part) => item.querySelector(part).textContent)),
    );
  }

  /** Looks again whenever the page has changed, until `claim` holds. */
  async until(claim) {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      try {
        return await claim();
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await this.page.evaluate(() => new Promise(requestAnimationFrame));
      }
    }
  }

  async closesThePage() {
    await this.page.close();
  }

  async goes(picture) {
    if (!this.page.isClosed()) await this.page.screenshot({ path: picture });
    await this.page.context().close();
  }
}

/** Runs a scenario of this folder against the same server. */
async function run(scenario) {
  const sockrates = spawn(SOCKRATES_BIN, ["run", here(scenario), "--url", SOCKRATES_URL], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [sockrates.stdout, sockrates.stderr]) stream.on("data", (data) => (output += data));
  const [code] = await once(sockrates, "close");
  return { code, output };
}
