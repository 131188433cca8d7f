"use strict";

/* What runs beside the page: trains both networks, slice by slice, and judges them. */

playground.define("worker", ({ training }) => {
  const SLICE = 40; // milliseconds of work between two looks at the messages

  /** Answers the page's messages: start, pause, resume, judge. `send(report)` reports, each time with
      the name that the page gave to the training.

      A report holds the steps done, the losses since the last one and the numbers of both
      networks; now and then the energy error of a few motions. */
  class Workshop {
    constructor(send, later, now) {
      Object.assign(this, { later, now, run: 0, paused: false, trainings: null });
      this.send = (report) => send({ ...report, name: this.name });
    }

    receive(message) {
      const { order } = message;
      if (order === "start") this.start(message.settings, message.name);
      if (order === "pause" && !this.paused) {
        this.paused = true;
        this.run += 1; // what waits to go on finds another run
      }
      if (order === "resume" && this.paused && this.trainings) {
        this.paused = false;
        const { done, settings } = this.trainings.lagrangian;
        if (done < settings.steps) this.work(this.run);
      }
      if (order === "judge" && this.trainings) this.judge(message.starts, message.seconds);
    }

    start(settings, name) {
      this.run += 1;
      this.name = name;
      this.paused = false;
      this.trainings = {};
      for (const kind of ["lagrangian", "plain"]) {
        this.trainings[kind] = new training.Training({ ...settings, kind });
      }
      this.looked = -Infinity;
      this.seconds = 0;
      this.work(this.run);
    }

    /** Trains for one slice, reports, and comes back, as long as this run is on. */
    work(run) {
      if (run !== this.run || this.paused) return;
      const { lagrangian, plain } = this.trainings, { steps } = lagrangian.settings;
      const began = this.now(), losses = { lagrangian: [], plain: [] };
      while (lagrangian.done < steps && this.now() - began < SLICE) {
        for (const each of [lagrangian, plain]) {
          const loss = each.step();
          losses[each.settings.kind].push(loss);
          if (!(loss < 1e9) || !each.model.network.parameters.every(Number.isFinite)) {
            this.run += 1;
            this.send({ news: "apart", kind: each.settings.kind, step: each.done, loss });
            return;
          }
        }
      }
      this.seconds += (this.now() - began) / 1000;
      const report = { news: "progress", done: lagrangian.done, steps, losses, seconds: this.seconds };
      report.parameters = {
        lagrangian: lagrangian.model.network.parameters.slice(),
        plain: plain.model.network.parameters.slice(),
      };
      if (lagrangian.done === steps || this.now() - this.looked > 4000) {
        report.errors = this.errors({ starts: 10, seconds: 10, dt: 0.01 });
        this.looked = this.now();
      }
      this.send(report);
      if (lagrangian.done < steps) this.later(() => this.work(run));
      else this.send({ news: "done", seconds: this.seconds });
    }

    /** What is judged, with its system: the truth, for what the steps in time cost, and both networks. */
    contestants() {
      const { system } = this.trainings.plain;
      const models = Object.entries(this.trainings).map(([kind, { model }]) => [kind, model]);
      return [["truth", system], ...models].map(([kind, model]) => ({ kind, model, system }));
    }

    /** The energy errors of all three, at once. */
    errors(protocol) {
      const found = {};
      for (const { kind, model, system } of this.contestants()) {
        const judged = new training.Protocol(system, protocol);
        judged.advance(model);
        found[kind] = judged.error();
      }
      return found;
    }

    /** The paper's protocol, in slices, with progress. */
    judge(starts, seconds) {
      const run = this.run, found = {}, contestants = this.contestants();
      const next = (index, judged) => {
        if (run !== this.run) return;
        const { kind, model, system } = contestants[index];
        const protocol = judged ?? new training.Protocol(system, { starts, seconds });
        const began = this.now();
        let over = false;
        while (!over && this.now() - began < SLICE) over = protocol.advance(model, 20);
        this.send({ news: "judging", share: (index + protocol.done / protocol.steps) / contestants.length });
        if (!over) return void this.later(() => next(index, protocol));
        found[kind] = protocol.error();
        if (index + 1 < contestants.length) this.later(() => next(index + 1));
        else this.send({ news: "judged", errors: found, starts, seconds });
      };
      next(0);
    }
  }

  /** Connects a workshop with the page: called in the worker, by the text that makes it. */
  function open(scope) {
    const channel = new MessageChannel(), waiting = [];
    channel.port1.onmessage = () => waiting.shift()();
    const later = (call) => {
      waiting.push(call);
      channel.port2.postMessage(null);
    };
    const workshop = new Workshop((message) => scope.postMessage(message), later, () => performance.now());
    scope.onmessage = (event) => workshop.receive(event.data);
  }

  return { Workshop, open };
});
