// The official parsers of Socket.IO and Engine.IO, asked by lines. tests/second_opinion/packets.rs asks.
import {
  createPacketDecoderStream,
  createPacketEncoderStream,
  decodePacket,
  decodePayload,
  encodePacket,
  encodePayload,
} from "engine.io-parser";
import { Decoder, Encoder } from "socket.io-parser";
import msgpack from "socket.io-msgpack-parser";
import { answer } from "./questions.js";

const questions = {
  encode: (packet) => new Encoder().encode(packet),
  decode: (messages) => {
    const packets = [];
    const decoder = new Decoder({ maxAttachments: 1000 });
    decoder.on("decoded", (packet) => packets.push(packet));
    messages.forEach((message) => decoder.add(message));
    return packets;
  },
  encodeMsgpack: (packet) => new msgpack.Encoder().encode(packet)[0],
  decodeMsgpack: (bytes) => {
    const packets = [];
    const decoder = new msgpack.Decoder();
    decoder.on("decoded", (packet) => packets.push(packet));
    decoder.add(bytes);
    return packets[0];
  },
  encodeEngine: (packet) => new Promise((resolve) => encodePacket(packet, false, resolve)),
  decodeEngine: (text) => decodePacket(text),
  encodePayload: (packets) => new Promise((resolve) => encodePayload(packets, resolve)),
  decodePayload: (text) => decodePayload(text),
  encodeStream: async (packets) => Buffer.concat(await passed(packets, createPacketEncoderStream())),
  // It stops at the first error, as the official server and client do, who end the session then.
  decodeStream: async ({ pieces, limit }) => {
    const packets = await passed(pieces, createPacketDecoderStream(limit, "nodebuffer"));
    const error = packets.findIndex((packet) => packet.type === "error");
    return error < 0 ? packets : packets.slice(0, error + 1);
  },
};

/** What a stream makes of what is put into it. */
async function passed(inputs, stream) {
  const outputs = [];
  for await (const output of ReadableStream.from(inputs).pipeThrough(stream)) outputs.push(output);
  return outputs;
}

await answer(questions);
