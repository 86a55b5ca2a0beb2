// An application to which nobody may connect without having logged in.
//
//   POST /login   { name, age }   the cookie `session`, for browsers, and the profile as JSON
//   POST /token   { name }        a token in JSON, for CONNECT, and in the header X-Token
//   POST /logout                  takes the cookie back
//   whoami        ack { name, age, way }: cookie or token
//
// A session is what its cookie says: nothing is stored here.
import { serve } from "./serve.js";

serve({}, welcome, page);

function welcome(io) {
  io.use((socket, next) => {
    const { cookie = "" } = socket.request.headers;
    const session = /(?:^|; )session=([^;]+)/.exec(cookie)?.[1];
    const { token } = socket.handshake.auth;
    if (session) socket.data = { ...JSON.parse(decodeURIComponent(session)), way: "cookie" };
    else if (token?.startsWith("token-of-")) socket.data = { name: token.slice(9), way: "token" };
    else return next(new Error("log in first"));
    next();
  });
  io.on("connection", (socket) => {
    socket.on("whoami", (ack) => ack(socket.data));
  });
}

async function page(request, response) {
  let body = "";
  for await (const part of request) body += part;
  const route = `${request.method} ${request.url}`;
  const json = { "Content-Type": "application/json" };
  if (route === "POST /login") {
    const { name, age } = JSON.parse(body);
    const session = encodeURIComponent(JSON.stringify({ name, age }));
    const cookies = [`session=${session}; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600`, "theme=dark; Path=/settings"];
    response.writeHead(200, { ...json, "Set-Cookie": cookies }).end(JSON.stringify({ profile: { name, age } }));
  } else if (route === "POST /token") {
    const token = `token-of-${JSON.parse(body).name}`;
    response.writeHead(200, { ...json, "X-Token": token }).end(JSON.stringify({ token }));
  } else if (route === "POST /logout") {
    response.writeHead(204, { "Set-Cookie": "session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT" }).end();
  } else {
    response.writeHead(404).end();
  }
}
