// What scripts know from browsers and from Node: timers, texts as bytes, addresses, chance. And what the host needs to
// show values and requests.
(function (hooks) {
  var global = this;
  var def = hooks.def, defs = hooks.defs;

  // Timers.

  function timer(repeat) {
    return function (f, delay) {
      if (typeof f !== 'function') { throw new TypeError('a timer needs a function'); }
      var rest = Array.prototype.slice.call(arguments, 2);
      return hooks.schedule(rest.length ? function () { f.apply(undefined, rest); } : function () { f(); }, Number(delay), repeat);
    };
  }
  defs(global, {
    setTimeout: timer(false),
    setInterval: timer(true),
    setImmediate: function setImmediate(f) {
      var rest = Array.prototype.slice.call(arguments, 1);
      return hooks.schedule(function () { f.apply(undefined, rest); }, 0, false);
    },
    clearTimeout: function clearTimeout(id) { hooks.cancel(id); },
    clearInterval: function clearInterval(id) { hooks.cancel(id); },
    clearImmediate: function clearImmediate(id) { hooks.cancel(id); }
  });
  var start = hooks.nanos();
  def(global, 'performance', {});
  def(global.performance, 'now', function now() { return Math.round((hooks.nanos() - start) / 1000) / 1000; });

  // Texts and bytes.

  function toBytes(latin) {
    var bytes = new Uint8Array(latin.length);
    for (var i = 0; i < latin.length; i++) { bytes[i] = latin.charCodeAt(i); }
    return bytes;
  }
  function view(data) {
    if (data instanceof ArrayBuffer) { return new Uint8Array(data); }
    if (data && data.buffer instanceof ArrayBuffer) { return new Uint8Array(data.buffer, data.byteOffset, data.byteLength); }
    throw new TypeError('expected an ArrayBuffer or a typed array');
  }
  function TextEncoder() {
    if (!(this instanceof TextEncoder)) { throw new TypeError("Constructor TextEncoder requires 'new'"); }
  }
  def(TextEncoder.prototype, 'encoding', 'utf-8');
  def(TextEncoder.prototype, 'encode', function encode(s) { return toBytes(hooks.encode(s === undefined ? '' : String(s))); });
  def(global, 'TextEncoder', TextEncoder);
  function TextDecoder(label, options) {
    if (!(this instanceof TextDecoder)) { throw new TypeError("Constructor TextDecoder requires 'new'"); }
    if (label !== undefined && !/^\s*(utf-?8|unicode-1-1-utf-8)\s*$/i.test(label)) {
      throw new RangeError("The encoding label '" + label + "' is not supported: use utf-8");
    }
    def(this, 'fatal', !!(options && options.fatal));
    def(this, '_keepMark', !!(options && options.ignoreBOM));
  }
  def(TextDecoder.prototype, 'encoding', 'utf-8');
  def(TextDecoder.prototype, 'decode', function decode(data) {
    if (data === undefined) { return ''; }
    var s = hooks.decode(hooks.latin(view(data)), this.fatal);
    return !this._keepMark && s.charCodeAt(0) === 0xfeff ? s.slice(1) : s;
  });
  def(global, 'TextDecoder', TextDecoder);
  def(global, 'btoa', function btoa(s) {
    var made = hooks.base64(String(s));
    if (made === undefined) { throw new RangeError('btoa: the text contains characters beyond Latin-1'); }
    return made;
  });
  def(global, 'atob', function atob(s) {
    var made = hooks.unbase64(String(s));
    if (made === undefined) { throw new RangeError('atob: the text is not correctly encoded'); }
    return made;
  });

  // Chance.

  def(global, 'crypto', {});
  defs(global.crypto, {
    getRandomValues: function getRandomValues(array) {
      var bytes = view(array);
      var made = hooks.random(bytes.length);
      if (made === undefined) { throw new RangeError('getRandomValues: at most 65536 bytes at a time'); }
      for (var i = 0; i < bytes.length; i++) { bytes[i] = made.charCodeAt(i); }
      return array;
    },
    randomUUID: function randomUUID() {
      var bytes = toBytes(hooks.random(16));
      bytes[6] = bytes[6] & 0x0f | 0x40;
      bytes[8] = bytes[8] & 0x3f | 0x80;
      var hex = '';
      for (var i = 0; i < 16; i++) {
        hex += (i === 4 || i === 6 || i === 8 || i === 10 ? '-' : '') + (bytes[i] < 16 ? '0' : '') + bytes[i].toString(16);
      }
      return hex;
    }
  });

  // Copies.

  def(global, 'structuredClone', function structuredClone(value) {
    var seen = new Map();
    function copy(v) {
      if (!hooks.isObject(v)) {
        if (typeof v === 'symbol') { throw new TypeError('a symbol can not be cloned'); }
        return v;
      }
      if (typeof v === 'function') { throw new TypeError('a function can not be cloned'); }
      if (seen.has(v)) { return seen.get(v); }
      var made;
      if (Array.isArray(v)) {
        made = [];
        seen.set(v, made);
        for (var i = 0; i < v.length; i++) { made[i] = copy(v[i]); }
        return made;
      }
      if (v instanceof Date) { return new Date(v.getTime()); }
      if (v instanceof RegExp) { return new RegExp(v.source, v.flags); }
      if (v instanceof ArrayBuffer) { return v.slice(0); }
      if (v.buffer instanceof ArrayBuffer) { return new v.constructor(v); }
      if (v instanceof Map) {
        made = new Map();
        seen.set(v, made);
        v.forEach(function (item, key) { made.set(copy(key), copy(item)); });
        return made;
      }
      if (v instanceof Set) {
        made = new Set();
        seen.set(v, made);
        v.forEach(function (item) { made.add(copy(item)); });
        return made;
      }
      if (v instanceof Error) {
        made = new (global[v.name] && global[v.name].prototype instanceof Error ? global[v.name] : Error)(v.message);
        seen.set(v, made);
        return made;
      }
      made = {};
      seen.set(v, made);
      Object.keys(v).forEach(function (key) { made[key] = copy(v[key]); });
      return made;
    }
    return copy(value);
  });

  // Addresses.

  function encodeForm(s) {
    return encodeURIComponent(s.replace(/[\ud800-\udbff](?![\udc00-\udfff])/g, '\ufffd').replace(/(^|[^\ud800-\udbff])[\udc00-\udfff]/g, '$1\ufffd'))
      .replace(/%20/g, '+').replace(/[!'()~]/g, function (c) { return '%' + c.charCodeAt(0).toString(16).toUpperCase(); });
  }
  function decodeForm(s) {
    var latin = hooks.encode(s.replace(/\+/g, ' ')).replace(/%([0-9a-fA-F]{2})/g, function (all, hex) {
      return String.fromCharCode(parseInt(hex, 16));
    });
    return hooks.decode(latin, false);
  }
  function URLSearchParams(init) {
    if (!(this instanceof URLSearchParams)) { throw new TypeError("Constructor URLSearchParams requires 'new'"); }
    def(this, '_list', []);
    def(this, '_url', null);
    var list = this._list;
    if (init === undefined || init === null) { return; }
    if (typeof init === 'object' && typeof init[Symbol.iterator] === 'function') {
      hooks.each(init, function (pair) { list.push([String(pair[0]), String(pair[1])]); });
    } else if (typeof init === 'object') {
      Object.keys(init).forEach(function (key) { list.push([key, String(init[key])]); });
    } else {
      parseForm(list, String(init));
    }
  }
  function parseForm(list, s) {
    s.replace(/^\?/, '').split('&').forEach(function (part) {
      if (part === '') { return; }
      var at = part.indexOf('=');
      list.push([decodeForm(at < 0 ? part : part.slice(0, at)), at < 0 ? '' : decodeForm(part.slice(at + 1))]);
    });
  }
  function changed(params) {
    if (params._url) { params._url._query = String(params); }
  }
  function pairs(choose) {
    return function () { return this._list.map(choose)[Symbol.iterator](); };
  }
  defs(URLSearchParams.prototype, {
    append: function append(name, value) { this._list.push([String(name), String(value)]); changed(this); },
    'delete': function (name) { keep(this, function (pair) { return pair[0] !== String(name); }); },
    get: function get(name) {
      var pair = this._list.find(function (p) { return p[0] === String(name); });
      return pair ? pair[1] : null;
    },
    getAll: function getAll(name) {
      return this._list.filter(function (p) { return p[0] === String(name); }).map(function (p) { return p[1]; });
    },
    has: function has(name) { return this._list.some(function (p) { return p[0] === String(name); }); },
    set: function set(name, value) {
      var done = false;
      this._list.forEach(function (p) { if (!done && p[0] === String(name)) { p[1] = String(value); done = p; } });
      if (done) {
        keep(this, function (p) { return p === done || p[0] !== String(name); });
      } else {
        this.append(name, value);
      }
    },
    sort: function sort() {
      this._list.sort(function (a, b) { return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0; });
      changed(this);
    },
    forEach: function forEach(f, self) { this._list.forEach(function (p) { f.call(self, p[1], p[0], this); }, this); },
    keys: pairs(function (p) { return p[0]; }),
    values: pairs(function (p) { return p[1]; }),
    entries: pairs(function (p) { return [p[0], p[1]]; }),
    toString: function toString() {
      return this._list.map(function (p) { return encodeForm(p[0]) + '=' + encodeForm(p[1]); }).join('&');
    }
  });
  function keep(params, test) {
    var rest = params._list.filter(test);
    params._list.length = 0;
    Array.prototype.push.apply(params._list, rest);
    changed(params);
  }
  def(URLSearchParams.prototype, Symbol.iterator, URLSearchParams.prototype.entries);
  Object.defineProperty(URLSearchParams.prototype, 'size', { configurable: true, get: function () { return this._list.length; } });
  def(global, 'URLSearchParams', URLSearchParams);

  var PORTS = { 'http:': '80', 'https:': '443', 'ws:': '80', 'wss:': '443', 'ftp:': '21' };
  var WHOLE = /^([a-zA-Z][a-zA-Z0-9+.-]*:)(?:\/\/((?:[^\/?#@]*@)?)(\[[0-9a-fA-F:.]+\]|[^\/?#:@\[\]]*)(?::(\d{0,5}))?)?([^?#]*)(\?[^#]*)?(#[\s\S]*)?$/;
  function invalid(s) {
    var error = new TypeError('Invalid URL: ' + s);
    error.code = 'ERR_INVALID_URL';
    return error;
  }
  function escaped(s, not) {
    return s.replace(not, function (c) {
      var latin = hooks.encode(c), out = '';
      for (var i = 0; i < latin.length; i++) {
        out += '%' + (latin.charCodeAt(i) < 16 ? '0' : '') + latin.charCodeAt(i).toString(16).toUpperCase();
      }
      return out;
    });
  }
  function normalPath(path, special) {
    if (special) { path = path.replace(/\\/g, '/'); }
    var parts = path.split('/'), out = [];
    parts.forEach(function (part, i) {
      var last = i === parts.length - 1;
      if (/^(\.|%2e)$/i.test(part)) {
        if (last) { out.push(''); }
      } else if (/^(\.|%2e){2}$/i.test(part)) {
        if (out.length > 1) { out.pop(); }
        if (last) { out.push(''); }
      } else {
        out.push(part);
      }
    });
    path = escaped(out.join('/'), /[\u0000-\u0020"<>`{}\u007f-\ud7ff\ue000-\uffff]|[\ud800-\udbff][\udc00-\udfff]/g);
    return special && path.charAt(0) !== '/' ? '/' + path : path;
  }
  function URL(address, base) {
    if (!(this instanceof URL)) { throw new TypeError("Constructor URL requires 'new'"); }
    var s = String(address).trim();
    var parts = WHOLE.exec(s);
    if (!parts) {
      if (base === undefined) { throw invalid(s); }
      s = join(new URL(base), s);
      parts = WHOLE.exec(s);
      if (!parts) { throw invalid(s); }
    }
    var protocol = parts[1].toLowerCase();
    var special = PORTS[protocol] !== undefined || protocol === 'file:';
    if (special && protocol !== 'file:' && !parts[3]) { throw invalid(s); }
    if (parts[4] && Number(parts[4]) > 65535) { throw invalid(s); }
    if (special && parts[3] && /[\s<>^|%"`{}\\]/.test(parts[3])) { throw invalid(s); }
    var user = (parts[2] || '').replace(/@$/, '');
    var colon = user.indexOf(':');
    def(this, '_protocol', protocol);
    def(this, '_special', special);
    def(this, '_user', colon < 0 ? user : user.slice(0, colon));
    def(this, '_password', colon < 0 ? '' : user.slice(colon + 1));
    def(this, '_host', parts[3] === undefined ? null : special ? parts[3].toLowerCase() : parts[3]);
    def(this, '_port', parts[4] && parts[4] !== PORTS[protocol] ? String(Number(parts[4])) : '');
    def(this, '_path', this._host === null && !special ? parts[5] : normalPath(parts[5], special));
    def(this, '_query', query(parts[6]));
    def(this, '_hash', hash(parts[7]));
    def(this, '_params', null);
  }
  function query(s) {
    s = (s || '').replace(/^\?/, '');
    return escaped(s, /[\u0000-\u0020"'<>\u007f-\ud7ff\ue000-\uffff]|[\ud800-\udbff][\udc00-\udfff]/g);
  }
  function hash(s) {
    s = (s || '').replace(/^#/, '');
    return escaped(s, /[\u0000-\u0020"<>`\u007f-\ud7ff\ue000-\uffff]|[\ud800-\udbff][\udc00-\udfff]/g);
  }
  function join(base, s) {
    var origin = base._protocol + (base._host === null ? '' : '//' + authority(base));
    if (s.slice(0, 2) === '//') { return base._protocol + s; }
    if (s.charAt(0) === '/') { return origin + s; }
    if (s.charAt(0) === '?') { return origin + base._path + s; }
    if (s.charAt(0) === '#' || s === '') { return origin + base._path + base.search + s; }
    return origin + base._path.replace(/[^\/]*$/, '') + s;
  }
  function authority(url) {
    var user = url._user + (url._password ? ':' + url._password : '');
    return (user ? user + '@' : '') + (url._host === null ? '' : url._host) + (url._port ? ':' + url._port : '');
  }
  function part(name, get, set) {
    Object.defineProperty(URL.prototype, name, { configurable: true, enumerable: true, get: get, set: set });
  }
  part('protocol', function () { return this._protocol; }, function (v) { this._protocol = String(v).replace(/:?$/, ':').toLowerCase(); });
  part('username', function () { return this._user; }, function (v) { this._user = encodeURIComponent(v); });
  part('password', function () { return this._password; }, function (v) { this._password = encodeURIComponent(v); });
  part('hostname', function () { return this._host || ''; }, function (v) { this._host = String(v).toLowerCase(); });
  part('port', function () { return this._port; }, function (v) {
    v = String(v);
    this._port = v === PORTS[this._protocol] ? '' : v;
  });
  part('host', function () { return (this._host || '') + (this._port ? ':' + this._port : ''); }, function (v) {
    var pieces = /^(\[.*\]|[^:]*)(?::(\d*))?$/.exec(String(v));
    if (pieces) {
      this._host = pieces[1].toLowerCase();
      if (pieces[2] !== undefined) { this.port = pieces[2]; }
    }
  });
  part('origin', function () { return PORTS[this._protocol] ? this._protocol + '//' + this.host : 'null'; }, undefined);
  part('pathname', function () { return this._path; }, function (v) { this._path = normalPath(String(v), this._special); });
  part('search', function () { return this._query ? '?' + this._query : ''; }, function (v) {
    this._query = query(String(v));
    if (this._params) {
      this._params._list.length = 0;
      parseForm(this._params._list, this._query);
    }
  });
  part('hash', function () { return this._hash ? '#' + this._hash : ''; }, function (v) { this._hash = hash(String(v)); });
  part('searchParams', function () {
    if (!this._params) {
      this._params = new URLSearchParams(this._query);
      this._params._url = this;
    }
    return this._params;
  }, undefined);
  part('href', function () {
    return this._protocol + (this._host === null ? '' : '//' + authority(this)) + this._path + this.search + this.hash;
  }, function (v) {
    var other = new URL(v);
    ['_protocol', '_special', '_user', '_password', '_host', '_port', '_path', '_query', '_hash'].forEach(function (name) {
      this[name] = other[name];
    }, this);
  });
  defs(URL.prototype, {
    toString: function toString() { return this.href; },
    toJSON: function toJSON() { return this.href; }
  });
  def(URL, 'canParse', function canParse(s, base) {
    try { return !!new URL(s, base); } catch (e) { return false; }
  });
  def(global, 'URL', URL);

  // Values as text, for the log.

  function show(value, depth, seen) {
    switch (typeof value) {
      case 'string': return depth ? JSON.stringify(value) : value;
      case 'symbol': return String(value);
      case 'function': return '[Function' + (value.name ? ': ' + value.name : '') + ']';
      case 'object': break;
      default: return String(value);
    }
    if (value === null) { return 'null'; }
    if (value instanceof Error) {
      return value.stack && String(value.stack).indexOf(value.message) >= 0 ? String(value.stack) : String(value) + (value.stack ? '\n' + value.stack : '');
    }
    if (value instanceof Date) { return isNaN(value) ? 'Invalid Date' : value.toISOString(); }
    if (value instanceof RegExp || value instanceof URL) { return String(value); }
    if (seen.indexOf(value) >= 0) { return '[Circular]'; }
    if (depth > 4) { return Array.isArray(value) ? '[Array]' : '[Object]'; }
    seen.push(value);
    var parts = [], open = '{', close = '}';
    if (Array.isArray(value) || value.buffer instanceof ArrayBuffer) {
      open = '[';
      close = ']';
      for (var i = 0; i < value.length && i < 100; i++) { parts.push(show(value[i], depth + 1, seen)); }
      if (value.length > 100) { parts.push('… ' + (value.length - 100) + ' more'); }
    } else if (value instanceof Map) {
      open = 'Map {';
      value.forEach(function (v, k) { parts.push(show(k, depth + 1, seen) + ' => ' + show(v, depth + 1, seen)); });
    } else if (value instanceof Set) {
      open = 'Set {';
      value.forEach(function (v) { parts.push(show(v, depth + 1, seen)); });
    } else if (value instanceof Promise) {
      open = 'Promise {';
    } else {
      Object.keys(value).forEach(function (key) { parts.push(JSON.stringify(key) + ':' + show(value[key], depth + 1, seen)); });
    }
    seen.pop();
    return open + parts.join(',') + close;
  }
  hooks.format = function (value) {
    try { return show(value, 0, []); } catch (e) { return '[value that can not be shown]'; }
  };

  // Requests: headers are found in whatever case they are asked for, the raw body is made on demand.

  var headersProto = {};
  def(headersProto, '__noSuchProperty__', function (name) {
    var canonical = typeof name === 'string' ? hooks.canonical(name) : name;
    return canonical !== name && Object.prototype.hasOwnProperty.call(this, canonical) ? this[canonical] : undefined;
  });
  hooks.headersProto = headersProto;
  var requestProto = {};
  Object.defineProperty(requestProto, 'text', { configurable: true, get: function () { return requestProto.bodyText(); } });
  Object.defineProperty(requestProto, 'rawBody', { configurable: true, get: function () { return requestProto.bodyBytes(); } });
  hooks.requestProto = requestProto;
})
