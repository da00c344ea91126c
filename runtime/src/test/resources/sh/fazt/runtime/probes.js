// One probe after each line of ###: the code must end in the value true, or a promise of it.
// A name that begins with "no " is a documented gap: its code must not give true, so that the list stays honest.
### let and const are scoped by blocks
let x = 1; { let x = 2; } const y = 3; x === 1 && y === 3
### let per iteration
const fs = []; for (let i = 0; i < 3; i++) fs.push(() => i); fs.map(f => f()).join() === '0,1,2'
### arrow functions keep this
const o = { v: 2, f() { return [1].map(x => x + this.v); } }; o.f()[0] === 3
### template literal
const n = 3; `a${n}b${n + 1}` === 'a3b4'
### multi-line template
`a
b` === 'a\nb'
### tagged template with raw
function tag(s, ...v) { return s.raw[0] + v[0] + s[1]; } tag`a\n${1}b` === 'a\\n1b'
### String.raw
String.raw`a\n${1}` === 'a\\n1'
### default parameters
function f(a, b = a + 1, c = b * 2) { return [a, b, c].join(); } f(1) === '1,2,4'
### rest parameters
((a, ...r) => r.length)(1, 2, 3) === 2
### spread call
Math.max(...[1, 5, 3], ...new Set([7])) === 7
### spread array of iterables
[...'ab', ...new Set([1, 1, 2]), ...[3]].join('') === 'ab123'
### spread new
new Date(...[2020, 1, 2]).getFullYear() === 2020
### array destructuring
const [a, , b = 9, ...c] = [1, 2, undefined, 4, 5]; a === 1 && b === 9 && c.join() === '4,5'
### object destructuring
const { p, q: { r = 4 } = {}, ...rest } = { p: 1, s: 2, t: 3 }; p === 1 && r === 4 && Object.keys(rest).join() === 's,t'
### parameter destructuring
(({ a, b: [c] = [5] }, [d] = [6]) => a + c + d)({ a: 1 }) === 12
### destructuring in for-of over a Map
let s = ''; for (const [k, v] of new Map([['a', 1], ['b', 2]])) s += k + v; s === 'a1b2'
### swap by destructuring
let a = 1, b = 2; [a, b] = [b, a]; a === 2 && b === 1
### shorthand properties and methods
const a = 1; const o = { a, f() { return 2; } }; o.a + o.f() === 3
### computed properties
const k = 'x'; const o = { [k + 1]: 1, [`${k}2`]() { return 2; } }; o.x1 + o.x2() === 3
### computed symbol key
const s = Symbol('s'); const o = { [s]: 1 }; o[s] === 1 && Object.keys(o).length === 0
### class
class A { constructor(x) { this.x = x; } get d() { return this.x * 2; } static of(x) { return new A(x); } } A.of(2).d === 4
### class extends and super
class A { f() { return 'A'; } static g() { return 1; } } class B extends A { f() { return super.f() + 'B'; } static g() { return super.g() + 1; } } new B().f() === 'AB' && B.g() === 2
### class extends Error
class E extends Error { constructor(m) { super(m); this.name = 'E'; } } const e = new E('m'); e instanceof E && e instanceof Error && e.message === 'm' && String(e) === 'E: m' && Object.keys(e).indexOf('stack') < 0
### class extends Array
class L extends Array { sum() { return this.reduce((a, b) => a + b, 0); } } const l = new L(); l.push(1, 2); l.sum() === 3 && l.length === 2 && l instanceof L && Array.isArray(l)
### class extends Map
class M extends Map { get2(k) { return this.get(k) * 2; } } const m = new M([['a', 2]]); m.get2('a') === 4 && m.size === 1 && m instanceof M
### class extends Promise
class P extends Promise {} const p = new P(r => r(1)); p instanceof P && p.then(v => v === 1)
### class expression
const A = class Named { static x = 1; f() { return Named.x; } }; new A().f() === 1
### class fields
class A { x = 1; ['y'] = 2; static z = 3; f = () => this.x; } const a = new A(); a.f() + a.y + A.z === 6
### private fields
class A { #x = 1; get() { return this.#x; } set(v) { this.#x = v; return this; } } const a = new A(); a.set(5).get() === 5 && JSON.stringify(a) === '{}'
### private methods, accessors and statics
class A { #m() { return 1; } get #g() { return 2; } set #g(v) { this.v = v; } static #s = 3; static sum(a) { a.#g = 4; return a.#m() + a.#g + A.#s + a.v; } } A.sum(new A()) === 10
### private names of base and derived class are different
class A { #x = 1; a() { return this.#x; } } class B extends A { #x = 2; b() { return this.#x; } } const b = new B(); b.a() === 1 && b.b() === 2
### brand check
class A { #x = 1; static is(o) { return #x in o; } } A.is(new A()) && !A.is({})
### hash in strings, templates and expressions
const c = '#fff'; `#abc ${c}` === '#abc #fff' && /#x/.test('#x')
### static blocks
class A { static x; static { A.x = 5; } } A.x === 5
### accessors, static and inherited
class A { static get v() { return 1; } get w() { return 2; } } class B extends A { get w() { return super.w + 1; } } B.v === 1 && new B().w === 3
### for-of over an array
let s = 0; for (const x of [1, 2, 3]) s += x; s === 6
### for-of over code points
let n = 0; for (const c of 'a😀b') n++; n === 3
### for-of with continue, labels and break
let r = []; out: for (const x of [1, 2, 3]) { for (const y of [1, 2]) { if (y === 2) continue out; if (x === 3) break out; r.push(x * 10 + y); } } r.join() === '11,21'
### generators
function* g() { const x = yield 1; yield x * 2; return 9; } const i = g(); i.next().value === 1 && i.next(4).value === 8 && i.next().value === 9 && i.next().done
### generator delegation and spread
function* a() { yield 1; return 'r'; } function* b() { const r = yield* a(); yield r; yield* [2, 3]; } [...b()].join() === '1,r,2,3'
### generator return, throw and finally
const log = []; function* g() { try { yield 1; yield 2; } catch (e) { log.push('c' + e); yield 3; } finally { log.push('f'); } } const i = g(); i.next(); i.throw('x').value === 3 && i.return(7).value === 7 && log.join() === 'cx,f'
### generator methods and infinite generators
const o = { *ids() { let n = 0; while (true) yield n++; } }; const [a, b, c] = o.ids(); a + b + c === 3
### generator object is an instance
function* g() {} const i = g(); i instanceof g && i[Symbol.iterator]() === i && Object.prototype.toString.call(i) === '[object Generator]'
### iterator protocol
const o = { *[Symbol.iterator]() { yield 1; yield 2; } }; Array.from(o).join() === '1,2'
### nested try and finally in a generator
function* g() { try { try { yield 1; throw 'a'; } finally { yield 2; } } catch (e) { yield e; } finally { yield 'f'; } } [...g()].join() === '1,2,a,f'
### break out of try-finally in a generator
function* g() { for (let i = 0; i < 3; i++) { try { if (i === 1) continue; if (i === 2) break; yield i; } finally { yield 'f' + i; } } yield 'end'; } [...g()].join() === '0,f0,f1,f2,end'
### Symbol
const s = Symbol('d'); typeof s === 'symbol' && Symbol.for('k') === Symbol.for('k') && ({ [s]: 1 })[s] === 1
### Symbol.toStringTag
class A { get [Symbol.toStringTag]() { return 'A'; } } Object.prototype.toString.call(new A()) === '[object A]'
### Map
const m = new Map([[1, 'a'], [NaN, 'b']]); m.get(NaN) === 'b' && m.size === 2 && [...m.keys()].length === 2 && [...m.entries()][0][1] === 'a'
### Set
const s = new Set('aab'); s.size === 2 && s.has('b') && [...s].join('') === 'ab'
### WeakMap and WeakSet
const k = {}; const w = new WeakMap([[k, 1]]); const s = new WeakSet([k]); w.get(k) === 1 && s.has(k)
### WeakRef
const o = {}; new WeakRef(o).deref() === o
### Promise order
const log = []; const p = Promise.resolve().then(() => log.push(2)).then(() => log.push(4)); queueMicrotask(() => log.push(3)); log.push(1); p.then(() => log.join() === '1,2,3,4')
### Promise.all and race
Promise.all([1, Promise.resolve(2), new Promise(r => setTimeout(() => r(3), 1))]).then(v => v.join() === '1,2,3').then(ok => Promise.race([new Promise(() => {}), ok]))
### Promise.all of nothing
Promise.all([]).then(v => v.length === 0)
### Promise.allSettled
Promise.allSettled([1, Promise.reject('x')]).then(([a, b]) => a.status === 'fulfilled' && b.reason === 'x')
### Promise.any and AggregateError
Promise.any([Promise.reject(1), Promise.reject(2)]).catch(e => e instanceof AggregateError && e.errors.join() === '1,2')
### Promise.finally
let n = 0; Promise.reject('e').finally(() => { n++; }).catch(e => e === 'e' && n === 1)
### Promise adopts thenables and catches throws
Promise.resolve({ then(r) { r(5); } }).then(v => { if (v !== 5) throw 1; throw new Error('x'); }).catch(e => e.message === 'x')
### Promise resolves once
new Promise((a, b) => { a(1); a(2); b(3); throw 4; }).then(v => v === 1)
### async function
async function f(x) { return await x + 1; } f(1).then(v => v === 2)
### async try, catch and finally
const log = []; async function f() { try { await Promise.reject(new Error('x')); } catch (e) { log.push(e.message); return 1; } finally { await null; log.push('f'); } } f().then(v => v === 1 && log.join() === 'x,f')
### await in a loop and in arrows
const f = async xs => { let s = 0; for (const x of xs) s += await x; return s; }; f([1, Promise.resolve(2), 3]).then(v => v === 6)
### a getter by super sees this
class A { constructor(v) { this.v = v; } get w() { return this.v; } get s() { return 's'; } } class B extends A { get w() { return super.w + 1; } f() { return [1].map(x => x + super['w'])[0]; } get s() { return super.s; } none() { return super.none; } } new B(3).w === 4 && new B(3).f() === 4 && new B(1).s === 's' && new B(1).none() === undefined && new (class extends B { get w() { return super.w * 2; } })(1).w === 4
### async methods and super
class A { async f() { return 1; } } class B extends A { async f() { return (await super.f()) + 1; } } new B().f().then(v => v === 2)
### async order
const log = []; async function a() { log.push('a1'); await null; log.push('a2'); } async function b() { log.push('b1'); await null; log.push('b2'); } Promise.all([a(), b()]).then(() => log.join() === 'a1,b1,a2,b2')
### await at top level
const v = await Promise.resolve(3); v === 3
### for await over promises
let s = 0; for await (const x of [Promise.resolve(1), 2]) s += x; s === 3
### async generators
async function* g() { yield 1; await null; yield 2; } let s = ''; for await (const x of g()) s += x; s === '12'
### async generator delegation
async function* a() { yield 1; return 'r'; } async function* b() { const r = yield* a(); yield r; yield* [3]; } const out = []; for await (const x of b()) out.push(x); out.join() === '1,r,3'
### for await closes the generator
let closed = false; async function* g() { try { yield 1; yield 2; } finally { closed = true; } } for await (const x of g()) break; closed
### Reflect
const o = { a: 1 }; Reflect.has(o, 'a') && Reflect.ownKeys(o).length === 1 && Reflect.get(o, 'a') === 1 && Reflect.apply(Math.max, null, [1, 2]) === 2 && Reflect.construct(Date, [0]).getTime() === 0
### Object.assign
Object.assign({ a: 1 }, null, { b: 2 }, 'x')[0] === 'x'
### Object.is, setPrototypeOf, getOwnPropertySymbols
const s = Symbol(); Object.is(NaN, NaN) && !Object.is(0, -0) && Object.getOwnPropertySymbols({ [s]: 1 })[0] === s && Object.setPrototypeOf({}, Array.prototype) instanceof Array
### Object.values, entries, fromEntries
const o = { a: 1, b: 2 }; Object.values(o).join() === '1,2' && JSON.stringify(Object.fromEntries(Object.entries(o))) === '{"a":1,"b":2}'
### Object.getOwnPropertyDescriptors
Object.getOwnPropertyDescriptors({ get a() { return 1; } }).a.get() === 1
### Object.hasOwn and groupBy
Object.hasOwn({ a: 1 }, 'a') && Object.groupBy([1, 2, 3], x => x % 2 ? 'odd' : 'even').odd.length === 2
### object rest and spread
const { a, ...r } = { a: 1, b: 2, c: 3 }; const o = { ...r, ...null, d: 4 }; Object.keys(o).join() === 'b,c,d'
### Array.from and of
Array.from({ length: 3 }, (_, i) => i * 2).join() === '0,2,4' && Array.of(7).length === 1 && Array.from('ab').length === 2
### find, findIndex, findLast, findLastIndex
const l = [1, 2, 3, 4]; l.find(x => x > 1) === 2 && l.findIndex(x => x > 1) === 1 && l.findLast(x => x < 4) === 3 && l.findLastIndex(x => x < 4) === 2
### fill, copyWithin, includes
[1, 2, 3].fill(0, 1).join() === '1,0,0' && [1, 2, 3, 4].copyWithin(0, 2).join() === '3,4,3,4' && [NaN].includes(NaN)
### keys, values, entries
[...[5].entries()][0].join() === '0,5' && [...[5].keys()][0] === 0 && [...[5].values()][0] === 5
### flat and flatMap
[1, [2, [3, [4]]]].flat(Infinity).join() === '1,2,3,4' && [1, 2].flatMap(x => [x, x * 2]).join() === '1,2,2,4'
### at
[1, 2, 3].at(-1) === 3 && 'abc'.at(-1) === 'c'
### toSorted, toReversed, with, toSpliced
const l = [3, 1, 2]; l.toSorted().join() === '1,2,3' && l.toReversed().join() === '2,1,3' && l.with(0, 9).join() === '9,1,2' && l.toSpliced(1, 1).join() === '3,2' && l.join() === '3,1,2'
### stable sort
const l = Array.from({ length: 200 }, (_, i) => ({ k: i % 3, i })); l.sort((a, b) => a.k - b.k); l.every((x, j) => j === 0 || l[j - 1].k < x.k || l[j - 1].i < x.i)
### String includes, startsWith, endsWith, repeat
'abc'.includes('b') && 'abc'.startsWith('b', 1) && 'abc'.endsWith('b', 2) && 'ab'.repeat(2) === 'abab'
### padStart and padEnd
'5'.padStart(3, '0') === '005' && 'a'.padEnd(4, 'xy') === 'axyx'
### trimStart and trimEnd
' a '.trimStart() === 'a ' && ' a '.trimEnd() === ' a'
### code points and normalize
'😀'.codePointAt(0) === 0x1f600 && String.fromCodePoint(0x1f600) === '😀' && 'e\u0301'.normalize().length === 1
### replaceAll
'a.b.c'.replaceAll('.', '$&-') === 'a.-b.-c' && 'aXbX'.replaceAll(/x/gi, m => m + '!') === 'aX!bX!' && 'ab'.replaceAll('', '-') === '-a-b-'
### matchAll
[...'a1b2'.matchAll(/([a-z])(\d)/g)].map(m => m[1] + m[2] + m.index).join() === 'a10,b22'
### Number statics
Number.isInteger(5) && !Number.isInteger(5.5) && Number.isSafeInteger(2 ** 53 - 1) && Number.EPSILON > 0 && Number.parseFloat('1.5') === 1.5 && !Number.isNaN('x')
### Math of ES2015
Math.trunc(-1.5) === -1 && Math.sign(-3) === -1 && Math.hypot(3, 4) === 5 && Math.cbrt(27) === 3 && Math.log2(8) === 3 && Math.clz32(1) === 31 && Math.imul(3, 4) === 12
### binary, octal and separated literals
0b101 === 5 && 0o17 === 15 && 1_000_000 === 1e6
### code point escapes
'\u{1F600}' === '😀'
### exponent
let x = 2; x **= 3; x ** 2 === 64
### trailing commas
((a, b,) => a + b)(1, 2,) === 3
### optional catch binding
let r; try { throw 1; } catch { r = true; } r
### optional chaining
const o = { a: { f() { return this.v; }, v: 1 } }; o?.a?.f?.() === 1 && o.b?.c.d.e === undefined && o.x?.() === undefined && o?.['a'].v === 1
### nullish coalescing
(null ?? 1) === 1 && (0 ?? 1) === 0
### logical assignment
let a = null, b = 0, c = 1; a ??= 1; b ||= 2; c &&= 3; a + b + c === 6
### globalThis
globalThis.Array === Array
### RegExp u
/^.$/u.test('😀') && /\u{61}/u.test('a')
### RegExp y
const r = /a/y; r.lastIndex = 1; r.test('ba') && !r.test('ba')
### RegExp s
/a.b/s.test('a\nb') && !/a.b/.test('a\nb')
### RegExp flags
/a/gi.flags === 'gi' && String(/a/g) === '/a/g' && /a/s.dotAll
### RegExp named groups
const m = /(?<y>\d{4})-(?<m>\d\d)/.exec('on 2024-05'); m.groups.y === '2024' && '2024-05'.replace(/(?<y>\d{4})-(?<m>\d\d)/, '$<m>/$<y>') === '05/2024' && 'ab'.match(/(?<x>b)/).groups.x === 'b'
### RegExp lookbehind
'$42'.match(/(?<=\$)\d+/)[0] === '42' && /(?<!a)b/.test('cb') && !/(?<!a)b/.test('ab')
### RegExp properties
/^\p{Lu}\p{Ll}+$/u.test('Éa') && /\p{Script=Greek}/u.test('α') && /\P{L}/u.test('1')
### RegExp back references and classes
/(a)\1/.test('aa') && /[\w-]+@[^\s@]+/.test('a-b@c') && /[[\]]/.test('[') && /[^]/.test('\n') && /^[a-c&&d]+$/.test('a&d')
### RegExp constructor
new RegExp('a+', 'g').source === 'a+' && 'xaay'.replace(new RegExp(/A+/, 'i'), '-') === 'x-y' && RegExp('a') instanceof RegExp
### RegExp split, search, replace
'a1b22c'.split(/\d+/).join() === 'a,b,c' && 'abc'.search(/c/) === 2 && 'abc'.replace(/(b)(c)/, '$2$1') === 'acb' && 'aaa'.replace(/a/g, (m, i) => i) === '012'
### RegExp multiline and word boundary
'a\nb'.match(/^b$/m)[0] === 'b' && /\bfoo\b/.test('a foo b') && !/\bfoo\b/.test('food') && 'line1\r\nline2'.match(/^line\d$/gm).length === 2
### RegExp case-insensitive
/straße/i.test('STRAßE') && /[a-z]/i.test('K')
### RegExp invalid throws SyntaxError
let r = false; try { new RegExp('(a'); } catch (e) { r = e instanceof SyntaxError; } r
### RegExp e-mail and date
/^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}$/.test('a.b@c.de') && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/.test(new Date().toISOString())
### typed arrays and their methods
const t = new Uint8Array([3, 1, 2]); t.map(x => x * 2).join() === '6,2,4' && [...t].length === 3 && t.slice(1).length === 2 && t.includes(1) && Uint8Array.from([1, 2]).length === 2 && t.find(x => x === 2) === 2
### block functions
let r; { function f() { return 1; } r = f(); } r === 1
### Error cause and stack
const e = new Error('a', { cause: 'b' }); e.cause === 'b' && typeof e.stack === 'string' && new TypeError('x') instanceof TypeError && e.constructor.name === 'Error'
### errors of the engine are errors of the language
let ok = 0; try { null.x; } catch (e) { ok += e instanceof TypeError; } try { nope; } catch (e) { ok += e instanceof ReferenceError; } try { JSON.parse('{'); } catch (e) { ok += e instanceof SyntaxError; } ok === 3
### Error.captureStackTrace
function E() { Error.captureStackTrace(this, E); } typeof new E().stack === 'string'
### getters and setters
const o = { get a() { return this._a * 2; }, set a(v) { this._a = v; } }; o.a = 2; o.a === 4 && Object.defineProperty({}, 'x', { get: () => 1 }).x === 1
### JSON
JSON.stringify({ a: [1, undefined, () => 1], b: undefined, d: new Date(0), n: NaN }, null, 1).length > 10 && JSON.parse('{"a":[1,{"b":2}]}', (k, v) => k === 'b' ? 3 : v).a[1].b === 3
### Date
new Date('2024-01-02T03:04:05.678Z').toISOString() === '2024-01-02T03:04:05.678Z' && Date.UTC(2020, 0) === 1577836800000
### structuredClone
const o = { a: [1], m: new Map([[1, { b: 2 }]]), d: new Date(0) }; o.self = o; const c = structuredClone(o); c !== o && c.self === c && c.m.get(1).b === 2 && c.d.getTime() === 0
### TextEncoder and TextDecoder
new TextEncoder().encode('é😀').length === 6 && new TextDecoder().decode(new TextEncoder().encode('é😀')) === 'é😀'
### atob and btoa
btoa('hello') === 'aGVsbG8=' && atob('aGVsbG8=') === 'hello'
### timers
new Promise(r => { const log = []; const i = setInterval(() => { log.push('i'); if (log.length === 3) { clearInterval(i); r(log.length === 3); } }, 1); const t = setTimeout(() => log.push('never'), 5000); clearTimeout(t); })
### timers run in order
new Promise(r => { const log = []; setTimeout(() => log.push(2), 4); setTimeout(() => log.push(1), 1); setTimeout(x => r(log.concat(x).join() === '1,2,3'), 8, 3); })
### crypto
/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()) && crypto.getRandomValues(new Uint8Array(8)).length === 8
### URL
const u = new URL('../c?x=1&y=%20#h', 'https://u:p@Example.com:8080/a/b/'); u.href === 'https://u:p@example.com:8080/a/c?x=1&y=%20#h' && u.searchParams.get('x') === '1' && u.host === 'example.com:8080' && u.pathname === '/a/c'
### URLSearchParams
const p = new URLSearchParams({ a: '1 2', b: 'é' }); p.append('a', '3'); p.toString() === 'a=1+2&b=%C3%A9&a=3' && p.getAll('a').length === 2 && [...p].length === 3
### URL search is live
const u = new URL('http://a/b'); u.searchParams.set('q', 'x y'); u.href === 'http://a/b?q=x+y'
### toLocaleString groups thousands
(1234567.5).toLocaleString() === '1,234,567.5'
### strict mode
'use strict'; (function () { return this; })() === undefined
### switch, labels, do-while, comma
let n = 0; do { switch (n) { case 0: n++; default: n += 2; } } while (n < 6); (n, true)
### Function.prototype.bind, call, apply
function f(a, b) { return this.v + a + b; } f.bind({ v: 1 }, 2)(3) === 6 && f.call({ v: 1 }, 1, 1) === 3 && f.apply({ v: 0 }, [1, 2]) === 3
### arguments object
(function () { return arguments.length + [...arguments].length; })(1, 2) === 4
### getter in class with computed name
const k = 'z'; class A { get [k]() { return 1; } static ['s' + k]() { return 2; } } new A().z + A.sz() === 3
### delete, in, instanceof, typeof
const o = { a: 1 }; delete o.a; !('a' in o) && o instanceof Object && typeof null === 'object' && typeof (() => 1) === 'function'
### isObject conversions of ES2015
Object.keys('ab').length === 2 && Object.freeze(1) === 1
### function hoisting in the entry
const v = later(); function later() { return true; } v
### no Proxy
new Proxy({}, { get: () => true }).x
### no class call check
class A {} let r = false; try { A(); } catch (e) { r = e instanceof TypeError; } r
### no iterator close on break
let closed = false; const it = { [Symbol.iterator]() { return { next: () => ({ done: false }), return() { closed = true; return {}; } }; } }; for (const x of it) break; closed
### no Symbol.toPrimitive
+{ [Symbol.toPrimitive]: () => 7 } === 7
### no Symbol.hasInstance
1 instanceof { [Symbol.hasInstance]: () => true }
### no Symbol.description
Symbol('d').description === 'd'
### no BigInt
10n ** 20n > 0n
### no new.target
function F() { return new.target === F; } new F() instanceof F && F() === false
### no const reassignment at run time
const x = 1; let r = false; try { x = 2; } catch (e) { r = true; } r
### no super in an object literal
const o = { __proto__: { f() { return true; } }, f() { return super.f(); } }; o.f()
### no function name inference
const f = () => 1; f.name === 'f'
