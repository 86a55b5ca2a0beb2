// What the environment says to a Node peer, and how it listens: for all kinds of Node servers, so without a library.

/** Options of `Server`, as far as the environment has them. */
export function settings(env) {
  const options = {
    pingInterval: number(env, "PING_INTERVAL"),
    pingTimeout: number(env, "PING_TIMEOUT"),
    connectTimeout: number(env, "CONNECT_TIMEOUT"),
    upgradeTimeout: number(env, "UPGRADE_TIMEOUT"),
    maxHttpBufferSize: number(env, "MAX_HTTP_BUFFER_SIZE"),
  };
  if (env.ALLOW_EIO3 === "1") options.allowEIO3 = true;
  if (env.PER_MESSAGE_DEFLATE) options.perMessageDeflate = JSON.parse(env.PER_MESSAGE_DEFLATE);
  if (env.CSR === "1") {
    options.connectionStateRecovery = { maxDisconnectionDuration: number(env, "CSR_MAX_DISCONNECTION") ?? 2000 };
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** Listens on the loopback interface, and leaves when it is told to. */
export function listen(httpServer) {
  httpServer.on("error", (error) => {
    console.error(`cannot listen: ${error.message}`);
    process.exit(1);
  });
  httpServer.listen({ port: port(), host: "127.0.0.1", exclusive: true }, () => announce(httpServer.address().port));
  leaveWhenTold();
}

/** The port to listen on; 0 is any free one. */
export function port() {
  return number(process.env, "PORT") ?? 0;
}

export function announce(port) {
  console.log(`listening on http://127.0.0.1:${port}/socket.io/`);
}

export function leaveWhenTold() {
  process.on("SIGTERM", () => process.exit(0));
  process.on("SIGINT", () => process.exit(0));
  if (process.env.EXIT_WITH_STDIN === "1") {
    process.stdin.resume().on("end", () => process.exit(0));
  }
}

// What is not for Socket.IO is not there: the Server alone would leave such a request without an answer.
export function nothing(_, response) {
  response.writeHead(404).end();
}

function number(env, name) {
  if (!env[name]) return undefined;
  const value = Number(env[name]);
  if (!Number.isInteger(value) || value < 0) {
    console.error(`${name} is not a whole number: ${env[name]}`);
    process.exit(2);
  }
  return value;
}
