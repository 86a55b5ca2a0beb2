// What the applications of this folder share: where they listen, how they leave, and how they are broken on purpose.
//
//   PORT               0 or absent: any free port
//   EXIT_WITH_STDIN    1: leave when standard input ends, that is, together with whoever started the application
//   BREAK              the name of one breakage that the application lists; absent: it is healthy

import { readFileSync } from "node:fs";

/** Answers a browser with the page of this name in `pages/`, and everything else with 404. */
export function page(name) {
  const html = readFileSync(new URL(`pages/${name}.html`, import.meta.url));
  return (request, response) => {
    const isPage = request.url === "/";
    response.writeHead(isPage ? 200 : 404, { "content-type": isPage ? "text/html; charset=utf-8" : "text/plain" });
    response.end(isPage ? html : "");
  };
}

/** Listens on the loopback interface, and says on one line where. */
export function listen(httpServer, port = Number(process.env.PORT ?? 0)) {
  httpServer.on("error", (error) => {
    console.error(`cannot listen: ${error.message}`);
    process.exit(1);
  });
  httpServer.listen(port, "127.0.0.1", () => {
    console.log(`listening on http://127.0.0.1:${httpServer.address().port}/socket.io/`);
  });
  leaveWhenTold();
}

/** Ends on a signal, or with the standard input. */
export function leaveWhenTold() {
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
  if (process.env.EXIT_WITH_STDIN === "1") process.stdin.resume().on("end", () => process.exit(0));
}

/** Whether the application is broken in the way of this name. It says all its names, so that a wrong one is noticed. */
export function breakages(...names) {
  const chosen = process.env.BREAK || undefined;
  if (chosen !== undefined && !names.includes(chosen)) {
    console.error(`BREAK=${chosen} is none of ${names.join(", ")}`);
    process.exit(2);
  }
  return (name) => {
    if (!names.includes(name)) throw new Error(`${name} is no breakage of this application`);
    return name === chosen;
  };
}

/** A function that is true for one call in eleven: more than any room has members, so that each of them is hit. */
export function oneInEleven() {
  let calls = 0;
  return () => ++calls % 11 === 0;
}

/**
 * Emits to all that `receivers` (a broadcast of Socket.IO) reaches, as `receivers.emit` does, except that one delivery
 * in eleven is not as it should be: it is `lost`, or `doubled`, or `swapped` with the next one to the same receiver. Who
 * is to see the order of one sender broken needs one of these functions for each sender.
 */
export function badly() {
  const unlucky = oneInEleven();
  const held = new Map();
  const ways = {
    lost: (socket, packet) => unlucky() || socket.emit(...packet),
    doubled: (socket, packet) => {
      socket.emit(...packet);
      if (unlucky()) socket.emit(...packet);
    },
    swapped: (socket, packet) => {
      const release = () => {
        const before = held.get(socket.id);
        held.delete(socket.id);
        if (before !== undefined) socket.emit(...before);
      };
      if (!held.has(socket.id) && unlucky()) {
        held.set(socket.id, packet);
        // Nothing may follow the last one: it is late then, and not lost.
        setTimeout(release, 500);
        return;
      }
      socket.emit(...packet);
      release();
    },
  };
  return async (way, receivers, ...packet) => {
    for (const socket of await receivers.fetchSockets()) ways[way](socket, packet);
  };
}
