// The official server on Deno's implementation of Node's HTTP server.
import { Server } from "socket.io";
import { start } from "../shared/node.js";

start(Server);
