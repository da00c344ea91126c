package sh.fazt.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import sh.fazt.runtime.Result.Failed;
import sh.fazt.runtime.Result.Reason;
import sh.fazt.testkit.Await;

/**
 * Whatever a script does, its caller has an answer shortly after the deadline, others are served meanwhile, and no
 * thread keeps spinning. The times are real: this is about stopping real threads.
 */
final class RunawayTest {
    private static final Duration TIME = Duration.ofMillis(300);
    /** What the promise to the caller is, and what a crowded machine may add. */
    private static final Duration LATEST = TIME.plusMillis(100).plusMillis(400);

    private static final Apps APPS = new Apps();
    private static final App GOOD = Apps.app("good", "respond('fine')");

    @BeforeAll
    static void warm() {
        APPS.run(GOOD, Apps.get("/api"), Budget.DEFAULT);
    }

    @AfterAll
    static void close() {
        APPS.close();
    }

    /** Scripts that never end by themselves, or not soon. */
    private static Map<String, String> runaways() {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("while", "while (true) {}");
        all.put("for", "for (;;);");
        all.put("do", "do ; while (1)");
        all.put("labelled continue", "a: while (true) { while (true) continue a; }");
        all.put("in a function", "function f() { while (true) {} } f()");
        all.put("in an arrow", "[1].map(() => { while (true) {} })");
        all.put("swallowed by catch", "while (true) { try { while (true) {} } catch (e) {} }");
        all.put("swallowed by finally", "function f() { try { while (true) {} } finally { while (true) {} } } f()");
        all.put("returned from finally", "function f() { for (;;) { try { for (;;); } finally { continue; } } } f()");
        all.put(
                "swallowed by a promise",
                "const f = () => Promise.resolve().then(() => { while (true) {} }).catch(f); f()");
        all.put("microtasks", "const f = () => Promise.resolve().then(f); f()");
        all.put("queueMicrotask", "const f = () => queueMicrotask(f); f()");
        all.put("await", "const f = async () => { for (;;) await null; }; f()");
        all.put("timers", "new Promise(() => { const f = () => setTimeout(f, 0); f(); })");
        all.put("interval", "new Promise(() => setInterval(() => {}, 1))");
        all.put("late timer", "new Promise(r => setTimeout(r, 60000))");
        all.put("generator", "function* g() { while (true) yield 1; } for (const x of g()) ;");
        all.put("infinite spread", "function* g() { while (true) yield; } [...g()]");
        all.put("infinite iterator", "Array.from({ [Symbol.iterator]: () => ({ next: () => ({ done: false }) }) })");
        all.put("recursion with catch", "const f = () => { try { f(); } catch (e) { f(); } }; f()");
        all.put("caught recursion in a loop", "const f = () => f(); for (;;) { try { f(); } catch (e) {} }");
        all.put("valueOf", "({ valueOf() { for (;;); } }) + 1");
        all.put("toString", "String({ toString() { for (;;); } })");
        all.put("toJSON", "JSON.stringify({ toJSON() { for (;;); } })");
        all.put("toJSON of the response", "respond({ toJSON() { for (;;); } })");
        all.put("getter of the response", "respond({ get a() { for (;;); } })");
        all.put("envelope getter", "({ get status() { for (;;); } })");
        all.put("then getter", "({ get then() { for (;;); } })");
        all.put("thenable", "({ then() { for (;;); } })");
        all.put("reviver", "JSON.parse('[1]', () => { for (;;); })");
        all.put("replacer", "JSON.stringify([1], () => { for (;;); })");
        all.put("replace callback", "'a'.replace(/a/, () => { for (;;); })");
        all.put("comparator", "[2, 1].sort(() => { for (;;); })");
        all.put("log", "console.log({ get a() { for (;;); } })");
        all.put("kv that never answers", "fazt.app.kv.get('stuck')");
        all.put("kv value", "fazt.app.kv.set('a', { toJSON() { for (;;); } })");
        all.put("ds that looks for ever", "fazt.app.ds.count('endless')");
        all.put("ds value", "fazt.app.ds.insert('a', { toJSON() { for (;;); } })");
        // The references keep java.util.regex from remembering where it has failed before.
        all.put("regex", "/^(a+)+\\1$/.test('a'.repeat(40) + 'b')");
        all.put("regex alternation", "/^(a|a)*\\1$/.test('a'.repeat(40) + 'b')");
        all.put("regex in exec", "/(x+x+)+\\1y/.exec('x'.repeat(60))");
        all.put("regex in replace", "'x'.repeat(60).replace(/(x+x+)+\\1y/g, '')");
        all.put("regex in split", "'x'.repeat(60).split(/(x+x+)+\\1y/)");
        all.put("regex quadratic", "/\\s+$/.test(' '.repeat(3e6) + 'x')");
        all.put("sparse join", "const a = []; a[4e9] = 1; a.join()");
        all.put("array-like", "Array.prototype.indexOf.call({ length: 9e15 }, 1)");
        all.put("array-like map", "Array.prototype.map.call({ length: 4e9 }, x => x)");
        all.put("array-like includes", "Array.prototype.includes.call({ length: 9e15 }, 1)");
        all.put("sparse sort", "const a = []; a.length = 4e9; a.sort(); for (;;);");
        all.put("sparse reverse", "const a = []; a[4e9] = 1; a.reverse()");
        all.put("JSON exponential", "let a = [1]; for (let i = 0; i < 40; i++) a = [a, a]; JSON.stringify(a)");
        all.put("response exponential", "let a = [1]; for (let i = 0; i < 40; i++) a = [a, a]; respond(a)");
        all.put("log exponential", "let a = [1]; for (let i = 0; i < 40; i++) a = [a, a]; for (;;) console.log(a)");
        all.put("require in a loop", "for (;;) { try { require('./no.js'); } catch (e) {} }");
        all.put("errors in a loop", "for (;;) { try { null.x; } catch (e) { e.stack; } }");
        all.put("bind chain", "let f = () => 1; for (;;) f = f.bind(null);");
        all.put("date", "for (;;) new Date().toISOString();");
        return all;
    }

    @TestFactory
    List<DynamicTest> stopsInTime() {
        List<DynamicTest> tests = new ArrayList<>();
        runaways()
                .forEach((name, code) -> tests.add(DynamicTest.dynamicTest(name, () -> {
                    App app = Apps.app("bad", code);
                    long start = System.nanoTime();
                    CompletionStage<Result> stage = APPS.start(app, TIME);
                    // Another app is served while this one burns.
                    assertThat(Apps.body(Apps.await(APPS.start(GOOD, Duration.ofSeconds(5)))))
                            .isEqualTo("fine");
                    Failed failed = Apps.failed(Apps.await(stage));
                    Duration took = Duration.ofNanos(System.nanoTime() - start);
                    assertThat(failed.reason())
                            .as(failed.toString())
                            .isIn(Reason.TIMEOUT, Reason.MEMORY, Reason.RECURSION);
                    // A realm is opened and the script compiled before the time begins.
                    assertThat(took).isLessThan(LATEST.plusMillis(600));
                    Await.until(
                            "the runaway has ended",
                            Duration.ofSeconds(3),
                            () -> APPS.runtime.status().running() == 0);
                    assertThat(APPS.runtime.status().abandoned())
                            .as("threads given up")
                            .isZero();
                })));
        return tests;
    }

    /** Scripts that need more memory than they may have. */
    private static Map<String, String> gluttons() {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("array push", "const a = []; for (;;) a.push({ x: 1 })");
        all.put("string doubling", "let s = 'x'; for (;;) s += s;");
        all.put("string growth", "let s = ''; for (;;) s += 'xxxxxxxxxxxxxxxx' + s.length;");
        all.put("repeat", "'x'.repeat(1e9)");
        all.put("padStart", "'x'.padStart(1e9)");
        all.put("big typed array", "new Float64Array(2e8)");
        all.put("many typed arrays", "const a = []; for (;;) a.push(new Uint8Array(1e6))");
        all.put("big buffer", "new ArrayBuffer(1e9)");
        all.put("concat doubling", "let a = [1]; for (;;) a = a.concat(a);");
        all.put("spread doubling", "let a = [1]; for (;;) a = [...a, ...a];");
        all.put("map", "const m = new Map(); for (let i = 0; ; i++) m.set(i, {});");
        all.put("object keys", "const o = {}; for (let i = 0; ; i++) o['k' + i] = i;");
        all.put("closures", "const a = []; for (;;) a.push(() => a);");
        all.put("fill", "new Array(1e8).fill(0)");
        all.put("apply", "Math.max.apply(null, { length: 3e8 })");
        all.put("join", "new Array(1e8).join('xxxxxxxx')");
        all.put("split", "'x'.repeat(5e7).split('')");
        all.put("encodeURIComponent", "let s = '%'.repeat(3e7); encodeURIComponent(s) + encodeURIComponent(s)");
        all.put(
                "JSON indent",
                "let a = []; for (let i = 0; i < 3000; i++) a = [a]; for (;;) JSON.stringify(a, null, 10);");
        all.put("replace", "let s = 'x'; for (;;) s = s.replace(/x/g, 'xx');");
        all.put("microtasks", "const f = () => { Promise.resolve().then(f); Promise.resolve().then(f); }; f()");
        all.put("timers that hold", "const a = 'x'.repeat(1e6); for (let i = 0; ; i++) setTimeout(() => a + i, 1e6);");
        all.put("promises", "const a = []; for (;;) a.push(new Promise(() => {}));");
        return all;
    }

    @TestFactory
    List<DynamicTest> stopsGluttons() {
        Budget budget = new Budget(Duration.ofSeconds(3), 64 << 20, 1 << 20);
        List<DynamicTest> tests = new ArrayList<>();
        gluttons()
                .forEach((name, code) -> tests.add(DynamicTest.dynamicTest(name, () -> {
                    Failed failed = Apps.failed(APPS.run(Apps.app("fat", code), Apps.get("/api"), budget));
                    assertThat(failed.reason()).as(failed.toString()).isIn(Reason.MEMORY, Reason.TIMEOUT, Reason.THREW);
                    assertThat(Apps.body(Apps.await(APPS.start(GOOD, Duration.ofSeconds(5)))))
                            .isEqualTo("fine");
                })));
        return tests;
    }

    @Test
    void recursionIsAnErrorOfItsOwn() {
        Failed failed = Apps.failed(APPS.run("function f(n) { return f(n + 1) + 1; }\nf(0)"));
        assertThat(failed.reason()).isEqualTo(Reason.RECURSION);
        assertThat(failed.stack()).contains("at f (api/main.js:1)");
    }

    @Test
    void recursionCanBeCaught() {
        assertThat(
                        APPS.body(
                                "function f() { return f() + 1; }\nlet r; try { f(); } catch (e) { r = e instanceof RangeError; } r"))
                .isEqualTo("true");
    }

    @Test
    void recursionThroughPromisesIsTold() {
        assertThat(Apps.failed(APPS.run("async function f() { return g(); } function g() { return g() + 1; }\nf()"))
                        .reason())
                .isEqualTo(Reason.RECURSION);
    }

    @Test
    void promiseThatNothingCanSettle() {
        Failed failed = Apps.failed(APPS.run("new Promise(() => {})"));
        assertThat(failed.reason()).isEqualTo(Reason.THREW);
        assertThat(failed.message()).contains("never settles");
    }

    @Test
    void requestsOfTheSameAppAreServedWhileOthersBurn() {
        App app = Apps.app("mixed", "if (request.path === '/burn') { while (true) {} }\nrespond('fine')");
        Apps.await(APPS.runtime.invoke(app, Apps.get("/"), Budget.DEFAULT));
        Budget budget = Budget.DEFAULT.withTime(Duration.ofSeconds(4));
        List<CompletionStage<Result>> burning = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            burning.add(APPS.runtime.invoke(app, Apps.get("/burn"), budget));
        }
        // How many are served while three threads burn two cores is the machine's affair; that some are is ours.
        for (int i = 0; i < 20; i++) {
            assertThat(Apps.body(APPS.run(app, Apps.get("/"), budget))).isEqualTo("fine");
            if (i == 2) {
                assertThat(burning)
                        .noneMatch(stage -> stage.toCompletableFuture().isDone());
            }
        }
        burning.forEach(
                stage -> assertThat(Apps.failed(Apps.await(stage)).reason()).isEqualTo(Reason.TIMEOUT));
    }

    @Test
    void oneAppCanNotTakeEveryWorker() {
        App bad = Apps.app("greedy", "while (true) {}");
        List<CompletionStage<Result>> burning = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            burning.add(APPS.start(bad, Duration.ofMillis(800)));
        }
        assertThat(Apps.body(Apps.await(APPS.start(GOOD, Duration.ofSeconds(5)))))
                .isEqualTo("fine");
        burning.forEach(
                stage -> assertThat(Apps.failed(Apps.await(stage)).reason()).isEqualTo(Reason.TIMEOUT));
    }

    @Test
    void tooManyWaitingIsAnAnswer() {
        try (Apps small = new Apps(new RuntimeOptions(2, 1, 2, Duration.ofMinutes(1)))) {
            App app = Apps.app("app", "while (true) {}");
            List<CompletionStage<Result>> all = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                all.add(small.start(app, Duration.ofMillis(100)));
            }
            List<Reason> reasons =
                    all.stream().map(s -> Apps.failed(Apps.await(s)).reason()).toList();
            assertThat(reasons).contains(Reason.OVERLOADED, Reason.TIMEOUT);
            assertThat(small.runtime.status().refused()).isPositive();
        }
    }
}
