using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .models),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const models :Workerd.Worker = (
  compatibilityDate = "2026-11-01",
  modules = [
    (name = "worker.js", esModule = embed "../../../build/edge/models/worker.js"),
    (name = "kernels.wasm", wasm = embed "../../../dist/kernels.wasm"),
    (name = "relaxed.wasm", wasm = embed "../../../dist/relaxed.wasm"),
    (name = "qwen3-tiny-q1_0.gguf", data = embed "../../goldens/qwen3-tiny-q1_0.gguf"),
  ],
);
