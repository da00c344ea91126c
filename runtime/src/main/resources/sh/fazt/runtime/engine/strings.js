// Strings and regular expressions of ES2015 to ES2023. Matching itself is the host's.
(function (hooks) {
  var global = this;
  var def = hooks.def, defs = hooks.defs, integer = hooks.integer;
  var proto = String.prototype;
  var RegExpNative = global.RegExp;
  var patternProto = RegExpNative.prototype;

  function text(value, method) {
    if (value === null || value === undefined) { throw new TypeError('String.prototype.' + method + ' called on null or undefined'); }
    return String(value);
  }
  function isRegExp(value) { return value instanceof RegExpNative; }
  function noRegExp(value, method) {
    if (isRegExp(value)) { throw new TypeError('First argument to String.prototype.' + method + ' must not be a regular expression'); }
    return String(value);
  }
  function pad(self, length, filler, atStart, method) {
    var s = text(self, method);
    var f = filler === undefined ? ' ' : String(filler);
    var missing = integer(length) - s.length;
    if (missing <= 0 || f === '') { return s; }
    var padding = hooks.repeat(f, Math.ceil(missing / f.length)).slice(0, missing);
    return atStart ? padding + s : s + padding;
  }
  defs(proto, {
    includes: function includes(what, from) {
      return text(this, 'includes').indexOf(noRegExp(what, 'includes'), integer(from)) >= 0;
    },
    startsWith: function startsWith(what, from) {
      var s = text(this, 'startsWith'), w = noRegExp(what, 'startsWith');
      var at = Math.min(Math.max(integer(from), 0), s.length);
      return s.substr(at, w.length) === w;
    },
    endsWith: function endsWith(what, end) {
      var s = text(this, 'endsWith'), w = noRegExp(what, 'endsWith');
      var to = end === undefined ? s.length : Math.min(Math.max(integer(end), 0), s.length);
      return to >= w.length && s.substring(to - w.length, to) === w;
    },
    repeat: function repeat(times) {
      var s = text(this, 'repeat'), n = integer(times);
      if (n < 0 || n === Infinity) { throw new RangeError('Invalid count value: ' + times); }
      return n === 0 || s === '' ? '' : hooks.repeat(s, n);
    },
    padStart: function padStart(length, filler) { return pad(this, length, filler, true, 'padStart'); },
    padEnd: function padEnd(length, filler) { return pad(this, length, filler, false, 'padEnd'); },
    codePointAt: function codePointAt(at) {
      var s = text(this, 'codePointAt'), i = integer(at);
      if (i < 0 || i >= s.length) { return undefined; }
      var high = s.charCodeAt(i);
      if (high < 0xd800 || high > 0xdbff || i + 1 === s.length) { return high; }
      var low = s.charCodeAt(i + 1);
      return low < 0xdc00 || low > 0xdfff ? high : (high - 0xd800) * 0x400 + low - 0xdc00 + 0x10000;
    },
    normalize: function normalize(form) {
      var made = hooks.normalize(text(this, 'normalize'), form === undefined ? 'NFC' : String(form));
      if (made === undefined) { throw new RangeError('The normalization form should be one of NFC, NFD, NFKC, NFKD.'); }
      return made;
    },
    trimStart: function trimStart() { return text(this, 'trimStart').replace(/^\s+/, ''); },
    trimEnd: function trimEnd() { return text(this, 'trimEnd').replace(/\s+$/, ''); },
    at: function at(position) {
      var s = text(this, 'at'), i = integer(position);
      if (i < 0) { i += s.length; }
      return i < 0 || i >= s.length ? undefined : s.charAt(i);
    },
    isWellFormed: function isWellFormed() {
      return !/[\ud800-\udbff](?![\udc00-\udfff])|(?:[^\ud800-\udbff]|^)[\udc00-\udfff]/.test(text(this, 'isWellFormed'));
    },
    replaceAll: function replaceAll(what, by) {
      var s = text(this, 'replaceAll');
      if (isRegExp(what)) {
        if (flagsOf(what).indexOf('g') < 0) { throw new TypeError('replaceAll must be called with a global RegExp'); }
        return s.replace(what, by);
      }
      var w = String(what), out = '', from = 0, at = s.indexOf(w);
      while (at >= 0) {
        out += s.substring(from, at) + (typeof by === 'function' ? String(by(w, at, s)) : expand(String(by), w, at, s, [], undefined));
        from = at + w.length;
        if (at >= s.length) { break; }
        at = s.indexOf(w, w.length ? from : at + 1);
        if (!w.length && at > s.length) { break; }
      }
      return out + s.substring(from);
    },
    matchAll: function matchAll(what) {
      var s = text(this, 'matchAll');
      if (isRegExp(what) && flagsOf(what).indexOf('g') < 0) {
        throw new TypeError('String.prototype.matchAll called with a non-global RegExp argument');
      }
      var pattern = hooks.regExp(isRegExp(what) ? what.source : String(what), isRegExp(what) ? flagsOf(what) : 'g');
      if (isRegExp(what)) { pattern.lastIndex = what.lastIndex; }
      var made = {
        next: function () {
          var match = pattern.exec(s);
          if (match === null) { return { value: undefined, done: true }; }
          if (match[0] === '') { pattern.lastIndex++; }
          return { value: match, done: false };
        }
      };
      def(made, Symbol.iterator, function () { return this; });
      return made;
    }
  });
  def(proto, 'trimLeft', proto.trimStart);
  def(proto, 'trimRight', proto.trimEnd);
  var StringIterator = function (s) {
    this._text = s;
    this._next = 0;
  };
  StringIterator.prototype.next = function () {
    var s = this._text, i = this._next;
    if (i >= s.length) { return { value: undefined, done: true }; }
    var high = s.charCodeAt(i);
    var both = high >= 0xd800 && high <= 0xdbff && i + 1 < s.length
      && s.charCodeAt(i + 1) >= 0xdc00 && s.charCodeAt(i + 1) <= 0xdfff;
    this._next = i + (both ? 2 : 1);
    return { value: s.substring(i, this._next), done: false };
  };
  StringIterator.prototype[Symbol.iterator] = function () { return this; };
  def(proto, Symbol.iterator, function () { return new StringIterator(text(this, 'Symbol.iterator')); });

  defs(String, {
    fromCodePoint: function fromCodePoint() {
      var out = '';
      for (var i = 0; i < arguments.length; i++) {
        var c = Number(arguments[i]);
        if (!(c >= 0 && c <= 0x10ffff) || c !== Math.floor(c)) { throw new RangeError('Invalid code point ' + arguments[i]); }
        out += c < 0x10000 ? String.fromCharCode(c)
          : String.fromCharCode(0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
      }
      return out;
    },
    raw: function raw(strings) {
      var parts = strings.raw, out = '';
      for (var i = 0, n = hooks.size(parts); i < n; i++) {
        out += parts[i];
        if (i + 1 < n && i + 1 < arguments.length) { out += arguments[i + 1]; }
      }
      return out;
    }
  });

  // Regular expressions.

  function flagsOf(pattern) {
    var flags = hooks.flags(pattern);
    return flags === undefined ? '' : flags.split('').sort().join('');
  }
  function getter(name, get) {
    Object.defineProperty(patternProto, name, { configurable: true, enumerable: false, get: get });
  }
  getter('flags', function () { return flagsOf(this); });
  getter('sticky', function () { return flagsOf(this).indexOf('y') >= 0; });
  getter('unicode', function () { return flagsOf(this).indexOf('u') >= 0; });
  getter('dotAll', function () { return flagsOf(this).indexOf('s') >= 0; });
  getter('hasIndices', function () { return flagsOf(this).indexOf('d') >= 0; });
  def(patternProto, 'toString', function toString() { return '/' + this.source + '/' + flagsOf(this); });

  function RegExp(pattern, flags) {
    if (isRegExp(pattern)) {
      if (flags === undefined && !(this instanceof RegExp)) { return pattern; }
      return hooks.regExp(pattern.source, flags === undefined ? flagsOf(pattern) : String(flags));
    }
    return hooks.regExp(pattern === undefined ? '' : String(pattern), flags === undefined ? '' : String(flags));
  }
  RegExp.prototype = patternProto;
  def(patternProto, 'constructor', RegExp);
  def(global, 'RegExp', RegExp);

  function groupsOf(names, list) {
    var groups = Object.create(null);
    for (var name in names) { groups[name] = list[names[name]]; }
    return groups;
  }
  var exec = patternProto.exec;
  def(patternProto, 'exec', function (s) {
    var match = exec.call(this, s);
    if (match !== null) {
      var names = hooks.names(this);
      match.groups = names === undefined ? undefined : groupsOf(names, match);
    }
    return match;
  });
  var match = proto.match;
  def(proto, 'match', function (what) {
    if (isRegExp(what) && !what.global) { return what.exec(text(this, 'match')); }
    return match.call(this, isRegExp(what) ? what : RegExp(what));
  });
  function expand(by, matched, at, s, captures, groups) {
    if (by.indexOf('$') < 0) { return by; }
    return by.replace(/\$(\$|&|`|'|\d\d?|<[^>]*>)/g, function (all, what) {
      switch (what.charAt(0)) {
        case '$': return '$';
        case '&': return matched;
        case '`': return s.substring(0, at);
        case "'": return s.substring(at + matched.length);
        case '<':
          if (groups === undefined) { return all; }
          var named = groups[what.slice(1, -1)];
          return named === undefined ? '' : named;
        default:
          var n = Number(what);
          if (n < 1 || n > captures.length) { return all; }
          return captures[n - 1] === undefined ? '' : captures[n - 1];
      }
    });
  }
  var replace = proto.replace;
  def(proto, 'replace', function (what, by) {
    if (!isRegExp(what)) { return replace.call(this, what, by); }
    var names = hooks.names(what);
    if (names === undefined) { return replace.call(this, what, by); }
    return replace.call(this, what, function () {
      var list = Array.prototype.slice.call(arguments);
      var s = list.pop(), at = list.pop();
      var groups = groupsOf(names, list);
      if (typeof by === 'function') { return by.apply(undefined, list.concat([at, s, groups])); }
      return expand(String(by), list[0], at, s, list.slice(1), groups);
    });
  });
})
