"use strict";

/* A trained network as a file that `lnn_tutorial.store.load_model` opens: an .npz, that is a zip of
   arrays, beside a header that says what they are. */

playground.define("archive", () => {
  const bytes = (text) => new TextEncoder().encode(text);

  /** The check sum that a zip wants of each of its files. */
  function crc32(data) {
    let crc = ~0;
    for (const byte of data) {
      crc ^= byte;
      for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc >>> 0;
  }

  const little = (size, value) =>
    Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) & 255);

  function join(parts) {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  /** A zip of files that are not compressed: [[name, data], …]. */
  function zip(files) {
    const local = [], central = [];
    let at = 0;
    for (const [name, data] of files) {
      const title = bytes(name);
      // Version, no flags, stored, 1 January 1980; check sum and sizes; lengths of the names.
      const facts = [little(2, 20), little(2, 0), little(2, 0), little(2, 0), little(2, 33),
        little(4, crc32(data)), little(4, data.length), little(4, data.length),
        little(2, title.length), little(2, 0)];
      const entry = join([little(4, 0x04034b50), ...facts, title, data]);
      central.push(join([little(4, 0x02014b50), little(2, 20), ...facts, little(2, 0), little(2, 0),
        little(2, 0), little(4, 0), little(4, at), title]));
      local.push(entry);
      at += entry.length;
    }
    const directory = join(central);
    const end = [little(4, 0x06054b50), little(4, 0), little(2, files.length), little(2, files.length),
      little(4, directory.length), little(4, at), little(2, 0)];
    return join([...local, directory, ...end]);
  }

  /** NumPy's file of one array. */
  function npy(kind, shape, data) {
    const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
    const text = `{'descr': '${kind}', 'fortran_order': False, 'shape': ${tuple}, }`;
    const padded = text.padEnd(64 * Math.ceil((text.length + 11) / 64) - 11) + "\n";
    return join([Uint8Array.of(0x93), bytes("NUMPY"), Uint8Array.of(1, 0), little(2, padded.length),
      bytes(padded), data]);
  }

  /** The arguments of the package's model for one that was trained here. */
  function description(settings, model) {
    const lagrangian = settings.kind === "lagrangian";
    const own = lagrangian
      ? { kinetic_offset: model.kineticOffset }
      : { acceleration_scale: model.accelerationScale };
    return {
      kind: lagrangian ? "LNN" : "PlainNetwork",
      arguments: {
        dim: 2, angles: [true, true], velocity_scale: model.features.velocityScale,
        angle_features: settings.features === "raw angle" ? "wrapped" : "trig",
        width: settings.width, depth: settings.depth, activation: "silu", ...own,
      },
    };
  }

  /** The bytes of the file, in single precision. */
  async function pack(settings, model, facts) {
    const { network } = model, arrays = [];
    for (let l = 0; l < network.layers; l++) {
      const [rows, columns] = network.sizes.slice(l, l + 2);
      arrays.push([`[${l}]['bias']`, [columns], network.biases[l]]);
      arrays.push([`[${l}]['weight']`, [rows, columns], network.weights[l]]);
    }
    const files = [], digested = [];
    for (const [name, shape, values] of arrays) {
      const data = new Uint8Array(Float32Array.from(values).buffer);
      const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
      digested.push(bytes(`${name} <f4 ${tuple} `), data);
      files.push([`${name}.npy`, npy("<f4", shape, data)]);
    }
    const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", join(digested)));
    const header = {
      ...facts, model: description(settings, model), format: "lnn_tutorial 1",
      checksum: Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    };
    const text = bytes(JSON.stringify(header));
    return zip([["header.json.npy", npy("|u1", [text.length], text)], ...files]);
  }

  return { pack };
});
