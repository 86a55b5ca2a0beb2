// The fixture contract behind gateways of NestJS, one for each namespace.
import "reflect-metadata";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { IoAdapter } from "@nestjs/platform-socket.io";
import { WebSocketGateway } from "@nestjs/websockets";
import { guard, setUp, timings } from "../../peers/node/contract.js";
import { announce, leaveWhenTold, port, settings } from "../../peers/node/environment.js";

const options = { cors: { origin: "*" }, ...timings, ...settings(process.env) };

/** A gateway for a namespace, or for `/`; `middleware` decides who may enter. */
function gateway(namespace, middleware) {
  class Gateway {
    afterInit(entered) {
      if (middleware) entered.use(middleware);
    }

    handleConnection(socket) {
      setUp(socket.nsp.server, socket);
    }
  }
  WebSocketGateway(namespace ? { ...options, namespace } : options)(Gateway);
  return Gateway;
}

class Application {}
Module({ providers: [gateway(), gateway("/custom"), gateway("/guard", guard), gateway(/^\/dyn-\d+$/)] })(Application);

const application = await NestFactory.create(Application, { logger: ["error"] });
application.useWebSocketAdapter(new IoAdapter(application));
await application.listen(port(), "127.0.0.1");
announce(application.getHttpServer().address().port);
leaveWhenTold();
