// Users with a cookie: POST /login begins a session of express, which the handshake shares. All connections of a session
// are in the room of its id; POST /logout ends them.
//
//   POST /login { username }   200 { username } and a cookie
//   POST /logout               204; every connection of the session is ended
//   connect                    connect_error "not logged in" without the cookie of a session
//   increment                  ack count: how often this session asked, over all its connections
//                              counted { username, count } to the other connections of the session
//
// BREAK: forgetful   one increment in eleven is not kept
//        open        who has no session is let in
//        lingering   a logout ends no connection
import { createServer } from "node:http";
import express from "express";
import session from "express-session";
import { Server } from "socket.io";
import { breakages, listen, oneInEleven } from "./common.js";

const broken = breakages("forgetful", "open", "lingering");
const unlucky = oneInEleven();

const app = express();
const httpServer = createServer(app);
const io = new Server(httpServer);
const sessions = session({ secret: "another secret", resave: false, saveUninitialized: false });

app.use(sessions);
app.use(express.json());
app.post("/login", (request, response) => {
  request.session.username = request.body.username;
  request.session.count = 0;
  response.json({ username: request.body.username });
});
app.post("/logout", (request, response) => {
  const room = request.session.id;
  request.session.destroy(() => {
    if (!broken("lingering")) io.in(room).disconnectSockets();
    response.status(204).end();
  });
});

io.engine.use(sessions);
io.use(({ request }, next) => {
  if (request.session.username === undefined && !broken("open")) return next(new Error("not logged in"));
  next();
});

io.on("connection", (socket) => {
  const { request } = socket;
  const { id } = request.session;
  socket.join(id);

  socket.on("increment", (ack) => {
    request.session.reload((error) => {
      if (error) return socket.disconnect();
      request.session.count += broken("forgetful") && unlucky() ? 0 : 1;
      request.session.save();
      const { username, count } = request.session;
      socket.to(id).emit("counted", { username, count });
      ack(count);
    });
  });
});

listen(httpServer);
