"use strict";

/* What a reader can set: a control for each setting, with its name in words. */

playground.define("fields", ({ address }) => {
  const LABELS = {
    pendulum: {
      mass1: "mass of the first bob (kg)", mass2: "mass of the second bob (kg)",
      length1: "length of the first rod (m)", length2: "length of the second rod (m)",
      gravity: "gravity (m/s²)",
    },
    training: { steps: "steps", width: "units in each of two layers", states: "states to train on", seed: "seed" },
    ingredients: {
      offset: "kinetic offset", loss: "loss", features: "the network sees each angle as", optimiser: "optimiser",
    },
  };
  const CHOICES = {
    "both": "mostly near motions", "box": "anywhere in a box", "visited": "near motions only", "squared": "squared error",
    "raw angle": "a number",
  };
  const COUNTED = ["steps", "width"];

  /** The names of the settings that make the pendulum. */
  const PENDULUM = Object.keys(LABELS.pendulum);

  /** A label with its control: a list of choices, a number, or a slider that shows its value. */
  function control(name, text) {
    const { choices, least, most, step } = address.SETTINGS[name];
    const label = document.createElement("label"), words = document.createElement("span");
    words.textContent = text;
    const input = document.createElement(choices ? "select" : "input");
    input.dataset.setting = name;
    label.append(words);
    if (choices) {
      const counted = COUNTED.includes(name);
      for (const choice of counted ? [...choices].sort((a, b) => a - b) : choices) {
        const shown = counted ? Number(choice).toLocaleString("en") : CHOICES[choice];
        input.append(new Option(shown ?? choice, choice));
      }
    } else {
      input.type = step === 1 ? "number" : "range";
      Object.assign(input, { min: least, max: most, step });
      if (input.type === "range") label.append(document.createElement("output"));
    }
    label.append(input);
    return label;
  }

  class Fields {
    /** `changed(name, text)` hears of every change, `settled()` of its end. */
    constructor(root, { changed, settled }) {
      for (const [group, labels] of Object.entries(LABELS)) {
        const box = root.querySelector(`[data-fields="${group}"]`);
        for (const [name, text] of Object.entries(labels)) box.append(control(name, text));
      }
      this.all = root.querySelectorAll("[data-setting]");
      for (const field of this.all) {
        const tell = () => changed(field.dataset.setting, field.value);
        field.addEventListener("change", () => {
          tell();
          settled();
        });
        if (field.type === "range") field.addEventListener("input", tell);
      }
    }

    /** Puts every field at its setting. */
    show(settings) {
      for (const field of this.all) {
        const value = settings[field.dataset.setting];
        field.value = value;
        const shown = field.closest("label").querySelector("output");
        if (shown) shown.textContent = value;
      }
    }
  }

  return { Fields, PENDULUM };
});
