// Maps, sets, weak references and typed arrays, as far as the engine lacks them.
(function (hooks) {
  var global = this;
  var def = hooks.def, defs = hooks.defs, lack = hooks.lack;

  // The engine's own maps and sets are fast but know neither subclasses nor entries made of other iterables.
  function wrap(name, fill) {
    var Native = global[name];
    var make = {
      Map: function Map(items) { return start(this, items, Map); },
      Set: function Set(items) { return start(this, items, Set); },
      WeakMap: function WeakMap(items) { return start(this, items, WeakMap); },
      WeakSet: function WeakSet(items) { return start(this, items, WeakSet); }
    }[name];
    function start(self, items, Self) {
      if (!(self instanceof Self)) { throw new TypeError('Constructor ' + name + " requires 'new'"); }
      var made = new Native();
      var proto = Object.getPrototypeOf(self);
      if (proto !== Native.prototype) { Object.setPrototypeOf(made, proto); }
      if (items !== undefined && items !== null) { hooks.each(items, function (item) { fill(made, item); }); }
      return made;
    }
    make.prototype = Native.prototype;
    def(Native.prototype, 'constructor', make);
    def(Native.prototype, Symbol.toStringTag, name);
    def(global, name, make);
  }
  function entry(map, item) {
    if (!hooks.isObject(item)) { throw new TypeError('Iterator value ' + String(item) + ' is not an entry object'); }
    map.set(item[0], item[1]);
  }
  function member(set, item) { set.add(item); }
  wrap('Map', entry);
  wrap('Set', member);
  wrap('WeakMap', entry);
  wrap('WeakSet', member);
  def(global.Map, 'groupBy', function groupBy(items, choose) {
    var groups = new global.Map();
    var i = 0;
    hooks.each(items, function (item) {
      var key = choose(item, i++);
      var group = groups.get(key);
      if (group) { group.push(item); } else { groups.set(key, [item]); }
    });
    return groups;
  });
  lack(global.Set.prototype, {
    union: function union(other) {
      var all = new global.Set(this);
      hooks.each(other.keys(), function (key) { all.add(key); });
      return all;
    },
    intersection: function intersection(other) {
      var both = new global.Set();
      this.forEach(function (key) { if (other.has(key)) { both.add(key); } });
      return both;
    },
    difference: function difference(other) {
      var rest = new global.Set();
      this.forEach(function (key) { if (!other.has(key)) { rest.add(key); } });
      return rest;
    },
    isSubsetOf: function isSubsetOf(other) {
      var fine = true;
      this.forEach(function (key) { if (!other.has(key)) { fine = false; } });
      return fine;
    }
  });

  function WeakRef(target) {
    if (!(this instanceof WeakRef)) { throw new TypeError("Constructor WeakRef requires 'new'"); }
    if (!hooks.isObject(target)) { throw new TypeError('WeakRef: target must be an object'); }
    def(this, '_target', target);
  }
  // Realms live shortly: holding on to the target until then is within what the language allows.
  def(WeakRef.prototype, 'deref', function deref() { return this._target; });
  def(global, 'WeakRef', WeakRef);

  // Iterators of arrays that the engine lacks.

  function iterator(next) {
    var made = { next: next };
    def(made, Symbol.iterator, function () { return this; });
    return made;
  }
  function listIterator(choose) {
    return function () {
      var list = this;
      var i = 0;
      return iterator(function () {
        return i < hooks.size(list) ? { value: choose(list, i++), done: false } : { value: undefined, done: true };
      });
    };
  }
  var iterators = {
    keys: listIterator(function (list, i) { return i; }),
    values: listIterator(function (list, i) { return list[i]; }),
    entries: listIterator(function (list, i) { return [i, list[i]]; })
  };
  lack(Array.prototype, iterators);

  // Typed arrays: the methods of arrays that make sense, on each of the nine.

  var fromArray = ['forEach', 'map', 'filter', 'reduce', 'reduceRight', 'some', 'every', 'indexOf', 'lastIndexOf', 'join',
    'reverse', 'sort'];
  ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
    'Float32Array', 'Float64Array'].forEach(function (name) {
    var Type = global[name];
    var proto = Type.prototype;
    lack(proto, hooks.listMethods);
    lack(proto, iterators);
    if (!proto[Symbol.iterator]) { def(proto, Symbol.iterator, proto.values); }
    fromArray.forEach(function (method) {
      if (typeof proto[method] === 'function') { return; }
      var of = Array.prototype[method];
      def(proto, method, method === 'map' || method === 'filter'
        ? function (f, self) { return new Type(of.call(Array.prototype.slice.call(this), f, self)); }
        : method === 'sort'
          ? function (compare) {
            var sorted = Array.prototype.slice.call(this).sort(compare || function (a, b) { return a - b; });
            this.set(sorted);
            return this;
          }
          : of);
    });
    lack(proto, {
      slice: function slice(start, end) {
        return new Type(Array.prototype.slice.call(this, start === undefined ? 0 : start, end === undefined ? this.length : end));
      },
      toReversed: function toReversed() { return new Type(this).reverse(); },
      toSorted: function toSorted(compare) { return new Type(this).sort(compare); }
    });
    def(proto, Symbol.toStringTag, name);
    lack(Type, {
      from: function from(items, map, self) { return new Type(Array.from(items, map, self)); },
      of: function of() { return new Type(Array.prototype.slice.call(arguments)); }
    });
  });
  hooks.bytes = function (length) { return new global.Uint8Array(length); };
})
