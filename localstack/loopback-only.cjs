/** Preloaded into kinesis-local, which has no such settings: listens only on 127.0.0.1, and exits with its parent. */
const { Server } = require("node:net");

const listen = Reflect.get(Server.prototype, "listen");
Server.prototype.listen = function listenOnLoopback(...args) {
  const [first, ...rest] = args;
  if (typeof first === "object" && first !== null && "port" in first) {
    return listen.call(this, { ...first, host: "127.0.0.1" }, ...rest);
  }
  const port = typeof first === "function" ? 0 : first;
  return listen.call(this, { port, host: "127.0.0.1" }, ...args.filter((arg) => typeof arg === "function"));
};

const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(0), 500).unref();
