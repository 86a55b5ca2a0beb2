// The official server with a WebSocket library in C++ in the place of ws.
import { createRequire } from "node:module";
import { Server } from "socket.io";
import { start } from "../shared/node.js";

const eiows = createRequire(import.meta.url)("eiows");

start(Server, { wsEngine: eiows.Server });
