// A room for members, which has as many ways in as there are pages. Each page logs in by HTTP, and connects with what it got.
//
//   /form    a form with a hidden token; POST /login {username, password, _csrf} sets the cookie of a session of express
//   /json    POST /api/session {username, password} → { user: { id }, token }, a JWT for `auth`
//   /query   the same, with the token in the query
//   /bearer  GET /csrf → { csrfToken }; POST /auth/token with it → { access_token } for the header `Authorization`; polls
//   POST /logout ends the session
//
// Whoever posts has to come from a page of this server, as `Origin` or `Referer` say it; and /auth/token wants the text of the
// cookie XSRF-TOKEN in the header X-XSRF-TOKEN.
//
//   say { text }             →  said { from, text } to the others; acknowledged
//   whisper { to, text }     →  whispered { from, text } to the connections of that member; acknowledged
//
// BREAK: lost     one `said` in eleven is lost
//        astray   a whisper goes to somebody else
//        open     who has not logged in is let in
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { gzipSync } from "node:zlib";
import express from "express";
import session from "express-session";
import jwt from "jsonwebtoken";
import { Server } from "socket.io";
import { badly, breakages, listen } from "./common.js";

const broken = breakages("lost", "astray", "open");
const bad = badly();
const secret = randomBytes(16).toString("hex");
const passwords = new Map([
  ["ann", "apples & pears"],
  ["bob", "bananas+1"],
]);
const isMember = ({ username, password }) => passwords.has(username) && passwords.get(username) === password;
const tokenOf = (username) => jwt.sign({ username, jti: randomBytes(8).toString("hex") }, secret, { expiresIn: "1h" });

const app = express();
const sessions = session({ secret, resave: false, saveUninitialized: true });
app.use(sessions, express.json(), express.urlencoded({ extended: false }));

app.use((request, response, next) => {
  const page = request.get("origin") ?? request.get("referer") ?? "";
  const isOwn = URL.canParse(page) && new URL(page).host === request.get("host");
  if (request.method !== "POST" || isOwn) return next();
  response.status(403).json({ error: "this page is of another server" });
});

/** JSON as large applications answer it: compressed where that is accepted. */
function answer(request, response, value) {
  const isCompressed = request.acceptsEncodings("gzip") === "gzip";
  response.type("json").set(isCompressed ? { "content-encoding": "gzip" } : {});
  const text = JSON.stringify(value);
  response.send(isCompressed ? gzipSync(text) : text);
}

const chat = `<p id="in" hidden>in</p><ul id="log"></ul>
<input id="text"><button id="say" onclick="send('say', {})">say</button>
<input id="to"><button id="whisper" onclick="send('whisper', { to: to.value })">whisper</button>
<script src="/socket.io/socket.io.js"></script><script>
let socket;
const hear = (word) => ({ from, text }) => { const line = document.createElement("li"); line.textContent = word + from + ": " + text; log.append(line); };
function enter(options) {
  socket = io(options);
  socket.on("connect", () => { document.getElementById("in").hidden = false; });
  socket.on("said", hear("")); socket.on("whispered", hear("whispers "));
}
const send = (event, more) => socket.emit(event, { ...more, text: document.getElementById("text").value }, () => {});
</script>`;
const login = `<input id="username"><input id="password" type="password"><button id="login" onclick="login()">log in</button>
<script>
const post = async (url, headers) => (await fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify({ username: username.value, password: password.value, remember: true }) })).json();
</script>`;
const pages = {
  json: "async function login() { enter({ auth: { token: (await post('/api/session')).token, client: 'page' } }); }",
  query: "async function login() { enter({ query: { token: (await post('/api/session')).token }, transports: ['websocket'] }); }",
  bearer: `async function login() {
    const { csrfToken } = await (await fetch("/csrf")).json();
    const cookie = decodeURIComponent(/XSRF-TOKEN=([^;]+)/.exec(document.cookie)[1]);
    const { access_token } = await post("/auth/token", { "x-csrf-token": csrfToken, "x-xsrf-token": cookie });
    enter({ transports: ["polling"], extraHeaders: { Authorization: "Bearer " + access_token } });
  }`,
};
for (const [name, script] of Object.entries(pages)) {
  app.get(`/${name}`, (_, response) => response.send(`<!doctype html>${login}${chat}<script>${script}</script>`));
}

app.get("/form", ({ session }, response) => {
  session.csrf ??= randomBytes(12).toString("hex");
  response.send(`<!doctype html><form method="post" action="/login"><input type="hidden" name="_csrf" value="${session.csrf}">
<input id="username" name="username"><input id="password" name="password" type="password"><button id="login">log in</button></form>`);
});
app.post("/login", (request, response) => {
  const { username, _csrf } = request.body;
  if (_csrf !== request.session.csrf || !isMember(request.body)) return response.redirect("/form?wrong");
  request.session.regenerate(() => {
    request.session.username = username;
    response.redirect("/chat");
  });
});
app.get("/chat", (_, response) => response.send(`<!doctype html>${chat}<script>enter({});</script>`));
app.post("/logout", (request, response) => request.session.destroy(() => response.redirect("/form")));

app.post("/api/session", (request, response) => {
  if (!isMember(request.body)) return response.status(401).json({ error: "wrong" });
  answer(request, response, { user: { id: randomBytes(8).toString("hex") }, token: tokenOf(request.body.username) });
});

app.get("/csrf", (request, response) => {
  request.session.csrf = randomBytes(12).toString("hex");
  request.session.xsrf = randomBytes(13).toString("base64");
  response.cookie("XSRF-TOKEN", request.session.xsrf);
  answer(request, response, { csrfToken: request.session.csrf });
});
app.post("/auth/token", (request, response) => {
  const { csrf, xsrf } = request.session;
  const isAsked = request.get("x-csrf-token") === csrf && request.get("x-xsrf-token") === xsrf;
  if (!isAsked || !isMember(request.body)) return response.status(403).json({});
  answer(request, response, { access_token: tokenOf(request.body.username) });
});

const httpServer = createServer(app);
const io = new Server(httpServer);
io.engine.use(sessions);
io.use((socket, next) => {
  const { auth, query, headers } = socket.handshake;
  const token = auth.token ?? query.token ?? headers.authorization?.replace("Bearer ", "");
  try {
    socket.data.username = token ? jwt.verify(token, secret).username : socket.request.session.username;
  } catch {
    // Whatever is wrong with a token: nobody comes in by it.
  }
  next(socket.data.username || broken("open") ? undefined : new Error("members only"));
});

io.on("connection", (socket) => {
  const { username: from } = socket.data;
  socket.join(`member:${from}`);
  socket.on("say", ({ text }, ack) => {
    if (broken("lost")) bad("lost", socket.broadcast, "said", { from, text });
    else socket.broadcast.emit("said", { from, text });
    ack?.({ ok: true });
  });
  socket.on("whisper", ({ to, text }, ack) => {
    const receiver = broken("astray") ? from : to;
    io.to(`member:${receiver}`).emit("whispered", { from, text });
    ack?.({ ok: true });
  });
});

listen(httpServer);
