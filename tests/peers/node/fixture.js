// The fixture contract on the official Socket.IO server: what a server has to offer for the whole conformance
// suite to be run against it.
import { adapterOf } from "./adapters.js";
import { addContract, timings } from "./contract.js";
import { serve } from "./serve.js";

const options = {
  ...timings,
  maxHttpBufferSize: 1e6,
  // Where it is one of several nodes.
  adapter: await adapterOf(process.env),
};

serve(options, addContract);
