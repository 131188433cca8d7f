"use strict";

/* Drawing: pendulums that swing, and curves. Sharp at any density, in the colours of the page. */

playground.define("view", () => {
  /** The colours of the three pendulums, as the style sheet names them. */
  const COLOURS = { truth: "--truth", lagrangian: "--lnn", plain: "--plain" };

  /** A share as a percentage in words: two digits, and no more where there is no sense in them. */
  const percent = (share) => {
    const value = 100 * share, size = Math.abs(value);
    if (!(size < 1000)) return "more than 1000";
    if (size < 0.0005) return "0.000";
    return String(Number(size < 0.1 ? value.toFixed(3) : value.toPrecision(2))).replace("-", "−");
  };

  /** A canvas as large as its box, in CSS pixels, whatever the screen's density. */
  function prepare(canvas) {
    const { clientWidth: width, clientHeight: height } = canvas;
    const density = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * density) || canvas.height !== Math.round(height * density)) {
      canvas.width = Math.round(width * density);
      canvas.height = Math.round(height * density);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(density, 0, 0, density, 0, 0);
    pen.clearRect(0, 0, width, height);
    return [pen, width, height];
  }

  /** A colour that the style sheet names, such as "--lnn". */
  const colour = (canvas, name) => getComputedStyle(canvas).getPropertyValue(name).trim();

  /** A double pendulum in its frame: where its bobs are, in pixels, and back. */
  class Stage {
    constructor(canvas, name) {
      Object.assign(this, { canvas, name, trace: [] });
    }

    scale(system) {
      const { clientWidth: width, clientHeight: height } = this.canvas;
      const reach = 1.12 * (system.length1 + system.length2);
      return { x: width / 2, y: height / 2, metre: Math.min(width, height) / 2 / reach };
    }

    bobs(system, q) {
      const { x, y, metre } = this.scale(system);
      const x1 = x + metre * system.length1 * Math.sin(q[0]);
      const y1 = y + metre * system.length1 * Math.cos(q[0]);
      return [
        [x1, y1],
        [x1 + metre * system.length2 * Math.sin(q[1]), y1 + metre * system.length2 * Math.cos(q[1])],
      ];
    }

    /** Which bob lies under a point, or null; a finger needs a wide target. */
    grabbed(system, q, x, y) {
      const far = this.bobs(system, q).map(([bx, by]) => Math.hypot(bx - x, by - y));
      const nearest = far[1] <= far[0] ? 1 : 0;
      return far[nearest] < 32 ? nearest : null;
    }

    /** The angle that puts a bob as near as can be to a point. */
    angle(system, q, bob, x, y) {
      const { x: x0, y: y0 } = this.scale(system);
      const [px, py] = bob === 0 ? [x0, y0] : this.bobs(system, q)[0];
      return Math.atan2(x - px, y - py);
    }

    /** Adds where the second bob is, in metres, to its trace. */
    mark(system, q) {
      const { length1, length2 } = system;
      this.trace.push([
        length1 * Math.sin(q[0]) + length2 * Math.sin(q[1]),
        length1 * Math.cos(q[0]) + length2 * Math.cos(q[1]),
      ]);
      if (this.trace.length > 240) this.trace.shift();
    }

    draw(system, q, { chosen = null } = {}) {
      const [pen, width, height] = prepare(this.canvas), small = Math.min(1, width / 200, height / 200);
      const { x, y, metre } = this.scale(system), points = this.bobs(system, q);
      const ink = colour(this.canvas, this.name), faint = colour(this.canvas, "--faint");
      pen.lineCap = pen.lineJoin = "round";
      pen.strokeStyle = ink;
      pen.globalAlpha = 0.35;
      pen.lineWidth = 1.5;
      pen.beginPath();
      for (const [tx, ty] of this.trace) pen.lineTo(x + metre * tx, y + metre * ty);
      pen.stroke();
      pen.globalAlpha = 1;
      pen.fillStyle = faint;
      pen.fillRect(x - 4, y - 4, 8, 8);
      pen.lineWidth = 3;
      pen.beginPath();
      pen.moveTo(x, y);
      for (const [px, py] of points) pen.lineTo(px, py);
      pen.stroke();
      points.forEach(([px, py], bob) => {
        const mass = bob === 0 ? system.mass1 : system.mass2;
        const radius = small * (8 + 4 * Math.cbrt(mass));
        pen.fillStyle = ink;
        pen.beginPath();
        pen.arc(px, py, radius, 0, 2 * Math.PI);
        pen.fill();
        if (bob === chosen) {
          pen.strokeStyle = faint;
          pen.beginPath();
          pen.arc(px, py, radius + 6, 0, 2 * Math.PI);
          pen.stroke();
        }
      });
    }
  }

  /** Round numbers of an axis between two values. */
  function ticks(least, most, about) {
    const raw = (most - least) / about, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].find((nice) => nice * power >= raw) * power;
    const found = [];
    for (let k = Math.ceil(least / step); k * step <= most; k++) found.push(k * step);
    return found;
  }

  const printed = (value) => {
    const digits = Math.abs(value) >= 10000 ? value.toLocaleString("en") : String(Number(value.toPrecision(3)));
    return digits.replace("-", "−");
  };

  /** Curves over a common axis: {name: [[x, y], …]}; `logarithmic` is about y. */
  class Chart {
    constructor(canvas, { xLabel, yLabel, logarithmic = false }) {
      Object.assign(this, { canvas, xLabel, yLabel, logarithmic });
    }

    /** `until` is the end of the x axis; y goes no further than `within` either way. */
    draw(curves, { until = 1, within = Infinity } = {}) {
      const [pen, width, height] = prepare(this.canvas);
      const left = 72, right = 24, top = 10, bottom = 44;
      const value = this.logarithmic ? (y) => Math.log10(Math.max(y, 1e-9)) : (y) => y;
      const all = Object.values(curves).flatMap((curve) => curve.map(([, y]) => value(y)));
      const finite = all.filter(Number.isFinite);
      let least = Math.max(Math.min(...(finite.length ? finite : [0])), -within);
      let most = Math.min(Math.max(...(finite.length ? finite : [1])), within);
      if (this.logarithmic) {
        least = Math.floor(least);
        most = Math.max(Math.ceil(most), least + 1);
      } else {
        const middle = (least + most) / 2, half = 0.58 * Math.max(most - least, 0.1);
        least = middle - half;
        most = middle + half;
      }
      const px = (x) => left + ((width - left - right) * x) / until;
      const py = (y) => height - bottom - ((height - top - bottom) * (y - least)) / (most - least);
      const ink = colour(this.canvas, "--ink"), faint = colour(this.canvas, "--grid");
      pen.font = `13px ${getComputedStyle(this.canvas).fontFamily}`;
      pen.fillStyle = ink;
      pen.strokeStyle = faint;
      pen.lineWidth = 1;
      const lines = this.logarithmic
        ? Array.from({ length: most - least + 1 }, (_, k) => least + k)
        : ticks(least, most, 4);
      pen.textAlign = "right";
      pen.textBaseline = "middle";
      for (const y of lines) {
        pen.beginPath();
        pen.moveTo(left, py(y));
        pen.lineTo(width - right, py(y));
        pen.stroke();
        pen.fillText(printed(this.logarithmic ? 10 ** y : y), left - 6, py(y));
      }
      pen.textAlign = "center";
      pen.textBaseline = "top";
      for (const x of ticks(0, until, width < 500 ? 3 : 6)) pen.fillText(printed(x), px(x), height - bottom + 6);
      pen.fillText(this.xLabel, left + (width - left - right) / 2, height - 18);
      pen.save();
      pen.translate(12, top + (height - top - bottom) / 2);
      pen.rotate(-Math.PI / 2);
      pen.textBaseline = "middle";
      pen.fillText(this.yLabel, 0, 0);
      pen.restore();
      pen.save();
      pen.beginPath();
      pen.rect(left, top, width - left - right, height - top - bottom);
      pen.clip();
      pen.lineWidth = 2;
      for (const [name, curve] of Object.entries(curves)) {
        pen.strokeStyle = colour(this.canvas, name);
        pen.beginPath();
        for (const [x, y] of curve) if (Number.isFinite(value(y))) pen.lineTo(px(x), py(value(y)));
        pen.stroke();
      }
      pen.restore();
    }
  }

  return { COLOURS, percent, Stage, Chart };
});
