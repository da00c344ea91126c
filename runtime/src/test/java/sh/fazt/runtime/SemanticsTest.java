package sh.fazt.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import sh.fazt.runtime.Result.Failed;
import sh.fazt.runtime.Result.Reason;
import sh.fazt.runtime.Result.Response;

/** What an app sees and what becomes of its answer. */
final class SemanticsTest {
    private static final Apps APPS = new Apps();

    @AfterAll
    static void close() {
        APPS.close();
    }

    @BeforeEach
    void quiet() {
        APPS.log.clear();
    }

    private static Response response(Result result) {
        Apps.body(result);
        return (Response) result;
    }

    private static String seen(Request request, String expression) {
        return Apps.body(APPS.run(Apps.app("app", "respond(" + expression + ")"), request, Budget.DEFAULT));
    }

    // Responses.

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    respond()                          | 200 |
                    respond(404)                       | 404 |
                    respond('hi')                      | 200 | hi
                    respond({a: 1})                    | 200 | {"a":1}
                    respond([1, 'b'])                  | 200 | [1,"b"]
                    respond(201, {a: 1})               | 201 | {"a":1}
                    respond(204, null)                 | 204 |
                    respond(1.5, 'x')                  | 200 | x
                    respond('a', 'b')                  | 200 | b
                    respond(true)                      | 200 | true
                    undefined                          | 200 |
                    null                               | 200 |
                    42                                 | 200 | 42
                    "text"                             | 200 | text
                    [1, 2]                             | 200 | [1,2]
                    ({a: 1})                           | 200 |
                    ({status: 202, body: {b: 2}})      | 202 | {"b":2}
                    ({body: 'x'})                      | 200 | x
                    if (true) { respond(1, 'a') } else { respond(2) } | 1a |
                    respond(500); respond(201)         | 201 |
                    return respond(207)                | 207 |
                    function handler() {}              | 200 |
                    Promise.resolve(respond(203, 'p')) | 203 | p
                    const x = await 1; respond(200 + x)| 201 |
                    new Date(0)                        | 200 |
                    respond(new Date(0))               | 200 | "1970-01-01T00:00:00.000Z"
                    respond({a: undefined, b: [undefined, NaN]}) | 200 | {"b":[null,null]}
                    respond(200, new Uint8Array([104, 105])) | 200 | hi
                    respond(200, new Uint8Array([104, 105]).buffer) | 200 | hi
                    """)
    void answers(String code, String status, String body) {
        Result result = APPS.run(code);
        if (status.equals("1a")) {
            assertThat(Apps.failed(result).reason()).isEqualTo(Reason.UNSERIALISABLE);
            return;
        }
        assertThat(Apps.body(result)).isEqualTo(body == null ? "" : body);
        assertThat(response(result).status()).isEqualTo(Integer.parseInt(status));
        assertThat(response(result).contentType()).isEqualTo("application/json");
    }

    @Test
    void headersOfTheResponse() {
        Response response = response(APPS.run("respond(302, null, { Location: '/x', 'Set-Cookie': ['a=1', 'b=2'], "
                + "'content-type': 'text/plain', 'Content-Length': 9, Connection: 'close', X: undefined })"));
        assertThat(response.contentType()).isEqualTo("text/plain");
        assertThat(response.headers())
                .containsExactly(
                        new Header("Location", "/x"), new Header("Set-Cookie", "a=1"), new Header("Set-Cookie", "b=2"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    const a = {}; a.a = a; respond(a)             | can't be written as JSON
                    respond(() => 1)                              | did you mean to call it
                    respond(Symbol('x'))                          | symbol
                    ({status: 'x'})                               | status
                    respond(1000, 'x')                            | 100 to 999
                    respond(200, 'x', {'X-A': 'a\\r\\nX-B: b'})   | line break
                    respond(200, 'x', {'Content-Type': 'a\\nb'})  | line break
                    respond(200, 'x', {'X A': 'b'})               | X A
                    let a = []; for (let i = 0; i < 1e5; i++) a = [a]; respond(a) | nested too deeply
                    """)
    void whatCanNotBeSent(String code, String message) {
        Failed failed = Apps.failed(APPS.run(code));
        assertThat(failed.reason()).isEqualTo(Reason.UNSERIALISABLE);
        assertThat(failed.message()).contains(message);
    }

    @Test
    void tooLargeResponse() {
        Budget budget = new Budget(Duration.ofSeconds(5), 64 << 20, 1_000);
        Failed failed = Apps.failed(APPS.run(Apps.app("app", "'x'.repeat(1001)"), Apps.get("/"), budget));
        assertThat(failed.reason()).isEqualTo(Reason.TOO_LARGE);
        assertThat(failed.message()).contains("1001").contains("1000");
    }

    @Test
    void base64IsBytesForBinaryTypesOnly() {
        assertThat(response(APPS.run("respond(200, 'aGk=', {'Content-Type': 'image/png'})"))
                        .body())
                .isEqualTo("hi".getBytes(StandardCharsets.UTF_8));
        assertThat(APPS.body("respond(200, 'pong', {'Content-Type': 'text/plain'})"))
                .isEqualTo("pong");
        assertThat(APPS.body("respond(200, 'é😀', {'Content-Type': 'text/html'})"))
                .isEqualTo("é😀");
    }

    // Requests.

    @Test
    void theRequest() {
        Request request = Apps.post("application/json", "{\"a\":[1,{\"b\":\"é\"}]}");
        assertThat(seen(request, "request.body.a[1].b")).isEqualTo("é");
        assertThat(seen(request, "[request.method, request.path, request.host, request.ip, request.url]"))
                .isEqualTo("[\"POST\",\"/api/items\",\"app.example.com\",\"192.0.2.1\","
                        + "\"https://app.example.com/api/items?a=1&a=2&b=x%20y+z\"]");
        assertThat(seen(request, "request.query")).isEqualTo("{\"a\":\"1\",\"b\":\"x y z\"}");
        assertThat(seen(request, "request.headers"))
                .isEqualTo("{\"Content-Type\":\"application/json\",\"X-Custom-Header\":\"v\"}");
        assertThat(seen(
                        request,
                        "[request.headers['x-custom-header'], request.headers['CONTENT-TYPE'], "
                                + "request.headers.host, request.headers['getClass']]"))
                .isEqualTo("[\"v\",\"application/json\",null,null]");
        assertThat(seen(request, "[request.text, request.rawBody.length]"))
                .isEqualTo("[\"{\\\"a\\\":[1,{\\\"b\\\":\\\"é\\\"}]}\",20]");
        assertThat(seen(Apps.get("/api"), "[request.body, request.text, request.query]"))
                .isEqualTo("[null,\"\",{}]");
    }

    @Test
    void formBodies() {
        assertThat(seen(Apps.post("application/x-www-form-urlencoded", "a=1&b=x+y%C3%A9&a=2&c"), "request.body"))
                .isEqualTo("{\"a\":\"1\",\"b\":\"x yé\",\"c\":\"\"}");
        assertThat(seen(Apps.post("text/plain; charset=utf-8", "é"), "request.body"))
                .isEqualTo("é");
        assertThat(seen(Apps.post("application/octet-stream", "é"), "[request.body, request.rawBody.length]"))
                .isEqualTo("[null,2]");
    }

    @Test
    void multipartBodies() {
        String body = "--B\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nhallo\r\n"
                + "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n"
                + "\r\nline\r\n--\r\nB\r\n--B--\r\n";
        Request request = Apps.post("multipart/form-data; boundary=B", body);
        assertThat(seen(request, "request.body")).isEqualTo("{\"title\":\"hallo\"}");
        assertThat(seen(
                        request,
                        "[request.files.f.name, request.files.f.type, request.files.f.size, "
                                + "new TextDecoder().decode(request.files.f.data)]"))
                .isEqualTo("[\"a.txt\",\"text/plain\",11,\"line\\r\\n--\\r\\nB\"]");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    application/json                  | {"a":
                    application/json                  | x
                    multipart/form-data               | x
                    multipart/form-data; boundary=B   | --B
                    multipart/form-data; boundary=B   | nothing
                    """)
    void bodiesThatAreNotWhatTheyClaim(String type, String body) {
        Failed failed = Apps.failed(APPS.run(Apps.app("app", "1"), Apps.post(type, body), Budget.DEFAULT));
        assertThat(failed.reason()).isEqualTo(Reason.BAD_REQUEST);
        assertThat(failed.message()).contains("Content-Type");
        assertThat(APPS.log).isEmpty();
    }

    // Errors.

    @Test
    void anErrorNamesItsPlace() {
        Failed failed = Apps.failed(APPS.run("""
                const lib = require('./lib.js');

                function handle() {
                  return lib.fail(request?.missing ?? 3);
                }
                respond(handle());
                """, "api/lib.js", """
                // A comment that moves the lines.
                class Thing {
                  #x = 1;
                  fail(n) {
                    const { a = 1, ...rest } = {};
                    throw new TypeError(`no ${n + a}`);
                  }
                }
                exports.fail = n => new Thing().fail(n);
                """));
        assertThat(failed.reason()).isEqualTo(Reason.THREW);
        assertThat(failed.message()).isEqualTo("TypeError: no 4 at api/lib.js:6");
        assertThat(failed.stack().lines().map(String::strip).toList())
                .containsExactly(
                        "at fail (api/lib.js:6)",
                        "at fail (api/lib.js:9)",
                        "at handle (api/main.js:4)",
                        "at <anonymous> (api/main.js:6)");
        assertThat(APPS.log).hasSize(1).allMatch(line -> line.startsWith("app ERROR TypeError: no 4 at api/lib.js:6"));
    }

    @Test
    void aRejectionNamesItsPlace() {
        Failed failed = Apps.failed(APPS.run("""
                async function load() {
                  await null;
                  for (const x of [1]) {
                    await x;
                    JSON.parse('{');
                  }
                }
                load();
                """));
        assertThat(failed.reason()).isEqualTo(Reason.THREW);
        assertThat(failed.message()).startsWith("SyntaxError: Invalid JSON").endsWith("at api/main.js:5");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    throw 'x'               | thrown: x
                    throw null              | thrown: null
                    throw {a: 1}            | thrown
                    throw new Error('m')    | Error: m at api/main.js:1
                    Promise.reject(7)       | thrown: 7
                    nope()                  | ReferenceError: "nope" is not defined
                    null.x                  | TypeError
                    class E extends Error { constructor(m) { super(m); this.name = 'Mine'; } } throw new E('q') | Mine: q
                    """)
    void whateverIsThrown(String code, String message) {
        Failed failed = Apps.failed(APPS.run(code));
        assertThat(failed.reason()).isEqualTo(Reason.THREW);
        assertThat(failed.message()).contains(message);
    }

    @Test
    void stacksSpeakOfTheDeployedFiles() {
        assertThat(APPS.body("\n\nfunction f() {\n  return new Error('x').stack;\n}\nf()"))
                .contains("at f (api/main.js:4)")
                .contains("(api/main.js:6)");
    }

    @Test
    void syntaxErrors() {
        Failed failed = Apps.failed(APPS.run("let a = 1;\nlet b = ;"));
        assertThat(failed.reason()).isEqualTo(Reason.SYNTAX);
        assertThat(failed.message()).startsWith("api/main.js:2:9:");
        assertThat(Apps.failed(APPS.run("require('./broken')", "api/broken.js", "x = {"))
                        .reason())
                .isEqualTo(Reason.SYNTAX);
    }

    @Test
    void noEntry() {
        App app = new App("app", "app", "1", Apps.tree(java.util.Map.of("api/other.js", "1")));
        assertThat(Apps.failed(APPS.run(app, Apps.get("/"), Budget.DEFAULT)).reason())
                .isEqualTo(Reason.NO_ENTRY);
    }

    // Modules.

    @Test
    void modules() {
        assertThat(APPS.body(
                        "respond([require('./a').v, require('./lib/b.js').sum(1), require('lib/c'), require('./data.json').x])",
                        "api/a.js",
                        "module.exports = { v: 1 }",
                        "api/lib/b.js",
                        "const { inc } = require('./inc'); exports.sum = n => inc(n) + require('../a.js').v",
                        "api/lib/inc.js",
                        "exports.inc = n => n + 1",
                        "api/lib/c/index.js",
                        "module.exports = 'c'",
                        "api/data.json",
                        "{\"x\": [1]}"))
                .isEqualTo("[1,3,\"c\",[1]]");
    }

    @Test
    void modulesAreEvaluatedOnceAndMayBeCyclic() {
        assertThat(APPS.body(
                        "const a = require('./a'); respond([a.name, a.b().name, require('./a') === a])",
                        "api/a.js",
                        "exports.name = 'a'; const b = require('./b'); exports.b = () => b;",
                        "api/b.js",
                        "const a = require('./a'); exports.name = 'b of ' + a.name;"))
                .isEqualTo("[\"a\",\"b of a\",true]");
    }

    @Test
    void aModuleSeesTheRequestThatRuns() {
        App app = Apps.app("app", "require('./m').path()", "api/m.js", "exports.path = () => request.path");
        assertThat(Apps.body(APPS.run(app, Apps.get("/one"), Budget.DEFAULT))).isEqualTo("/one");
        assertThat(Apps.body(APPS.run(app, Apps.get("/two"), Budget.DEFAULT))).isEqualTo("/two");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    require('./nope')          | none of api/nope, api/nope.js, api/nope.json, api/nope/index.js exists
                    require('../secret')       | leaves the folder api/
                    require('lodash')          | there are no packages here
                    require()                  | needs the name of a file
                    require('./bad.json')      | api/bad.json is not valid JSON
                    require('./throws')        | Error: from throws at api/throws.js:1
                    """)
    void modulesThatCanNotBeLoaded(String code, String message) {
        Failed failed = Apps.failed(APPS.run(
                code, "api/bad.json", "{", "api/throws.js", "throw new Error('from throws')", "secret.js", "1"));
        assertThat(failed.message()).contains(message);
    }

    @Test
    void aModuleThatThrewIsTriedAgain() {
        assertThat(APPS.body(
                        "let n = 0; for (let i = 0; i < 2; i++) { try { require('./t'); } catch (e) { n++; } } respond(n + '')",
                        "api/t.js",
                        "throw 1"))
                .isEqualTo("2");
    }

    // Console.

    @Test
    void console() {
        APPS.run("console.log('a', 1, {b: [1, 'x', null]}, undefined, () => 1); console.info('%s', 'x'); "
                + "console.warn(new Map([[1, 2]])); console.error(new Error('bad')); console.debug([]); "
                + "const c = {}; c.c = c; console.log(c);");
        List<String> lines = List.copyOf(APPS.log);
        assertThat(lines.get(0)).isEqualTo("app INFO a 1 {\"b\":[1,\"x\",null]} undefined [Function]");
        assertThat(lines.get(1)).isEqualTo("app INFO %s x");
        assertThat(lines.get(2)).isEqualTo("app WARN Map {1 => 2}");
        assertThat(lines.get(3)).startsWith("app ERROR Error: bad").contains("api/main.js:1");
        assertThat(lines.get(4)).isEqualTo("app DEBUG []");
        assertThat(lines.get(5)).isEqualTo("app INFO {\"c\":[Circular]}");
    }

    // Data.

    @Test
    void keyValues() {
        assertThat(APPS.body("""
                        const kv = fazt.app.kv;
                        kv.set('a/1', { x: [1, 'é'] });
                        kv.set('a/2', null);
                        kv.set('b', 'text');
                        const before = kv.get('a/1').x[1];
                        const list = kv.list('a/');
                        kv.delete('b');
                        respond([before, list, kv.get('b') === undefined, kv.get('nope') === undefined, await kv.get('a/2')]);
                        """))
                .isEqualTo(
                        "[\"é\",[{\"key\":\"a/1\",\"value\":{\"x\":[1,\"é\"]}},{\"key\":\"a/2\",\"value\":null}],true,true,null]");
    }

    @Test
    void keyValuesCount() {
        assertThat(
                        APPS.body(
                                "const kv = fazt.app.kv; respond([kv.incr('n'), kv.incr('n', 5), await kv.incr('n', -2), kv.get('n')])"))
                .isEqualTo("[1,6,4,4]");
    }

    @Test
    void keyValuesExpire() {
        App set = Apps.app("ttl", "fazt.app.kv.set('k', 1, 5000); respond(fazt.app.kv.list()[0].expiresAt > 0)");
        App get = Apps.app("ttl", "respond(fazt.app.kv.get('k') === undefined)");
        assertThat(Apps.body(APPS.run(set, Apps.get("/"), Budget.DEFAULT))).isEqualTo("true");
        assertThat(Apps.body(APPS.run(get, Apps.get("/"), Budget.DEFAULT))).isEqualTo("false");
        APPS.keyValues.pass(Duration.ofSeconds(6));
        assertThat(Apps.body(APPS.run(get, Apps.get("/"), Budget.DEFAULT))).isEqualTo("true");
    }

    @Test
    void keyValuesBelongToTheApp() {
        APPS.run(Apps.app("one", "fazt.app.kv.set('secret', 1)"), Apps.get("/"), Budget.DEFAULT);
        assertThat(Apps.body(APPS.run(Apps.app("two", "respond(fazt.app.kv.list())"), Apps.get("/"), Budget.DEFAULT)))
                .isEqualTo("[]");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    fazt.app.kv.get()                       | needs a key
                    fazt.app.kv.set('k')                    | a value that JSON can hold
                    fazt.app.kv.set('k', () => 1)           | a value that JSON can hold
                    fazt.app.kv.set('k', 1, -5)             | at least 1 millisecond
                    fazt.app.kv.set('k', 'x'.repeat(2000))  | fazt.app.kv.set of 'k' failed: the value is too long
                    fazt.app.kv.incr('t', 1.5)              | whole number
                    fazt.app.kv.set('t', 'x'); fazt.app.kv.incr('t') | the value is no number
                    fazt.app.kv.get('')                     | 1 to 1024
                    """)
    void keyValuesRefuse(String code, String message) {
        assertThat(Apps.failed(APPS.run(code)).message()).contains(message);
        assertThat(APPS.body("let m; try { " + code + " } catch (e) { m = e instanceof Error; } respond(m)"))
                .isEqualTo("true");
    }

    @Test
    void errorsOfPortsHaveACode() {
        assertThat(APPS.body("let c; try { fazt.app.kv.set('k', 'x'.repeat(2000)); } catch (e) { c = e.code; } c"))
                .isEqualTo("quota_exceeded");
    }

    @Test
    void aFullDiskThatIsNotCaughtIsToldFromAMistakeOfTheScript() {
        Result.Failed uncaught = Apps.failed(APPS.run("fazt.app.kv.set('full', 1)"));
        assertThat(uncaught.reason()).isEqualTo(Result.Reason.NO_STORAGE);
        assertThat(uncaught.message()).contains("the disk is full");
        assertThat(Apps.failed(APPS.run("(async () => fazt.app.kv.set('full', 1))()"))
                        .reason())
                .isEqualTo(Result.Reason.NO_STORAGE);
        assertThat(Apps.failed(APPS.run("try { fazt.app.kv.set('full', 1) } catch (e) { throw new Error(e.code) }"))
                        .reason())
                .isEqualTo(Result.Reason.THREW);
    }

    @Test
    void identity() {
        assertThat(APPS.body("respond([fazt.app.id, fazt.app.name])")).isEqualTo("[\"app\",\"app-name\"]");
    }

    // Releases.

    @Test
    void aNewReleaseIsUsedAtOnce() {
        assertThat(Apps.body(APPS.run(Apps.app("rel", "'one'"), Apps.get("/"), Budget.DEFAULT)))
                .isEqualTo("one");
        assertThat(Apps.body(APPS.run(Apps.app("rel", "'two'"), Apps.get("/"), Budget.DEFAULT)))
                .isEqualTo("two");
        assertThat(Apps.body(APPS.run(Apps.app("rel", "'one'"), Apps.get("/"), Budget.DEFAULT)))
                .isEqualTo("one");
    }

    @Test
    void nothingOfARequestIsLeftForTheNext() {
        App app = Apps.app(
                "app",
                "let x; if (request.path === '/first') { x = 1; var y = 2; globalThis.z = 3; setInterval(() => {}, 1); "
                        + "Promise.resolve().then(() => { globalThis.late = 1; }); } respond([x, y, typeof z, typeof late])");
        APPS.run(app, Apps.get("/first"), Budget.DEFAULT);
        assertThat(Apps.body(APPS.run(app, Apps.get("/"), Budget.DEFAULT)))
                .isEqualTo("[null,null,\"undefined\",\"undefined\"]");
    }

    @Test
    void check() {
        List<Problem> problems = APPS.runtime.check(Apps.tree(java.util.Map.of(
                "api/main.js", "respond(1);\n  const a = ;",
                "api/good.js", "module.exports = class { #a = 1; }",
                "api/bad.js", "import x from './y.js';",
                "index.js", "not checked (")));
        assertThat(problems)
                .extracting(Problem::toString)
                .containsExactly(
                        "api/bad.js:1:1: import and export are not supported: use require('./file.js') and module.exports",
                        "api/main.js:2:13: primary expression expected");
        assertThat(APPS.runtime.check(Apps.tree(java.util.Map.of("api/main.js", "await 1; return 2"))))
                .isEmpty();
    }
}
