# The same worker by workerd alone: npm run examples:workerd builds it and starts this.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .stories)],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "main")],
);

const stories :Workerd.Worker = (
  compatibilityDate = "2026-11-01",
  modules = [
    (name = "worker/worker.js", esModule = embed "../../build/examples/worker/worker.js"),
    (name = "worker/kernels.wasm", wasm = embed "../../dist/kernels.wasm"),
    (name = "worker/relaxed.wasm", wasm = embed "../../dist/relaxed.wasm"),
    (name = "model/story.onebit.safetensors", data = embed "../model/story.onebit.safetensors"),
  ],
);
