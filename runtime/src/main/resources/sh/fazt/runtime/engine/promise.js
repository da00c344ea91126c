// Promises and their queue (ECMA-262, section 27.2). The host runs `drain` when `wake` was called.
(function (hooks) {
  var global = this;
  var def = hooks.def, defs = hooks.defs;
  var PENDING = 0, FULFILLED = 1, REJECTED = 2;

  // Jobs, flat: function and two arguments each.
  var jobs = [];
  var head = 0;
  function enqueue(f, a, b) {
    if (jobs.length === 0) { hooks.wake(); }
    jobs.push(f, a, b);
  }
  hooks.enqueue = enqueue;
  hooks.drain = function () {
    while (head < jobs.length) {
      var f = jobs[head], a = jobs[head + 1], b = jobs[head + 2];
      head += 3;
      if (head > 3000) {
        jobs = jobs.slice(head);
        head = 0;
      }
      f(a, b);
    }
    jobs.length = 0;
    head = 0;
  };
  hooks.reset = function () {
    jobs.length = 0;
    head = 0;
  };

  // New promises are copies of this one: its state is there from the start and is not enumerable.
  function Template() {}
  var template = new Template();
  def(template, '_state', PENDING);
  def(template, '_value', undefined);
  def(template, '_reactions', null);

  function pending() { return hooks.copy(template); }

  function Promise(executor) {
    if (typeof executor !== 'function') { throw new TypeError('Promise resolver ' + String(executor) + ' is not a function'); }
    var promise = pending();
    run(promise, executor);
    return promise;
  }
  Template.prototype = Promise.prototype;
  Object.setPrototypeOf(template, Promise.prototype);

  function isPromise(value) { return value instanceof Promise && value._state !== undefined; }

  function run(promise, executor) {
    var done = false;
    try {
      executor(function (value) {
        if (!done) { done = true; resolve(promise, value); }
      }, function (error) {
        if (!done) { done = true; reject(promise, error); }
      });
    } catch (e) {
      if (!done) { done = true; reject(promise, e); }
    }
  }
  function settle(promise, state, value) {
    if (promise._state !== PENDING) { return; }
    var reactions = promise._reactions;
    promise._state = state;
    promise._value = value;
    promise._reactions = null;
    if (reactions) {
      for (var i = 0; i < reactions.length; i += 2) {
        enqueue(reactions[i + (state === FULFILLED ? 0 : 1)], value, undefined);
      }
    }
  }
  function reject(promise, error) { settle(promise, REJECTED, error); }
  function resolve(promise, value) {
    if (value === promise) {
      reject(promise, new TypeError('Chaining cycle detected for promise'));
      return;
    }
    if (!hooks.isObject(value)) {
      settle(promise, FULFILLED, value);
      return;
    }
    var then;
    try {
      then = value.then;
    } catch (e) {
      reject(promise, e);
      return;
    }
    if (typeof then !== 'function') {
      settle(promise, FULFILLED, value);
      return;
    }
    enqueue(follow, promise, { value: value, then: then });
  }
  function follow(promise, target) {
    if (target.then === then && isPromise(target.value)) {
      react(target.value, function (v) { settle(promise, FULFILLED, v); }, function (e) { settle(promise, REJECTED, e); });
      return;
    }
    run(promise, function (onValue, onError) { target.then.call(target.value, onValue, onError); });
  }
  function react(promise, onValue, onError) {
    if (promise._state === PENDING) {
      if (promise._reactions === null) {
        promise._reactions = [onValue, onError];
      } else {
        promise._reactions.push(onValue, onError);
      }
    } else {
      enqueue(promise._state === FULFILLED ? onValue : onError, promise._value, undefined);
    }
  }

  function then(onValue, onError) {
    var next = pending();
    if (this.constructor !== Promise && typeof this.constructor === 'function') {
      Object.setPrototypeOf(next, Object.getPrototypeOf(this));
    }
    react(this,
      typeof onValue === 'function' ? handler(next, onValue) : function (v) { settle(next, FULFILLED, v); },
      typeof onError === 'function' ? handler(next, onError) : function (e) { settle(next, REJECTED, e); });
    return next;
  }
  function handler(next, f) {
    return function (value) {
      var made;
      try {
        made = f(value);
      } catch (e) {
        reject(next, e);
        return;
      }
      resolve(next, made);
    };
  }
  defs(Promise.prototype, {
    then: then,
    'catch': function (onError) { return this.then(undefined, onError); },
    'finally': function (f) {
      if (typeof f !== 'function') { return this.then(f, f); }
      return this.then(
        function (value) { return Promise.resolve(f()).then(function () { return value; }); },
        function (error) { return Promise.resolve(f()).then(function () { throw error; }); });
    }
  });
  def(Promise.prototype, 'constructor', Promise);
  def(Promise.prototype, Symbol.toStringTag, 'Promise');

  function of(value) {
    if (isPromise(value)) { return value; }
    var promise = pending();
    resolve(promise, value);
    return promise;
  }
  // Collects the outcomes of all items into one promise.
  function gather(items, start) {
    var promise = pending();
    try {
      var state = start(promise);
      var count = 0;
      hooks.each(items, function (item) {
        var i = count++;
        of(item).then(function (v) { state.value(i, v); }, function (e) { state.error(i, e); });
      });
      state.total(count);
    } catch (e) {
      reject(promise, e);
    }
    return promise;
  }
  function all(onAll, keepValue, keepError) {
    return function (items) {
      return gather(items, function (promise) {
        var list = [], left = 0, total = -1;
        function put(i, value) {
          list[i] = value;
          left++;
          if (left === total) { onAll(promise, list); }
        }
        return {
          value: function (i, v) { if (keepValue) { put(i, keepValue(v)); } else { resolve(promise, v); } },
          error: function (i, e) { if (keepError) { put(i, keepError(e)); } else { reject(promise, e); } },
          total: function (n) {
            total = n;
            if (left === total) { onAll(promise, list); }
          }
        };
      });
    };
  }
  function same(value) { return value; }
  defs(Promise, {
    resolve: of,
    reject: function (error) {
      var promise = pending();
      reject(promise, error);
      return promise;
    },
    all: all(resolve, same, null),
    allSettled: all(resolve,
      function (value) { return { status: 'fulfilled', value: value }; },
      function (error) { return { status: 'rejected', reason: error }; }),
    any: all(function (promise, errors) {
      reject(promise, new AggregateError(errors, 'All promises were rejected'));
    }, null, same),
    race: function race(items) {
      var promise = pending();
      try {
        hooks.each(items, function (item) {
          of(item).then(function (v) { resolve(promise, v); }, function (e) { reject(promise, e); });
        });
      } catch (e) {
        reject(promise, e);
      }
      return promise;
    },
    withResolvers: function withResolvers() {
      var promise = pending();
      return {
        promise: promise,
        resolve: function (value) { resolve(promise, value); },
        reject: function (error) { reject(promise, error); }
      };
    }
  });
  def(global, 'Promise', Promise);
  def(global, 'queueMicrotask', function queueMicrotask(f) {
    if (typeof f !== 'function') { throw new TypeError('queueMicrotask needs a function'); }
    enqueue(f, undefined, undefined);
  });

  hooks.pending = pending;
  hooks.resolve = resolve;
  hooks.reject = reject;
  hooks.await = function (value, onValue, onError) {
    if (isPromise(value) && value.then === then) {
      react(value, onValue, onError);
    } else if (!hooks.isObject(value)) {
      enqueue(onValue, value, undefined);
    } else {
      react(of(value), onValue, onError);
    }
  };
  // For the host: what becomes of a promise, without calling back into it.
  hooks.track = function (promise) {
    var state = { done: false, rejected: false, value: undefined };
    hooks.await(promise, function (v) {
      state.value = v;
      state.done = true;
    }, function (e) {
      state.value = e;
      state.rejected = true;
      state.done = true;
    });
    return state;
  };
})
