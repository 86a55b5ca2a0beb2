// The official parsers of Socket.IO and Engine.IO, asked by lines: each line is a JSON array of a question and its
// argument, each answer a line of JSON. Bytes are written { "$b64": "…" }. tests/second_opinion/packets.rs asks.
import { createInterface } from "node:readline";
import { decodePacket, decodePayload, encodePacket, encodePayload } from "engine.io-parser";
import { Decoder, Encoder } from "socket.io-parser";

const bytesOf = (_, value) => (typeof value?.$b64 === "string" ? Buffer.from(value.$b64, "base64") : value);

function written(key, value) {
  // Not `value`: a Buffer has become an object with its numbers by then.
  const bytes = this[key];
  return Buffer.isBuffer(bytes) ? { $b64: bytes.toString("base64") } : value;
}

const questions = {
  encode: (packet) => new Encoder().encode(packet),
  decode: (messages) => {
    const packets = [];
    const decoder = new Decoder({ maxAttachments: 1000 });
    decoder.on("decoded", (packet) => packets.push(packet));
    messages.forEach((message) => decoder.add(message));
    return packets;
  },
  encodeEngine: (packet) => new Promise((resolve) => encodePacket(packet, false, resolve)),
  decodeEngine: (text) => decodePacket(text),
  encodePayload: (packets) => new Promise((resolve) => encodePayload(packets, resolve)),
  decodePayload: (text) => decodePayload(text),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [question, argument] = JSON.parse(line, bytesOf);
  let answer;
  try {
    answer = { answer: await questions[question](argument) };
  } catch (error) {
    answer = { refused: String(error.message) };
  }
  process.stdout.write(JSON.stringify(answer, written) + "\n");
}
