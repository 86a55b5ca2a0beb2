// The official server and its own engine, on Bun's implementation of Node's HTTP server.
import { Server } from "socket.io";
import { start } from "../shared/node.js";

start(Server);
