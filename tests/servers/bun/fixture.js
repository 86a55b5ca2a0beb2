// The official server on Bun, with the engine that was written for it.
import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";
import { addContract, timings } from "../../peers/node/contract.js";
import { announce, leaveWhenTold, port, settings } from "../../peers/node/environment.js";

const options = { ...timings, ...settings(process.env) };
const io = new Server(options);
const engine = new Engine({ path: "/socket.io/", cors: { origin: "*" }, maxHttpBufferSize: 1e6, ...options });
io.bind(engine);
addContract(io);

const server = Bun.serve({ hostname: "127.0.0.1", port: port(), ...engine.handler() });
announce(server.port);
leaveWhenTold();
