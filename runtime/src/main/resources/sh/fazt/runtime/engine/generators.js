// What the compiler's output calls: iteration, classes, generators, async functions and async generators.
// The names and the shape of the generator context are the compiler's contract; the code is ours.
(function (hooks) {
  var global = this;
  var def = hooks.def, defs = hooks.defs;
  var $jscomp = {};
  def(global, '$jscomp', $jscomp);
  def(global, '$re', hooks.regExp);
  $jscomp.global = global;

  // Iteration.

  var nativeArrayIterator = Array.prototype[Symbol.iterator];
  function ArrayIterator(list) {
    this._list = list;
    this._next = 0;
  }
  ArrayIterator.prototype.next = function () {
    var i = this._next;
    if (i < this._list.length) {
      this._next = i + 1;
      return { value: this._list[i], done: false };
    }
    this._next = Infinity;
    return { value: undefined, done: true };
  };
  ArrayIterator.prototype[Symbol.iterator] = function () { return this; };

  function iteratorOf(items) {
    if (items === null || items === undefined) { throw new TypeError(items + ' is not iterable'); }
    if (Array.isArray(items) && items[Symbol.iterator] === nativeArrayIterator) { return new ArrayIterator(items); }
    var make = items[Symbol.iterator];
    if (typeof make === 'function') {
      var iterator = make.call(items);
      if (!hooks.isObject(iterator)) { throw new TypeError('the iterator of ' + String(items) + ' is not an object'); }
      return iterator;
    }
    if (typeof items === 'object' && items !== null && Object.prototype.toString.call(items) === '[object Arguments]') {
      return new ArrayIterator(items);
    }
    throw new TypeError((typeof items === 'object' ? 'object' : String(items)) + ' is not iterable');
  }
  function each(items, visit) {
    if (Array.isArray(items) && items[Symbol.iterator] === nativeArrayIterator) {
      for (var i = 0; i < items.length; i++) { visit(items[i]); }
      return;
    }
    var iterator = iteratorOf(items);
    for (var step = iterator.next(); !step.done; step = iterator.next()) {
      var fine = false;
      try {
        visit(step.value);
        fine = true;
      } finally {
        if (!fine && typeof iterator['return'] === 'function') { iterator['return'](); }
      }
    }
  }
  function listOf(iterator) {
    var list = [];
    for (var step = iterator.next(); !step.done; step = iterator.next()) { list.push(step.value); }
    return list;
  }
  hooks.each = each;
  hooks.iteratorOf = iteratorOf;

  $jscomp.makeIterator = iteratorOf;
  $jscomp.arrayFromIterator = listOf;
  $jscomp.arrayFromIterable = function (items) {
    return Array.isArray(items) && items[Symbol.iterator] === nativeArrayIterator ? items : listOf(iteratorOf(items));
  };
  $jscomp.getRestArguments = function () {
    var rest = [];
    for (var i = Number(this); i < arguments.length; i++) { rest.push(arguments[i]); }
    return rest;
  };
  $jscomp.createTemplateTagFirstArg = function (strings) {
    strings.raw = strings;
    return strings;
  };
  $jscomp.createTemplateTagFirstArgWithRaw = function (strings, raw) {
    def(strings, 'raw', raw);
    return strings;
  };

  // Classes.

  $jscomp.inherits = function (child, parent) {
    child.prototype = Object.create(parent.prototype);
    def(child.prototype, 'constructor', child);
    Object.setPrototypeOf(child, parent);
  };
  $jscomp.construct = function (target, list, newTarget) {
    var made;
    switch (list.length) {
      case 0: made = new target(); break;
      case 1:
        if (target === Array && typeof list[0] !== 'number') { made = [list[0]]; } else { made = new target(list[0]); }
        break;
      case 2: made = new target(list[0], list[1]); break;
      default: made = new (bind.apply(target, [null].concat(Array.prototype.slice.call(list))))();
    }
    if (newTarget !== undefined && newTarget !== target) { Object.setPrototypeOf(made, newTarget.prototype || Object.prototype); }
    return made;
  };
  var bind = Function.prototype.bind;
  hooks.construct = $jscomp.construct;

  // Generators.

  function Context() {
    this.nextAddress = 1;
    this.yieldResult = undefined;
    this._running = false;
    this._delegate = null;
    this._catch = 0;
    this._finally = 0;
    this._abrupt = null;
    this._saved = null;
  }
  var YIELDED = 1, THROWN = 2, RETURNED = 3, JUMPED = 4;
  function Abrupt(kind, value) {
    this.kind = kind;
    this.value = value;
  }
  function Yield(value) { this.value = value; }
  defs(Context.prototype, {
    'yield': function (value, resume) {
      this.nextAddress = resume;
      return new Yield(value);
    },
    yieldAll: function (items, resume) {
      var iterator = iteratorOf(items);
      var step = iterator.next(undefined);
      if (step.done) {
        this.yieldResult = step.value;
        this.nextAddress = resume;
        return undefined;
      }
      this._delegate = iterator;
      this.nextAddress = resume;
      return new Yield(step.value);
    },
    'return': function (value) {
      this._abrupt = new Abrupt(RETURNED, value);
      this.nextAddress = this._finally;
    },
    jumpTo: function (address) { this.nextAddress = address; },
    jumpToEnd: function () { this.nextAddress = 0; },
    jumpThroughFinallyBlocks: function (address) {
      this._abrupt = new Abrupt(JUMPED, address);
      this.nextAddress = this._finally;
    },
    setCatchFinallyBlocks: function (catchAddress, finallyAddress) {
      this._catch = catchAddress;
      if (finallyAddress !== undefined) { this._finally = finallyAddress; }
    },
    setFinallyBlock: function (address) {
      this._catch = 0;
      this._finally = address || 0;
    },
    leaveTryBlock: function (next, catchAddress) {
      this.nextAddress = next;
      this._catch = catchAddress || 0;
    },
    enterCatchBlock: function (nextCatch) {
      this._catch = nextCatch || 0;
      var error = this._abrupt.value;
      this._abrupt = null;
      return error;
    },
    enterFinallyBlock: function (nextCatch, nextFinally, depth) {
      if (!depth) { this._saved = [this._abrupt]; } else { this._saved[depth] = this._abrupt; }
      this._catch = nextCatch || 0;
      this._finally = nextFinally || 0;
    },
    leaveFinallyBlock: function (next, depth) {
      // Deeper blocks may have left theirs behind when they ended abruptly: they are dropped with it.
      var saved = this._saved.splice(depth || 0)[0];
      var abrupt = this._abrupt = this._abrupt || saved;
      if (!abrupt) {
        this.nextAddress = next;
      } else if (abrupt.kind === THROWN) {
        this.nextAddress = this._catch || this._finally;
      } else if (abrupt.kind === JUMPED && this._finally < abrupt.value) {
        // Addresses of loops are smaller than those of the finally blocks inside of them.
        this.nextAddress = abrupt.value;
        this._abrupt = null;
      } else {
        this.nextAddress = this._finally;
      }
    },
    forIn: function (object) { return new Keys(object); }
  });
  function Keys(object) {
    this._object = object;
    this._keys = [];
    this._next = 0;
    for (var key in object) { this._keys.push(key); }
  }
  Keys.prototype.getNext = function () {
    while (this._next < this._keys.length) {
      var key = this._keys[this._next++];
      if (key in Object(this._object)) { return key; }
    }
    return null;
  };

  // Runs until the next yield or the end; the outcome is left in `out`.
  function Outcome() {
    this.kind = 0;
    this.value = undefined;
  }
  function proceed(context, program, out) {
    if (context._running) { throw new TypeError('Generator is already running'); }
    context._running = true;
    while (context.nextAddress) {
      try {
        var yielded = program(context);
        if (yielded instanceof Yield) {
          context._running = false;
          out.kind = YIELDED;
          out.value = yielded.value;
          return;
        }
      } catch (e) {
        context.yieldResult = undefined;
        context._abrupt = new Abrupt(THROWN, e);
        context.nextAddress = context._catch || context._finally;
      }
    }
    context._running = false;
    var abrupt = context._abrupt;
    context._abrupt = null;
    out.kind = abrupt && abrupt.kind === THROWN ? THROWN : RETURNED;
    out.value = abrupt ? abrupt.value : undefined;
  }
  function throwInto(context, error) {
    context._abrupt = new Abrupt(THROWN, error);
    context.nextAddress = context._catch || context._finally;
  }

  function Generator(program) {
    def(this, '_context', new Context());
    def(this, '_program', program);
  }
  var generatorProto = {};
  Generator.prototype = generatorProto;
  function result(generator) {
    var out = new Outcome();
    proceed(generator._context, generator._program, out);
    if (out.kind === THROWN) { throw out.value; }
    return { value: out.value, done: out.kind === RETURNED };
  }
  function delegated(generator, method, value) {
    var context = generator._context;
    if (context._running) { throw new TypeError('Generator is already running'); }
    var iterator = context._delegate;
    var step;
    context._running = true;
    try {
      var action = iterator[method];
      if (action === undefined || action === null) {
        if (method === 'throw') {
          if (typeof iterator['return'] === 'function') { iterator['return'](); }
          throw new TypeError('the iterator that yield* works on has no method throw');
        }
        step = { value: value, done: true };
      } else {
        step = action.call(iterator, value);
        if (!hooks.isObject(step)) { throw new TypeError('the iterator result ' + String(step) + ' is not an object'); }
      }
    } catch (e) {
      context._running = false;
      context._delegate = null;
      throwInto(context, e);
      return result(generator);
    }
    context._running = false;
    if (!step.done) { return step; }
    context._delegate = null;
    if (method === 'return') { context['return'](step.value); } else { context.yieldResult = step.value; }
    return result(generator);
  }
  defs(generatorProto, {
    next: function next(value) {
      if (this._context._delegate) { return delegated(this, 'next', value); }
      if (!this._context._running) { this._context.yieldResult = value; }
      return result(this);
    },
    'return': function (value) {
      if (this._context._delegate) { return delegated(this, 'return', value); }
      if (!this._context._running) { this._context['return'](value); }
      return result(this);
    },
    'throw': function (error) {
      if (this._context._delegate) { return delegated(this, 'throw', error); }
      if (!this._context._running) { throwInto(this._context, error); }
      return result(this);
    }
  });
  def(generatorProto, Symbol.iterator, function () { return this; });
  def(generatorProto, Symbol.toStringTag, 'Generator');

  var linked = Symbol('generator');
  $jscomp.generator = {
    createGenerator: function (f, program) {
      var generator = new Generator(program);
      if (f && f.prototype) {
        if (!f[linked]) {
          def(f, linked, true);
          Object.setPrototypeOf(f.prototype, generatorProto);
        }
        Object.setPrototypeOf(generator, f.prototype);
      }
      return generator;
    }
  };

  // Async functions: the context is driven by the promises themselves, without a generator object in between.

  $jscomp.asyncExecutePromiseGeneratorProgram = function (program) {
    var promise = hooks.pending();
    var context = new Context();
    var out = new Outcome();
    function step() {
      try {
        proceed(context, program, out);
      } catch (e) {
        out.kind = THROWN;
        out.value = e;
      }
      if (out.kind === YIELDED) {
        hooks.await(out.value, resume, fail);
      } else if (out.kind === RETURNED) {
        hooks.resolve(promise, out.value);
      } else {
        hooks.reject(promise, out.value);
      }
    }
    function resume(value) {
      context.yieldResult = value;
      step();
    }
    function fail(error) {
      throwInto(context, error);
      step();
    }
    step();
    return promise;
  };
  $jscomp.asyncExecutePromiseGeneratorFunction = function (f) { return $jscomp.asyncExecutePromiseGenerator(f()); };
  $jscomp.asyncExecutePromiseGenerator = function (generator) {
    var promise = hooks.pending();
    function step(method, value) {
      var next;
      try {
        next = generator[method](value);
      } catch (e) {
        hooks.reject(promise, e);
        return;
      }
      if (next.done) {
        hooks.resolve(promise, next.value);
      } else {
        hooks.await(next.value, function (v) { step('next', v); }, function (e) { step('throw', e); });
      }
    }
    step('next', undefined);
    return promise;
  };

  // Async generators.

  var YIELD_VALUE = 0, YIELD_STAR = 1, AWAIT_VALUE = 2;
  $jscomp.AsyncGeneratorWrapper$ActionEnum = { YIELD_VALUE: YIELD_VALUE, YIELD_STAR: YIELD_STAR, AWAIT_VALUE: AWAIT_VALUE };
  $jscomp.AsyncGeneratorWrapper$ActionRecord = function (action, value) {
    this.action = action;
    this.value = value;
  };
  var Action = $jscomp.AsyncGeneratorWrapper$ActionRecord;
  $jscomp.AsyncGeneratorWrapper = function (generator) {
    def(this, '_generator', generator);
    def(this, '_queue', []);
    def(this, '_inner', null);
  };
  var asyncProto = $jscomp.AsyncGeneratorWrapper.prototype;
  function ask(self, method, value) {
    var promise = hooks.pending();
    self._queue.push({ method: method, value: value, promise: promise });
    if (self._queue.length === 1) { serve(self); }
    return promise;
  }
  function finish(self, settle, value) {
    settle(self._queue.shift().promise, value);
    if (self._queue.length) { serve(self); }
  }
  function serve(self) {
    var request = self._queue[0];
    if (self._inner) {
      serveInner(self, request);
    } else {
      advance(self, request.method, request.value);
    }
  }
  function advance(self, method, value) {
    var step;
    try {
      step = self._generator[method](value);
    } catch (e) {
      finish(self, hooks.reject, e);
      return;
    }
    var action = step.value;
    if (!(action instanceof Action) || step.done) {
      var last = action instanceof Action ? action.value : action;
      hooks.await(last, function (v) { finish(self, hooks.resolve, { value: v, done: true }); },
        function (e) { finish(self, hooks.reject, e); });
    } else if (action.action === AWAIT_VALUE) {
      hooks.await(action.value, function (v) { advance(self, 'next', v); }, function (e) { advance(self, 'throw', e); });
    } else if (action.action === YIELD_VALUE) {
      hooks.await(action.value, function (v) { finish(self, hooks.resolve, { value: v, done: false }); },
        function (e) { advance(self, 'throw', e); });
    } else {
      try {
        self._inner = $jscomp.makeAsyncIterator(action.value);
      } catch (e) {
        advance(self, 'throw', e);
        return;
      }
      serveInner(self, { method: 'next', value: undefined });
    }
  }
  function serveInner(self, request) {
    var inner = self._inner;
    var action = inner[request.method];
    if (action === undefined || action === null) {
      self._inner = null;
      advance(self, request.method, request.value);
      return;
    }
    var answer;
    try {
      answer = action.call(inner, request.value);
    } catch (e) {
      self._inner = null;
      advance(self, 'throw', e);
      return;
    }
    hooks.await(answer, function (step) {
      if (!step.done) {
        finish(self, hooks.resolve, { value: step.value, done: false });
      } else {
        self._inner = null;
        advance(self, request.method === 'return' ? 'return' : 'next', step.value);
      }
    }, function (e) {
      self._inner = null;
      advance(self, 'throw', e);
    });
  }
  defs(asyncProto, {
    next: function next(value) { return ask(this, 'next', value); },
    'return': function (value) { return ask(this, 'return', new Action(YIELD_VALUE, value)); },
    'throw': function (error) { return ask(this, 'throw', error); }
  });
  def(asyncProto, Symbol.asyncIterator, function () { return this; });
  def(asyncProto, Symbol.toStringTag, 'AsyncGenerator');

  $jscomp.makeAsyncIterator = function (items) {
    var make = items === null || items === undefined ? undefined : items[Symbol.asyncIterator];
    if (make !== undefined && make !== null) { return make.call(items); }
    var iterator = iteratorOf(items);
    function wrap(method) {
      return function (value) {
        var step = method.call(iterator, value);
        var promise = hooks.pending();
        hooks.await(step.value, function (v) { hooks.resolve(promise, { value: v, done: !!step.done }); },
          function (e) { hooks.reject(promise, e); });
        return promise;
      };
    }
    var made = { next: wrap(iterator.next) };
    if (iterator['return']) { made['return'] = wrap(iterator['return']); }
    if (iterator['throw']) { made['throw'] = wrap(iterator['throw']); }
    return made;
  };
  Object.freeze($jscomp.generator);
  Object.freeze($jscomp);
  nailed(global, '$jscomp');
  def(global, '$spread', hooks.spread);
  var parentOf = Object.getPrototypeOf;
  var read = Reflect.get;
  def(global, '$super', function (home, key, self) { return read(parentOf(home.prototype), key, self); });
  nailed(global, '$super');
  nailed(global, '$re');
  nailed(global, '$spread');
  function nailed(object, name) {
    Object.defineProperty(object, name, { writable: false, configurable: false });
  }
})
