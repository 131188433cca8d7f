"use strict";

/* A page that is opened from a file may load classic scripts only, and may start a worker only
   from a Blob. So each file hands in a function: here it is called, and its own text, with that of
   the functions before it, makes the worker. */

const playground = {
  makers: [],
  modules: {},

  /** Adds what a file holds: `make` gets the modules before it and returns its own. */
  define(name, make) {
    this.makers.push([name, make]);
    this.modules[name] = make(this.modules);
  },

  /** The text of a script that defines the same modules, and no others, in a worker. */
  source(names) {
    const kept = this.makers.filter(([name]) => names.includes(name));
    const lines = kept.map(([name, make]) => `modules.${name} = (${make})(modules);`);
    return ['"use strict";', "const modules = {};", ...lines].join("\n");
  },
};
