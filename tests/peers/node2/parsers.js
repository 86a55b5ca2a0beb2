// The official parsers of Socket.IO 2 and Engine.IO 3, asked by lines as those of ../node/parsers.js are: each line is a JSON
// array of a question and its argument, each answer a line of JSON. Bytes are written { "$b64": "…" }.
const { createInterface } = require("readline");
const engine = require("engine.io-parser");
const hasBinary = require("has-binary2");
const { Decoder, Encoder, EVENT, ACK, BINARY_EVENT, BINARY_ACK } = require("socket.io-parser");

const bytesOf = (_, value) => (typeof value?.$b64 === "string" ? Buffer.from(value.$b64, "base64") : value);

function written(key, value) {
  // Not `value`: a Buffer has become an object with its numbers by then.
  const bytes = this[key];
  return Buffer.isBuffer(bytes) ? { $b64: bytes.toString("base64") } : value;
}

const binaryTypes = { [EVENT]: BINARY_EVENT, [ACK]: BINARY_ACK };
// A packet keeps the type that it had on the wire here.
const plainTypes = { [BINARY_EVENT]: EVENT, [BINARY_ACK]: ACK };

const questions = {
  encode: (packet) => {
    const type = hasBinary(packet.data) ? binaryTypes[packet.type] : packet.type;
    return new Promise((resolve) => new Encoder().encode({ ...packet, type }, resolve));
  },
  decode: (messages) => {
    const packets = [];
    const decoder = new Decoder();
    decoder.on("decoded", (packet) => packets.push({ ...packet, type: plainTypes[packet.type] ?? packet.type }));
    messages.forEach((message) => decoder.add(message));
    return packets;
  },
  // The form of text, and that of bytes where there are any.
  encodeText: (packets) => new Promise((resolve) => engine.encodePayload(packets, false, resolve)),
  encodeAny: (packets) => new Promise((resolve) => engine.encodePayload(packets, true, resolve)),
  encodeBytes: (packets) => new Promise((resolve) => engine.encodePayloadAsBinary(packets, resolve)),
  decodePayload: (body) => {
    const packets = [];
    engine.decodePayload(body, (packet) => {
      packets.push(packet);
    });
    return packets;
  },
};

(async () => {
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
})();
