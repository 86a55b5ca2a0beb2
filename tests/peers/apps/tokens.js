// Users with a token: POST /login gives a JWT, without which no connection is opened. passport-jwt checks it in a
// middleware of the engine, so that a stranger gets an HTTP response 401; the namespace /admin has a middleware of its own,
// whose refusal is a connect_error.
//
//   POST /login { username, password }   200 { token }, or 401
//   GET /socket.io/                      401 without `authorization: bearer TOKEN` in the handshake
//   connect to /                         each user is in the room user:ID
//   whoami                               ack username
//   notify { to: username, text }        ack { sent: true }; notification { from, text } to the room of that user
//   connect to /admin { token }          connect_error "unauthorized" { content } unless the token is that of ann
//
// BREAK: open         a handshake without a token is accepted
//        somebody     whoami answers with the user who came last
//        unanswered   whoami is never acknowledged
import { createServer } from "node:http";
import express from "express";
import jwt from "jsonwebtoken";
import passport from "passport";
import { ExtractJwt, Strategy } from "passport-jwt";
import { Server } from "socket.io";
import { breakages, listen } from "./common.js";

const broken = breakages("open", "somebody", "unanswered");
const secret = "a secret of this application";
const passwords = new Map([
  ["ann", "apples"],
  ["bob", "bananas"],
  ["cid", "cherries"],
]);

passport.use(
  new Strategy(
    { jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey: secret },
    ({ username }, done) => done(null, { username }),
  ),
);

const app = express();
app.use(express.json());
app.post("/login", ({ body: { username, password } }, response) => {
  if (!passwords.has(username) || passwords.get(username) !== password) return response.status(401).end();
  response.json({ token: jwt.sign({ username }, secret, { expiresIn: "1h" }) });
});

const httpServer = createServer(app);
const io = new Server(httpServer);

io.engine.use((request, response, next) => {
  const isHandshake = request._query.sid === undefined;
  if (!isHandshake) return next();
  passport.authenticate("jwt", { session: false }, (error, user) => {
    if (!user && !broken("open")) return response.writeHead(401).end("unauthorized");
    request.user = user || { username: "nobody" };
    next(error);
  })(request, response, next);
});

let last;
io.on("connection", (socket) => {
  const { username } = socket.request.user;
  last = username;
  socket.join(`user:${username}`);

  socket.on("whoami", (ack) => {
    if (broken("unanswered")) return;
    ack(broken("somebody") ? last : username);
  });

  socket.on("notify", ({ to, text }, ack) => {
    io.to(`user:${to}`).emit("notification", { from: username, text });
    ack({ sent: true });
  });
});

io.of("/admin").use((socket, next) => {
  try {
    const { username } = jwt.verify(socket.handshake.auth.token, secret);
    if (username === "ann") return next();
  } catch {
    // Whatever is wrong with a token: it is refused.
  }
  next(Object.assign(new Error("unauthorized"), { data: { content: "administrators only" } }));
});

listen(httpServer);
