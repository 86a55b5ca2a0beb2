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
import { listen, nothing, settings } from "./environment.js";

/**
 * Starts a Socket.IO server with the given `defaults` (options of `Server`, each of which the environment can
 * override) and hands it to `setUp`, which adds the application. `page` answers what is not for Socket.IO.
 */
export function serve(defaults, setUp, page = nothing) {
  const httpServer = createServer(page);
  const parser = process.env.PARSER === "msgpack" ? { parser: msgpack } : {};
  const io = new Server(httpServer, { cors: { origin: "*" }, ...defaults, ...settings(process.env), ...parser });
  setUp(io);
  if (cluster.isWorker) sticky.setupWorker(io);
  listen(httpServer);
}
