// Starts the simulator on a free port, and lets a test move its clock or inject faults.
import { execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import path from "node:path";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? path.join(root, "target");

export const client = {
  clientId: "node.apps.googleusercontent.com",
  clientSecret: "node-secret",
  redirectUri: "http://localhost:3000/callback",
};

export async function startSim() {
  // As the simulator's own tests need it, so that nothing is built twice.
  const build = ["test", "--quiet", "--locked", "--workspace", "--test", "simulator", "--no-run"];
  execFileSync("cargo", build, { cwd: root, stdio: "inherit" });
  const program = spawn(path.join(target, "debug", "google-sim"), {
    env: {
      ...process.env,
      GOOGLE_SIM_ADDRESS: "127.0.0.1:0",
      GOOGLE_CLIENT_ID: client.clientId,
      GOOGLE_CLIENT_SECRET: client.clientSecret,
      GOOGLE_REDIRECT_URI: client.redirectUri,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const base = await new Promise((resolve, reject) => {
    createInterface(program.stdout).once("line", (line) => resolve(line.match(/http:\S+/)[0]));
    program.once("exit", (code) => reject(new Error(`google-sim ended with ${code}`)));
  });
  return {
    base,
    async control(operation, body = {}) {
      const answer = await fetch(`${base}/control/${operation}`, { method: "POST", body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`${operation}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
    async calls(method) {
      const counts = await (await fetch(`${base}/control/calls`)).json();
      return counts[method] ?? 0;
    },
    stop: () => program.kill(),
  };
}
