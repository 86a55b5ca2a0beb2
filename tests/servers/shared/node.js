// The fixture contract on any release of the official server that has the API of Socket.IO 4.
import { createServer } from "node:http";
import { addContract, timings } from "../../peers/node/contract.js";
import { listen, nothing, settings } from "../../peers/node/environment.js";

/** Starts this `Server`, a class, with these options beside those of the environment. */
export function start(Server, options = {}) {
  const httpServer = createServer(nothing);
  addContract(new Server(httpServer, { cors: { origin: "*" }, ...timings, ...options, ...settings(process.env) }));
  listen(httpServer);
}
