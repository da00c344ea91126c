package sh.fazt.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Ways out of the sandbox. Each attempt ends in {@code out(value)} when it believes to hold something of Java, or in an
 * error or a harmless value. The published escapes of Nashorn sandboxes are among them.
 */
final class EscapeTest {
    private static final Apps APPS = new Apps();

    /** Whatever an attempt returns is looked at for signs of Java. */
    private static final String JUDGE = """
            function out(v) {
              const signs = [];
              const names = ['getClass', 'class', 'hashCode', 'wait', 'notify', 'getClassLoader', 'forName',
                'getStackTrace', 'getSuppressed', 'addSuppressed', 'getBytes', 'chars', 'loadClass', 'exec', 'invoke',
                'getThrown', 'fillInStackTrace', 'newInstance', 'getDeclaredMethods', 'getEcmaError', 'compareTo'];
              for (const name of names) {
                let member;
                try { member = v[name]; } catch (e) { continue; }
                if (member !== undefined) { signs.push(name); }
              }
              return signs.length ? 'OUT ' + signs.join() + ' ' + typeof v : 'in';
            }
            function attempt() {
            %s
            }
            let verdict;
            try { verdict = attempt(); } catch (e) { verdict = out(e) === 'in' ? 'in, by ' + e : out(e); }
            respond(200, String(verdict), { 'Content-Type': 'text/plain' });
            """;

    @AfterAll
    static void close() {
        APPS.close();
    }

    private static Map<String, String> attempts() {
        Map<String, String> all = new LinkedHashMap<>();
        for (String name : List.of(
                "Java",
                "Packages",
                "java",
                "javax",
                "javafx",
                "com",
                "edu",
                "org",
                "JavaImporter",
                "JSAdapter",
                "load",
                "loadWithNewGlobal",
                "quit",
                "exit",
                "print",
                "readLine",
                "readFully",
                "echo",
                "engine",
                "context",
                "$ENV",
                "$EXEC",
                "$ARG",
                "$OPTIONS",
                "__FILE__",
                "__DIR__",
                "__LINE__",
                "__noSuchProperty__",
                "process",
                "hooks",
                "global")) {
            all.put("global " + name, "return typeof " + name + " === 'undefined' ? 'in' : 'OUT ' + typeof " + name);
            all.put(
                    "this." + name,
                    "return (function () { return typeof this['" + name + "'] === 'undefined' ? 'in' : 'OUT'; })()");
        }
        all.put("engine of the script engine", "return out(this.engine.factory.getScriptEngine('--no-java=false'))");
        all.put("delete engine", "delete this.engine; return out(this.engine.factory)");
        all.put("context", "return out(globalThis.context.getBindings(100))");
        all.put("Java.type", "return out(Java.type('java.lang.Runtime'))");
        all.put("Packages", "return out(Packages.java.lang.System)");
        all.put("string getClass", "return out('a'.getClass())");
        all.put("string class", "return out('a'.class)");
        all.put("string getBytes", "return out('a'.getBytes())");
        all.put("string itself", "return out('a')");
        all.put("concatenated string", "return out('a' + Math.random() + attempt)");
        all.put("computed member", "return out('a'['get' + 'Class']())");
        all.put("string chars", "return out('abc'.chars())");
        all.put("string matches", "return 'abc'.matches === undefined ? 'in' : 'OUT'");
        all.put("number", "return out(1)");
        all.put("fraction", "return out(1.5)");
        all.put("boolean", "return out(true)");
        all.put("symbol", "return out(Symbol('x'))");
        all.put("boxed", "return out(new String('x')) + out(new Number(1)) === 'inin' ? 'in' : 'OUT'");
        all.put("thrown by null", "try { null.x; } catch (e) { return out(e); }");
        all.put("nashornException", "try { null.x; } catch (e) { return out(e.nashornException); }");
        all.put("nashornException of own", "return out(new Error('x').nashornException)");
        all.put(
                "nashornException members",
                "const j = new Error('x').nashornException; let s = ''; for (const k in j) s += k; return s === '' ? 'in' : 'OUT ' + s");
        all.put(
                "stack overflow",
                "const f = () => f(); try { f(); } catch (e) { return out(e) === 'in' && e instanceof RangeError ? 'in' : 'OUT'; }");
        all.put(
                "stack overflow in finally",
                "let seen = 'in'; const f = () => { try { f(); } catch (e) { if (out(e) !== 'in') seen = 'OUT'; throw e; } finally { } }; try { f(); } catch (e) { } return seen");
        all.put("invalid array length", "try { new Array(-1); } catch (e) { return out(e); }");
        all.put("invalid date", "try { new Date(NaN).toISOString(); } catch (e) { return out(e); }");
        all.put("toFixed", "try { (1).toFixed(1000); } catch (e) { return out(e); }");
        all.put("decodeURIComponent", "try { decodeURIComponent('%'); } catch (e) { return out(e); }");
        all.put("bad regex", "try { new RegExp('(?<'); } catch (e) { return out(e); }");
        all.put("host error", "try { fazt.app.kv.get(); } catch (e) { return out(e); }");
        all.put(
                "host error in incr",
                "try { fazt.app.kv.set('s', 'x'); fazt.app.kv.incr('s'); } catch (e) { return out(e); }");
        all.put("host error in require", "try { require('../../etc/passwd'); } catch (e) { return out(e); }");
        all.put("host function", "return out(fazt.app.kv.get)");
        all.put("host function constructor", "return out(fazt.app.kv.get.constructor('return this')())");
        all.put("new host function", "return out(new respond(1))");
        all.put("host function apply", "return out(respond.apply(null, [1]))");
        all.put("host function bind", "return out(respond.bind(null))");
        all.put("host function call with odd this", "return out(fazt.app.kv.list.call('x'))");
        all.put("host function toString", "return out(respond.toString())");
        all.put("console", "return out(console.log)");
        all.put("require", "return out(require.__proto__.constructor)");
        all.put("Function", "return out(Function('return this')())");
        all.put("constructor of a function", "return out((() => 1).constructor('return this')())");
        all.put("constructor of a generator", "return out((function* () {}).constructor('return this')())");
        all.put("constructor of an async function", "return out((async () => 1).constructor('return this')())");
        all.put("eval", "return out(eval('1'))");
        all.put("indirect eval", "return out((0, eval)('1'))");
        all.put("setTimeout with text", "return out(setTimeout('1', 1))");
        all.put("constructor chain", "return out([].constructor.constructor.constructor('return 1')())");
        all.put("proto chain", "return out(Object.getPrototypeOf(respond).constructor('return 1')())");
        all.put(
                "redefine Function.prototype.constructor",
                "Object.defineProperty(Function.prototype, 'constructor', { value: 1 }); return 'OUT'");
        all.put("Object.bindProperties", "return typeof Object.bindProperties === 'undefined' ? 'in' : 'OUT'");
        all.put(
                "setIndexedPropertiesToExternalArrayData",
                "return typeof Object.setIndexedPropertiesToExternalArrayData === 'undefined' ? 'in' : 'OUT'");
        all.put("Error.dumpStack", "return typeof Error.dumpStack === 'undefined' ? 'in' : 'OUT'");
        all.put("getStackTrace", "return typeof new Error().getStackTrace === 'undefined' ? 'in' : 'OUT'");
        all.put("printStackTrace", "return typeof new Error().printStackTrace === 'undefined' ? 'in' : 'OUT'");
        all.put(
                "stack shows no Java",
                "try { fazt.app.kv.get(); } catch (e) { return /java|nashorn|sh\\.fazt/.test(e.stack) ? 'OUT ' + e.stack : 'in'; }");
        all.put(
                "native stack shows no Java",
                "try { [1].map(() => null.x); } catch (e) { return /\\.java|nashorn/.test(e.stack) ? 'OUT ' + e.stack : 'in'; }");
        all.put(
                "captureStackTrace",
                "const o = {}; Error.captureStackTrace(o); return out(o) === 'in' && out(o.stack) === 'in' && out(o.nashornException) === 'in' ? 'in' : 'OUT'");
        all.put("__noSuchMethod__", "const o = { __noSuchMethod__: n => n }; return out(o.foo())");
        all.put("__noSuchProperty__", "const o = { __noSuchProperty__: n => n }; return out(o.foo)");
        all.put("iterator of the headers", "for (const k in request.headers) { } return out(request.headers.getClass)");
        all.put("request", "return out(request)");
        all.put("request prototype", "return out(Object.getPrototypeOf(request))");
        all.put("machinery", "return out($jscomp)".replace("$jscomp", "globalThis['$jscomp']"));
        all.put(
                "machinery is nailed down",
                "'use strict'; globalThis['$jscomp'].makeIterator = 1; return typeof globalThis['$jscomp'].makeIterator === 'function' ? 'in' : 'OUT'");
        all.put("array of the engine", "return out([1, 2].map)");
        all.put("arguments", "return out((function () { return arguments; })(1))");
        all.put("date", "return out(new Date())");
        all.put("map iterator", "return out(new Map([[1, 2]]).entries())");
        all.put("typed array buffer", "return out(new Uint8Array(2).buffer)");
        all.put("regexp match", "return out(/a/.exec('a'))");
        all.put("RegExp statics", "/a/.test('a'); return out(RegExp['$&'] || RegExp.lastMatch || 'x')");
        all.put("JSON.parse proto", "return out(JSON.parse('{\"__proto__\": {\"x\": 1}}'))");
        all.put("with", "return globalThis.getClass === undefined ? 'in' : 'OUT'");
        all.put("arrow on a java name", "return out(java.lang.System.exit(1))");
        all.put("class of this", "return out((function () { return this; })())");
        all.put("Symbol as key", "return out(Object.getOwnPropertySymbols(Object.prototype))");
        all.put("wait on a string", "'a'.wait(1); return 'OUT'");
        all.put("concat of a promise", "return out(Promise.resolve(1))");
        all.put(
                "generator context",
                "function* g() { yield 1; } return out(g()) === 'in' && out(g()._context) === 'in' ? 'in' : 'OUT'");
        return all;
    }

    @TestFactory
    List<DynamicTest> staysIn() {
        List<DynamicTest> tests = new ArrayList<>();
        attempts()
                .forEach((name, code) -> tests.add(DynamicTest.dynamicTest(name, () -> {
                    Result result = APPS.run(JUDGE.formatted(code.replace("$ENV", "$ENV")));
                    assertThat(Apps.body(result)).startsWith("in");
                })));
        return tests;
    }

    @Test
    void theJudgeSeesJava() {
        // A value with a member of the list is recognised: otherwise every attempt would look harmless.
        assertThat(APPS.body(JUDGE.formatted("return out({ getClass: 1 })"))).startsWith("OUT getClass");
    }

    @Test
    void appsDoNotShareObjects() {
        Result poisoned = APPS.run(
                Apps.app("one", "Array.prototype.leak = 1; Object.prototype.leak = 1; globalThis.leak = 1; 'done'"),
                Apps.get("/"),
                Budget.DEFAULT);
        assertThat(Apps.body(poisoned)).isEqualTo("done");
        Result other =
                APPS.run(Apps.app("two", "respond([[].leak, typeof leak, ({}).leak])"), Apps.get("/"), Budget.DEFAULT);
        assertThat(Apps.body(other)).isEqualTo("[null,\"undefined\",null]");
    }

    @Test
    void globalsDoNotOutliveTheRequest() {
        App app = Apps.app(
                "one",
                "counter = typeof counter === 'undefined' ? 1 : counter + 1; let top = 1; respond(counter + '')");
        for (int i = 0; i < 5; i++) {
            assertThat(Apps.body(APPS.run(app, Apps.get("/"), Budget.DEFAULT))).isEqualTo("1");
        }
    }
}
