// A help desk. A customer asks for help, and the server puts customer and agent into a room of a ticket that it names. An agent
// has several tickets at a time. A supervisor watches a ticket without a word. A closed ticket is left by all.
//
//   help          topic              →  assigned { ticket, agent } to both
//   watch         ticket             →  acknowledged
//   reply         { ticket, text }   →  reply { ticket, text } to the others of the ticket
//   close ticket  ticket             →  closed { ticket } to all of the ticket
//
// BREAK: lost       one reply in eleven is lost
//        latest     an agent that gets a ticket loses the one before
//        public     a reply reaches everybody
//        lingering  who is in a ticket stays there when it is closed
import { createServer } from "node:http";
import { Server } from "socket.io";
import { badly, breakages, listen } from "./common.js";

const broken = breakages("lost", "latest", "public", "lingering");
const emitBadly = badly();

const httpServer = createServer();
const io = new Server(httpServer);
const agents = [];
let tickets = 0;

io.on("connection", (socket) => {
  if (socket.handshake.auth.role === "agent") agents.push(socket);
  socket.on("disconnect", () => agents.splice(agents.indexOf(socket), agents.includes(socket) ? 1 : 0));

  socket.on("help", () => {
    const agent = agents[tickets % agents.length];
    const ticket = `ticket-${++tickets}`;
    if (broken("latest")) [...agent.rooms].filter((room) => room !== agent.id).forEach((room) => agent.leave(room));
    [socket, agent].forEach((one) => one.join(ticket));
    io.to(ticket).emit("assigned", { ticket, agent: agents.indexOf(agent) });
  });

  socket.on("watch", (ticket, done) => {
    socket.join(ticket);
    done();
  });

  socket.on("reply", ({ ticket, text }) => {
    const others = broken("public") ? socket.broadcast : socket.to(ticket);
    if (broken("lost")) return emitBadly("lost", others, "reply", { ticket, text });
    others.emit("reply", { ticket, text });
  });

  socket.on("close ticket", (ticket) => {
    const everybody = io.in(ticket);
    everybody.emit("closed", { ticket });
    if (!broken("lingering")) everybody.socketsLeave(ticket);
  });
});

listen(httpServer);
