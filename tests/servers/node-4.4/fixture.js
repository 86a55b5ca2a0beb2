import { Server } from "socket.io";
import { start } from "../shared/node.js";

start(Server);
