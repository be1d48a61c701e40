// A network namespace of the test's own, joined to this machine by a pair of virtual cables: another
// host, as far as TCP can tell.
import { spawnSync } from "node:child_process";

const NET = "10.213.77";

function ip(...args) {
  const run = spawnSync("ip", args, { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`ip ${args.join(" ")}: ${run.stderr ?? run.error}`);
}

export class Network {
  /** Undefined where the machine does not let us. */
  static open() {
    if (process.getuid() !== 0 || spawnSync("ip", ["netns"]).status !== 0) return undefined;
    const network = new Network();
    network.name = `fd-e2e-${process.pid}`;
    network.cable = `fde${process.pid % 100_000}`;
    ip("netns", "add", network.name);
    try {
      ip("link", "add", network.cable, "type", "veth", "peer", "name", "eth0", "netns", network.name);
      // Without an IPv6 address of its own, which comes a second or two later: a browser that hears of a new
      // address gives up the requests under way (ERR_NETWORK_CHANGED).
      ip("link", "set", network.cable, "addrgenmode", "none");
      ip("-n", network.name, "link", "set", "eth0", "addrgenmode", "none");
      ip("addr", "add", `${NET}.1/24`, "dev", network.cable);
      ip("link", "set", network.cable, "up");
      ip("-n", network.name, "addr", "add", `${NET}.2/24`, "dev", "eth0");
      ip("-n", network.name, "link", "set", "eth0", "up");
      ip("-n", network.name, "link", "set", "lo", "up");
    } catch (error) {
      network.close();
      throw error;
    }
    return network;
  }

  /** The address over there. */
  get there() {
    return `${NET}.2`;
  }

  /** What to put before a command so that it runs over there. */
  get prefix() {
    return ["ip", "netns", "exec", this.name];
  }

  close() {
    spawnSync("ip", ["link", "del", this.cable]);
    spawnSync("ip", ["netns", "del", this.name]);
  }
}
