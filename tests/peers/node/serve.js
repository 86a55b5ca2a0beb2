// What every Node peer has in common: its settings come from the environment, it listens on the loopback
// interface only, says on one line where, and leaves when it is told to.
//
//   PORT                     0 or absent: any free port
//   PING_INTERVAL            milliseconds, like every time below
//   PING_TIMEOUT
//   CONNECT_TIMEOUT
//   UPGRADE_TIMEOUT
//   MAX_HTTP_BUFFER_SIZE     bytes, announced to clients as maxPayload
//   ALLOW_EIO3               1: clients of Socket.IO 2 may connect, too
//   PARSER                   msgpack: that parser, which clients have to use, too
//   CSR                      1: connection state recovery
//   CSR_MAX_DISCONNECTION    how long a lost connection can be recovered
//   PER_MESSAGE_DEFLATE      JSON: compression of WebSocket messages, as the option `perMessageDeflate` of the Server
//   EXIT_WITH_STDIN          1: leave when standard input ends, that is, together with whoever started us
import cluster from "node:cluster";
import { createServer } from "node:http";
import sticky from "@socket.io/sticky";
import { Server } from "socket.io";
import msgpack from "socket.io-msgpack-parser";

/**
 * Starts a Socket.IO server with the given `defaults` (options of `Server`, each of which the environment can
 * override) and hands it to `setUp`, which adds the application. `page` answers what is not for Socket.IO.
 */
export function serve(defaults, setUp, page = nothing) {
  const httpServer = createServer(page);
  const io = new Server(httpServer, { cors: { origin: "*" }, ...defaults, ...settings(process.env) });
  setUp(io);
  if (cluster.isWorker) sticky.setupWorker(io);

  httpServer.on("error", (error) => {
    console.error(`cannot listen: ${error.message}`);
    process.exit(1);
  });
  const port = number(process.env, "PORT") ?? 0;
  httpServer.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
    console.log(`listening on http://127.0.0.1:${httpServer.address().port}/socket.io/`);
  });

  process.on("SIGTERM", () => process.exit(0));
  process.on("SIGINT", () => process.exit(0));
  if (process.env.EXIT_WITH_STDIN === "1") {
    process.stdin.resume().on("end", () => process.exit(0));
  }
}

// What is not for Socket.IO is not there: the Server alone would leave such a request without an answer.
function nothing(_, response) {
  response.writeHead(404).end();
}

function settings(env) {
  const options = {
    pingInterval: number(env, "PING_INTERVAL"),
    pingTimeout: number(env, "PING_TIMEOUT"),
    connectTimeout: number(env, "CONNECT_TIMEOUT"),
    upgradeTimeout: number(env, "UPGRADE_TIMEOUT"),
    maxHttpBufferSize: number(env, "MAX_HTTP_BUFFER_SIZE"),
  };
  if (env.ALLOW_EIO3 === "1") options.allowEIO3 = true;
  if (env.PARSER === "msgpack") options.parser = msgpack;
  if (env.PER_MESSAGE_DEFLATE) options.perMessageDeflate = JSON.parse(env.PER_MESSAGE_DEFLATE);
  if (env.CSR === "1") {
    options.connectionStateRecovery = { maxDisconnectionDuration: number(env, "CSR_MAX_DISCONNECTION") ?? 2000 };
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function number(env, name) {
  if (!env[name]) return undefined;
  const value = Number(env[name]);
  if (!Number.isInteger(value) || value < 0) {
    console.error(`${name} is not a whole number: ${env[name]}`);
    process.exit(2);
  }
  return value;
}
