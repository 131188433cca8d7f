"use strict";

/* The playground's own scripts in Node: requests as a JSON list on the standard input, answers as a
   list on the standard output. For the tests, and for `benchmarks/playground.py`. */

const fs = require("fs");
const path = require("path");
const vm = require("vm");

const FOLDER = path.join(__dirname, "..", "playground");
const NAMES = [
  "modules", "matrix", "pendulum", "network", "lagrangian", "plain", "optimiser", "training",
  "worker", "address", "archive", "weights",
];
for (const name of NAMES) {
  const file = path.join(FOLDER, `${name}.js`);
  vm.runInThisContext(fs.readFileSync(file, "utf8"), { filename: file });
}
const { modules } = vm.runInThisContext("playground");
const { training, pendulum, optimiser, address, archive, weights } = modules;
const list = (array) => Array.from(array);

/** A training whose network and states are given. */
function given({ settings, parameters, q, v }) {
  const made = new training.Training({ ...settings, batch: q.length / 2 });
  made.model.network.parameters.set(parameters);
  made.q.set(q);
  made.v.set(v);
  made.system.accelerate(made.q, made.v, made.a, q.length / 2);
  return made;
}

const ANSWERS = {
  /** What a model makes of states, its loss and its gradient. */
  values(request) {
    const made = given(request), { model, q, v, predicted } = made, n = q.length / 2;
    model.accelerate(q, v, predicted, n);
    const loss = made.judge(), found = { truth: list(made.a), acceleration: list(predicted), loss };
    if (made.settings.kind === "lagrangian") {
      const { mass, value } = model.room(n);
      Object.assign(found, { mass: list(mass), value: list(value) });
    }
    found.gradient = list(model.gradient(v, made.adjoint, n));
    if (made.settings.kind === "lagrangian") {
      found.energy = Array.from({ length: n }, (_, i) => model.energy(q.slice(2 * i, 2 * i + 2), v.slice(2 * i, 2 * i + 2)));
    }
    return found;
  },

  /** The parameters after steps along given gradients. */
  optimiser({ sizes, parameters, gradients, kind, peak, steps }) {
    const network = new modules.network.Network(sizes);
    network.parameters.set(parameters);
    const made = new optimiser.Optimiser(network, { kind, peak, steps });
    return gradients.map((gradient) => {
      made.step(Float64Array.from(gradient));
      return list(network.parameters);
    });
  },

  /** Losses of the first steps, and the parameters after them. */
  train({ settings, steps }) {
    const made = new training.Training(settings), losses = [];
    for (let k = 0; k < steps; k++) losses.push(made.step());
    return { losses, parameters: list(made.model.network.parameters) };
  },

  /** The states of the first batches. */
  draw({ settings, batches }) {
    const made = new training.Training(settings), found = [];
    for (let k = 0; k < batches; k++) {
      made.draw();
      found.push([list(made.q), list(made.v)]);
    }
    return found;
  },

  /** A whole training and what the paper's protocol says of it; the training's seconds by the
      clock and of the processor, which counts only its own. */
  judged({ settings, protocol }) {
    const made = new training.Training(settings);
    const began = performance.now(), used = process.cpuUsage();
    let loss = 0;
    for (let k = 0; k < made.settings.steps; k++) loss = made.step();
    const seconds = (performance.now() - began) / 1000, { user, system } = process.cpuUsage(used);
    const judge = new training.Protocol(made.system, protocol);
    judge.advance(made.model);
    return { seconds, processor: (user + system) / 1e6, loss, error: judge.error() };
  },

  /** The energy error of the true pendulum: what the steps in time get wrong. */
  floor({ pendulum: settings, protocol }) {
    const system = new pendulum.DoublePendulum(settings);
    const judge = new training.Protocol(system, protocol);
    judge.advance(system);
    return judge.error();
  },

  /** The best and the median of the milliseconds of a step. */
  pace({ settings, steps }) {
    const made = new training.Training(settings), times = [];
    for (let k = 0; k < steps; k++) {
      const began = performance.now();
      made.step();
      times.push(performance.now() - began);
    }
    times.sort((a, b) => a - b);
    return { best: times[0], median: times[Math.floor(steps / 2)] };
  },

  /** A motion: every `every`-th frame, rows (q₁, q₂, q̇₁, q̇₂). */
  motion({ model, pendulum: settings, start, dt, steps, every }) {
    const mover = model === "truth" ? new pendulum.DoublePendulum(settings) : weights[model];
    const q = Float64Array.from(start.slice(0, 2)), v = Float64Array.from(start.slice(2));
    const rows = [], runge = new pendulum.RungeKutta(1);
    for (let k = 1; k <= steps; k++) {
      runge.step(mover, q, v, dt);
      if (k % every === 0) rows.push([...q, ...v]);
    }
    return rows;
  },

  energy({ pendulum: settings, q, v }) {
    const system = new pendulum.DoublePendulum(settings);
    return Array.from({ length: q.length / 2 }, (_, i) => system.energy(q, v, i));
  },

  parse: ({ hash }) => address.parse(hash),
  write: ({ settings }) => address.write({ ...address.usual(), ...settings }),

  /** The bytes of a saved network, as base64. */
  async pack({ settings, parameters }) {
    const chosen = { ...training.DEFAULTS, ...settings };
    const model = training.create(chosen, new pendulum.DoublePendulum(chosen.pendulum));
    model.network.parameters.set(parameters);
    return Buffer.from(await archive.pack(chosen, model, {})).toString("base64");
  },

  /** What a workshop reports of orders, each given after so many reports. */
  workshop({ orders }) {
    const reports = [], waiting = [];
    const later = (call) => waiting.push(call);
    const made = new modules.worker.Workshop((report) => reports.push(report), later, () => performance.now());
    let given = 0;
    for (let k = 0; k < 10000; k++) {
      if (given < orders.length && reports.length >= orders[given].after) made.receive(orders[given++].message);
      if (!waiting.length && given === orders.length) break;
      if (waiting.length) waiting.shift()();
      else if (reports.length < (orders[given]?.after ?? 0)) orders[given].after = reports.length;
    }
    return reports.map(({ parameters, ...report }) => ({
      ...report, parameters: parameters && list(parameters.lagrangian),
    }));
  },
};

async function main() {
  const requests = JSON.parse(fs.readFileSync(0, "utf8")), answers = [];
  for (const { ask, ...request } of requests) answers.push(await ANSWERS[ask](request));
  process.stdout.write(JSON.stringify(answers, (_, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value)));
}

main();
