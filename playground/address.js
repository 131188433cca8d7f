"use strict";

/* What a link holds: the pendulum, its start, and how it is trained; each within its bounds. */

playground.define("address", () => {
  const number = (least, most, usual, step) => ({ least, most, usual, step });
  const choice = (...choices) => ({ choices, usual: choices[0] });

  /** Every setting by its name in the address. */
  const SETTINGS = {
    mass1: number(0.5, 3, 1, 0.1),
    mass2: number(0.5, 3, 1, 0.1),
    length1: number(0.5, 1.5, 1, 0.05),
    length2: number(0.5, 1.5, 1, 0.05),
    gravity: number(1, 20, 9.8, 0.1),
    angle1: number(-180, 180, 115),
    angle2: number(-180, 180, 60),
    seed: number(0, 999999, 0, 1),
    steps: choice("5000", "1000", "2000", "12000", "34000"),
    width: choice("32", "16", "24", "48", "64"),
    states: choice("both", "box", "visited"),
    offset: choice("on", "off"),
    loss: choice("bounded", "squared"),
    features: choice("sin and cos", "raw angle"),
    optimiser: choice("Muon", "Adam"),
    networks: choice("shipped", "yours"),
  };

  const usual = () =>
    Object.fromEntries(Object.entries(SETTINGS).map(([name, { usual }]) => [name, usual]));

  /** Whether a text stands for a value of a setting; returns the value, or undefined. */
  function read(name, text) {
    const { choices, least, most, step } = SETTINGS[name];
    if (choices) return choices.includes(text) ? text : undefined;
    if (!/^-?\d+(\.\d+)?$/.test(text)) return undefined;
    const value = Number(text);
    if (value < least || value > most || (step === 1 && value % 1)) return undefined;
    return value;
  }

  /** The settings that a link's hash holds, and what of it makes no sense. A hash without any "="
      is the name of a section. */
  function parse(hash) {
    const settings = usual(), refused = [];
    if (!hash.includes("=")) return { settings, refused };
    for (const part of hash.replace(/^#/, "").split("&").filter(Boolean)) {
      const [, ...words] = part.match(/^([^=]*)=?(.*)$/s);
      const [name, text] = words.map((word) => {
        try {
          return decodeURIComponent(word);
        } catch {
          return word;
        }
      });
      const value = Object.hasOwn(SETTINGS, name) ? read(name, text) : undefined;
      if (value === undefined) refused.push(part.slice(0, 40));
      else settings[name] = value;
    }
    return { settings, refused };
  }

  /** The hash of a link: only what is not as usual. */
  function write(settings) {
    const parts = Object.entries(SETTINGS)
      .filter(([name, { usual }]) => settings[name] !== usual)
      .map(([name]) => `${name}=${encodeURIComponent(settings[name])}`);
    return parts.length ? `#${parts.join("&")}` : "";
  }

  return { SETTINGS, usual, read, parse, write };
});
