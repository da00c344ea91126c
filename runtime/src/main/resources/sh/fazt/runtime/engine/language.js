// Objects, functions, arrays, numbers and errors of ES2015 to ES2023, as far as the engine lacks them.
// Written in ES5: it is not transpiled. Runs once in every realm, before any script of an app.
(function (hooks) {
  var global = this;
  var slice = Array.prototype.slice;
  var hasOwn = Object.prototype.hasOwnProperty;
  var nativeDefine = Object.defineProperty;

  function def(target, name, value) {
    nativeDefine(target, name, { value: value, writable: true, enumerable: false, configurable: true });
  }
  function defs(target, members) {
    Object.keys(members).forEach(function (name) { def(target, name, members[name]); });
  }
  function lack(target, members) {
    Object.keys(members).forEach(function (name) {
      if (typeof target[name] !== 'function') { def(target, name, members[name]); }
    });
  }
  function isObject(value) {
    return value !== null && (typeof value === 'object' || typeof value === 'function');
  }
  function integer(value) {
    var n = Number(value);
    return n !== n ? 0 : n < 0 ? Math.ceil(n) : Math.floor(n);
  }
  function index(value, length, otherwise) {
    if (value === undefined) { return otherwise; }
    var n = integer(value);
    return n < 0 ? Math.max(length + n, 0) : Math.min(n, length);
  }
  function size(list) {
    var n = integer(list.length);
    return n > 0 ? Math.min(n, 9007199254740991) : 0;
  }
  hooks.def = def;
  hooks.defs = defs;
  hooks.lack = lack;
  hooks.integer = integer;
  hooks.index = index;
  hooks.size = size;
  hooks.isObject = isObject;

  def(global, 'globalThis', global);

  // Code made of text would have to be transpiled at run time and would defeat the deploy-time check.
  var refuse = function Function() {
    throw new EvalError('making functions from text is not supported');
  };
  refuse.prototype = Function.prototype;
  var proto = Function.prototype;
  nativeDefine(proto, 'constructor', { value: refuse, writable: false, enumerable: false, configurable: false });
  def(global, 'Function', refuse);
  def(global, 'eval', function () { throw new EvalError('eval is not supported'); });

  delete Object.bindProperties;
  delete Object.setIndexedPropertiesToExternalArrayData;
  delete Error.dumpStack;
  delete Error.prototype.printStackTrace;
  delete Error.prototype.getStackTrace;

  // Name and length of functions can't be redefined in this engine; libraries try and mean no harm.
  def(Object, 'defineProperty', function defineProperty(target, name, descriptor) {
    if (typeof target === 'function' && (name === 'name' || name === 'length')) {
      try { return nativeDefine(target, name, descriptor); } catch (e) { return target; }
    }
    return nativeDefine(target, name, descriptor);
  });

  var symbolKeys = Object.getOwnPropertySymbols || function () { return []; };
  function enumerableSymbols(object) {
    return symbolKeys(object).filter(function (key) {
      return Object.prototype.propertyIsEnumerable.call(object, key);
    });
  }
  function ownKeys(object) { return Object.getOwnPropertyNames(object).concat(symbolKeys(object)); }
  hooks.ownKeys = ownKeys;

  defs(Object, {
    assign: function assign(target) {
      if (target === null || target === undefined) { throw new TypeError('Cannot convert undefined or null to object'); }
      var to = Object(target);
      for (var i = 1; i < arguments.length; i++) {
        var from = arguments[i];
        if (from === null || from === undefined) { continue; }
        if (typeof from === 'string') { from = from.split(''); } else { from = Object(from); }
        var keys = Object.keys(from);
        for (var j = 0; j < keys.length; j++) { to[keys[j]] = from[keys[j]]; }
        var symbols = symbolKeys(from);
        if (symbols.length) {
          symbols = enumerableSymbols(from);
          for (j = 0; j < symbols.length; j++) { to[symbols[j]] = from[symbols[j]]; }
        }
      }
      return to;
    },
    values: function values(object) {
      var from = typeof object === 'string' ? object.split('') : Object(object);
      return Object.keys(from).map(function (key) { return from[key]; });
    },
    entries: function entries(object) {
      var from = typeof object === 'string' ? object.split('') : Object(object);
      return Object.keys(from).map(function (key) { return [key, from[key]]; });
    },
    fromEntries: function fromEntries(entries) {
      var object = {};
      hooks.each(entries, function (entry) { object[entry[0]] = entry[1]; });
      return object;
    },
    is: function is(a, b) { return a === b ? a !== 0 || 1 / a === 1 / b : a !== a && b !== b; },
    hasOwn: function (object, key) { return hasOwn.call(Object(object), key); },
    getOwnPropertyDescriptors: function getOwnPropertyDescriptors(object) {
      var all = {};
      ownKeys(object).forEach(function (key) { all[key] = Object.getOwnPropertyDescriptor(object, key); });
      return all;
    },
    groupBy: function groupBy(items, choose) {
      var groups = Object.create(null);
      var i = 0;
      hooks.each(items, function (item) {
        var key = choose(item, i++);
        (groups[key] || (groups[key] = [])).push(item);
      });
      return groups;
    }
  });
  hooks.spread = hooks.makeSpread(Object.assign);
  // ES5 refuses primitives here, later editions convert them.
  ['keys', 'getOwnPropertyNames', 'getPrototypeOf'].forEach(function (name) {
    var old = Object[name];
    def(Object, name, function (object) {
      if (isObject(object)) { return old(object); }
      if (object === null || object === undefined) { throw new TypeError('Cannot convert undefined or null to object'); }
      return old(typeof object === 'string' && name !== 'getPrototypeOf' ? object.split('') : Object(object));
    });
  });
  ['freeze', 'seal', 'preventExtensions'].forEach(function (name) {
    var old = Object[name];
    def(Object, name, function (object) { return isObject(object) ? old(object) : object; });
  });
  ['isFrozen', 'isSealed'].forEach(function (name) {
    var old = Object[name];
    def(Object, name, function (object) { return isObject(object) ? old(object) : true; });
  });

  // Arrays.

  function callable(f) {
    if (typeof f !== 'function') { throw new TypeError(String(f) + ' is not a function'); }
    return f;
  }
  function finder(fromEnd, wantIndex) {
    return function (test, self) {
      callable(test);
      var length = size(this);
      for (var i = fromEnd ? length - 1 : 0; fromEnd ? i >= 0 : i < length; fromEnd ? i-- : i++) {
        var value = this[i];
        if (test.call(self, value, i, this)) { return wantIndex ? i : value; }
      }
      return wantIndex ? -1 : undefined;
    };
  }
  function flatten(into, list, depth) {
    for (var i = 0, n = size(list); i < n; i++) {
      if (i in list) {
        var item = list[i];
        if (depth > 0 && Array.isArray(item)) { flatten(into, item, depth - 1); } else { into.push(item); }
      }
    }
    return into;
  }
  function copyOf(list) {
    var copy = [];
    for (var i = 0, n = size(list); i < n; i++) { copy.push(list[i]); }
    return copy;
  }

  var listMethods = {
    find: finder(false, false),
    findIndex: finder(false, true),
    findLast: finder(true, false),
    findLastIndex: finder(true, true),
    fill: function fill(value, start, end) {
      var length = size(this);
      var from = index(start, length, 0);
      var to = index(end, length, length);
      for (var i = from; i < to; i++) { this[i] = value; }
      return this;
    },
    copyWithin: function copyWithin(target, start, end) {
      var length = size(this);
      var to = index(target, length, 0);
      var part = slice.call(this, index(start, length, 0), index(end, length, length));
      for (var i = 0; i < part.length && to + i < length; i++) { this[to + i] = part[i]; }
      return this;
    },
    includes: function includes(value, start) {
      for (var i = index(start, size(this), 0), n = size(this); i < n; i++) {
        var item = this[i];
        if (item === value || item !== item && value !== value) { return true; }
      }
      return false;
    },
    at: function at(position) {
      var i = integer(position);
      return this[i < 0 ? size(this) + i : i];
    }
  };
  hooks.listMethods = listMethods;
  defs(Array.prototype, listMethods);
  defs(Array.prototype, {
    flat: function flat(depth) { return flatten([], this, depth === undefined ? 1 : integer(depth)); },
    flatMap: function flatMap(f, self) {
      callable(f);
      var list = this;
      return flatten([], copyOf(list).map(function (value, i) { return f.call(self, value, i, list); }), 1);
    },
    toReversed: function toReversed() { return copyOf(this).reverse(); },
    toSorted: function toSorted(compare) {
      if (compare !== undefined) { callable(compare); }
      return copyOf(this).sort(compare);
    },
    toSpliced: function toSpliced() {
      var copy = copyOf(this);
      copy.splice.apply(copy, arguments);
      return copy;
    },
    'with': function (position, value) {
      var copy = copyOf(this);
      var i = integer(position);
      if (i < 0) { i += copy.length; }
      if (i < 0 || i >= copy.length) { throw new RangeError('Invalid index : ' + position); }
      copy[i] = value;
      return copy;
    }
  });
  // The engine's sort is not the one of ES2019 for undefined compare results; it is stable, which is what counts.

  defs(Array, {
    of: function of() { return slice.call(arguments); },
    from: function from(items, map, self) {
      if (items === null || items === undefined) { throw new TypeError(items + ' is not iterable'); }
      if (map !== undefined) { callable(map); }
      var list = typeof this === 'function' && this !== Array && this !== undefined && this.prototype instanceof Array ? new this() : [];
      var i = 0;
      if (items[Symbol.iterator] !== undefined && items[Symbol.iterator] !== null) {
        hooks.each(items, function (item) {
          list.push(map ? map.call(self, item, i) : item);
          i++;
        });
      } else {
        var from = Object(items);
        for (var n = size(from); i < n; i++) { list.push(map ? map.call(self, from[i], i) : from[i]); }
      }
      return list;
    }
  });

  // Numbers.

  def(Number, 'EPSILON', Math.pow(2, -52));
  def(Number, 'MAX_SAFE_INTEGER', 9007199254740991);
  def(Number, 'MIN_SAFE_INTEGER', -9007199254740991);
  defs(Number, {
    isFinite: function (n) { return typeof n === 'number' && isFinite(n); },
    isNaN: function (n) { return typeof n === 'number' && n !== n; },
    isInteger: function isInteger(n) { return typeof n === 'number' && isFinite(n) && Math.floor(n) === n; },
    isSafeInteger: function isSafeInteger(n) { return Number.isInteger(n) && Math.abs(n) <= 9007199254740991; },
    parseFloat: parseFloat,
    parseInt: parseInt
  });
  var thousands = function (text) { return text.replace(/\B(?=(\d{3})+(?!\d))/g, ','); };
  def(Number.prototype, 'toLocaleString', function toLocaleString(locale, options) {
    var n = Number(this);
    if (!isFinite(n)) { return n !== n ? 'NaN' : n < 0 ? '-∞' : '∞'; }
    var least = options && options.minimumFractionDigits !== undefined ? options.minimumFractionDigits : 0;
    var most = options && options.maximumFractionDigits !== undefined ? options.maximumFractionDigits : Math.max(3, least);
    var parts = Math.abs(n).toFixed(most).split('.');
    var fraction = parts[1] || '';
    while (fraction.length > least && fraction.charAt(fraction.length - 1) === '0') { fraction = fraction.slice(0, -1); }
    return (n < 0 ? '-' : '') + thousands(parts[0]) + (fraction ? '.' + fraction : '');
  });

  var log = Math.log, exp = Math.exp, abs = Math.abs, sqrt = Math.sqrt;
  lack(Math, {
    trunc: function trunc(x) { return x < 0 ? Math.ceil(x) : Math.floor(x); },
    sign: function sign(x) { x = Number(x); return x > 0 ? 1 : x < 0 ? -1 : x; },
    cbrt: function cbrt(x) {
      if (x === 0 || !isFinite(x)) { return Number(x); }
      var r = Math.pow(abs(x), 1 / 3);
      r = r - (r * r * r - abs(x)) / (3 * r * r);
      return x < 0 ? -r : r;
    },
    log2: function log2(x) {
      var r = log(x) / Math.LN2;
      var whole = Math.round(r);
      return Math.pow(2, whole) === x ? whole : r;
    },
    log10: function log10(x) {
      var r = log(x) / Math.LN10;
      var whole = Math.round(r);
      return Math.pow(10, whole) === x ? whole : r;
    },
    log1p: function log1p(x) { x = Number(x); return abs(x) < 1e-5 ? x - x * x / 2 + x * x * x / 3 : log(1 + x); },
    expm1: function expm1(x) { x = Number(x); return abs(x) < 1e-5 ? x + x * x / 2 : exp(x) - 1; },
    sinh: function sinh(x) { return (exp(x) - exp(-x)) / 2; },
    cosh: function cosh(x) { return (exp(x) + exp(-x)) / 2; },
    tanh: function tanh(x) { var a = exp(2 * x); return a === Infinity ? 1 : (a - 1) / (a + 1); },
    asinh: function asinh(x) { return x === 0 || !isFinite(x) ? Number(x) : x > 0 ? log(x + sqrt(x * x + 1)) : -log(-x + sqrt(x * x + 1)); },
    acosh: function acosh(x) { return log(x + sqrt(x * x - 1)); },
    atanh: function atanh(x) { return log((1 + x) / (1 - x)) / 2; },
    hypot: function hypot() {
      var sum = 0;
      for (var i = 0; i < arguments.length; i++) { sum += arguments[i] * arguments[i]; }
      return sqrt(sum);
    },
    clz32: function clz32(x) {
      x = x >>> 0;
      var n = 0;
      if (!x) { return 32; }
      while (!(x & 0x80000000)) { x <<= 1; n++; }
      return n;
    },
    imul: function imul(a, b) {
      return (a & 0xffff) * b + ((a >>> 16 & 0xffff) * b << 16 >>> 0) | 0;
    },
    fround: function fround(x) { return new Float32Array([x])[0]; }
  });

  // Errors.

  var nativeCapture = Error.captureStackTrace;
  def(Error, 'captureStackTrace', function captureStackTrace(target) {
    if (isObject(target) && !(target instanceof Error)) { nativeCapture(target); }
  });
  def(Error, 'stackTraceLimit', 30);
  // Compiled subclasses assign the stack of a helper error: it shall not become enumerable.
  var nativeStack = Object.getOwnPropertyDescriptor(Error.prototype, 'stack');
  nativeDefine(Error.prototype, 'stack', {
    configurable: true,
    enumerable: false,
    get: nativeStack.get,
    set: function (value) { def(this, 'stack', value); }
  });
  var natives = {};
  function make(name, message, options) {
    var Native = natives[name];
    var error = message === undefined ? new Native() : new Native(String(message));
    if (isObject(options) && 'cause' in options) { def(error, 'cause', options.cause); }
    return error;
  }
  var errors = {
    Error: function Error(message, options) { return make('Error', message, options); },
    TypeError: function TypeError(message, options) { return make('TypeError', message, options); },
    RangeError: function RangeError(message, options) { return make('RangeError', message, options); },
    SyntaxError: function SyntaxError(message, options) { return make('SyntaxError', message, options); },
    ReferenceError: function ReferenceError(message, options) { return make('ReferenceError', message, options); },
    EvalError: function EvalError(message, options) { return make('EvalError', message, options); },
    URIError: function URIError(message, options) { return make('URIError', message, options); }
  };
  Object.keys(errors).forEach(function (name) {
    var Native = natives[name] = global[name];
    var Made = errors[name];
    Made.prototype = Native.prototype;
    def(Native.prototype, 'constructor', Made);
    if (name === 'Error') {
      def(Made, 'captureStackTrace', Native.captureStackTrace);
      def(Made, 'stackTraceLimit', 30);
    } else {
      Object.setPrototypeOf(Made, errors.Error);
    }
    def(global, name, Made);
  });
  function AggregateError(errors, message, options) {
    var error = new Error(message, options);
    Object.setPrototypeOf(error, AggregateError.prototype);
    def(error, 'errors', Array.from(errors));
    return error;
  }
  AggregateError.prototype = Object.create(Error.prototype);
  def(AggregateError.prototype, 'constructor', AggregateError);
  def(AggregateError.prototype, 'name', 'AggregateError');
  def(AggregateError.prototype, 'message', '');
  def(global, 'AggregateError', AggregateError);

  // Symbols that the engine does not have, so that code that mentions them runs.

  ['iterator', 'asyncIterator', 'hasInstance', 'isConcatSpreadable', 'match', 'matchAll', 'replace', 'search', 'species',
    'split', 'toPrimitive', 'toStringTag', 'unscopables'].forEach(function (name) {
    if (typeof Symbol[name] !== 'symbol') {
      nativeDefine(Symbol, name, { value: Symbol('Symbol.' + name), writable: false, enumerable: false, configurable: false });
    }
  });
  var nativeToString = Object.prototype.toString;
  def(Object.prototype, 'toString', function toString() {
    if (isObject(this)) {
      var tag = this[Symbol.toStringTag];
      if (typeof tag === 'string') { return '[object ' + tag + ']'; }
    }
    return nativeToString.call(this);
  });

  // Reflect.

  def(global, 'Reflect', {});
  defs(global.Reflect, {
    apply: function (f, self, list) { return callable(f).apply(self, list); },
    construct: function (f, list, target) { return hooks.construct(f, list, target); },
    defineProperty: function (object, key, descriptor) {
      try { Object.defineProperty(object, key, descriptor); return true; } catch (e) { return false; }
    },
    deleteProperty: function (object, key) { try { return delete object[key]; } catch (e) { return false; } },
    get: function get(object, key, receiver) {
      var descriptor = find(object, key);
      if (!descriptor) { return undefined; }
      return descriptor.get ? descriptor.get.call(arguments.length > 2 ? receiver : object) : descriptor.value;
    },
    set: function set(object, key, value, receiver) {
      var descriptor = find(object, key);
      var target = arguments.length > 3 ? receiver : object;
      if (descriptor && (descriptor.set || descriptor.get)) {
        if (!descriptor.set) { return false; }
        descriptor.set.call(target, value);
        return true;
      }
      if (descriptor && !descriptor.writable) { return false; }
      target[key] = value;
      return true;
    },
    getOwnPropertyDescriptor: function (object, key) { return Object.getOwnPropertyDescriptor(object, key); },
    getPrototypeOf: function (object) { return Object.getPrototypeOf(object); },
    setPrototypeOf: function (object, to) {
      try { Object.setPrototypeOf(object, to); return true; } catch (e) { return false; }
    },
    has: function (object, key) { return key in object; },
    isExtensible: function (object) { return Object.isExtensible(object); },
    preventExtensions: function (object) { Object.preventExtensions(object); return true; },
    ownKeys: ownKeys
  });
  function find(object, key) {
    for (var at = object; at !== null && at !== undefined; at = Object.getPrototypeOf(at)) {
      var descriptor = Object.getOwnPropertyDescriptor(at, key);
      if (descriptor) { return descriptor; }
    }
    return undefined;
  }
})
