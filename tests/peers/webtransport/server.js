// The fixture contract on the official server with all three of its transports, WebTransport among them, on Deno's QUIC.
// CERT and KEY name its certificate and key, as PEM files. TCP and QUIC share a port.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { Server } from "socket.io";
import { addContract, timings } from "../node/contract.js";
import { settings } from "../node/environment.js";

const cert = readFileSync(process.env.CERT, "utf8");
const key = readFileSync(process.env.KEY, "utf8");

const io = new Server({ transports: ["polling", "websocket", "webtransport"], ...timings, ...settings(process.env) });
addContract(io);
// As a process that is killed: without a word.
io.on("connection", (socket) => socket.on("t:die", () => Deno.kill(Deno.pid, "SIGKILL")));

const { port, endpoint } = await bind(Number(process.env.PORT ?? 0));
accept(endpoint.listen({ cert, key, alpnProtocols: ["h3"] }));
console.log(`listening on https://127.0.0.1:${port}/socket.io/`);

const stop = () => process.exit(0);
process.on("SIGTERM", stop);
if (process.env.EXIT_WITH_STDIN === "1") process.stdin.on("end", stop).resume();

/** Takes a port of TCP that is free for QUIC, too. */
async function bind(wanted) {
  for (let attempt = 0; ; attempt++) {
    const httpServer = createServer({ cert, key });
    io.attach(httpServer);
    await new Promise((done, failed) => httpServer.once("error", failed).listen(wanted, "127.0.0.1", done));
    const { port } = httpServer.address();
    try {
      return { port, endpoint: new Deno.QuicEndpoint({ hostname: "127.0.0.1", port }) };
    } catch (error) {
      if (wanted !== 0 || attempt === 20) throw error;
      httpServer.close();
    }
  }
}

async function accept(listener) {
  for await (const incoming of listener) upgrade(incoming).catch(nothing);
}

/** Whoever breaks off, or speaks something else, harms nobody but itself. */
async function upgrade(incoming) {
  const session = await Deno.upgradeWebTransport(await incoming.accept());
  await session.ready;
  await io.engine.onWebTransportSession(session);
}

function nothing() {}
