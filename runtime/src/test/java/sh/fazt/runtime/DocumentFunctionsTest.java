package sh.fazt.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import sh.fazt.runtime.Result.Reason;

/** What {@code fazt.app.ds} makes of a script's arguments, and the script of what it answers. */
final class DocumentFunctionsTest {
    private static final Apps APPS = new Apps();

    @AfterAll
    static void close() {
        APPS.close();
    }

    @BeforeEach
    void quiet() {
        APPS.documents.calls.clear();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    ds.insert('c', {title: 'é', at: new Date(0), gone: undefined}) | insert c {"title":"é","at":"1970-01-01T00:00:00.000Z"} | id-1
                    ds.insert('c', {2024: 1})                        | insert c {"2024":1}                       | id-1
                    ds.find('c')                                     | find c {} all/0                           | [{"id":"b","n":2},{"id":"a","n":1}]
                    ds.find('c', null, {})                           | find c {} all/0                           | [{"id":"b","n":2},{"id":"a","n":1}]
                    ds.find('none', {a: 1})                          | find none {"a":1} all/0                   | []
                    ds.find('none', {a: {$in: [1]}}, {limit: '20', offset: 5, order: 'asc'}) | find none {"a":{"$in":[1]}} 20/5/asc | []
                    ds.find('none', {}, {offset: 5, limit: undefined, order: 'desc'}) | find none {} all/5       | []
                    ds.find('none', {a: undefined})                  | find none {"a":null} all/0                | []
                    ds.find('none', {a: {$gt: undefined}})           | find none {"a":{"$gt":null}} all/0        | []
                    ds.find('none', {1: 2})                          | find none {"1":2} all/0                   | []
                    ds.find('none', {a: new Date(0)})                | find none {"a":"1970-01-01T00:00:00.000Z"} all/0 | []
                    ds.find('none', request.query)                   | find none {} all/0                        | []
                    ds.findOne('c', 'x"y')                           | find c {"id":"x\\"y"} 1/0                 | {"id":"b","n":2}
                    ds.findOne('c', {a: 1})                          | find c {"a":1} 1/0                        | {"id":"b","n":2}
                    [ds.findOne('none', 'x')]                        | find none {"id":"x"} 1/0                  | [null]
                    [ds.count('c')]                                  | count c {}                                | [1]
                    [ds.update('c', 'x', {a: undefined, $set: {b: undefined}, $inc: {n: 1}})] | update c {"id":"x"} {"a":null,"$set":{"b":null},"$inc":{"n":1}} | [2]
                    [ds.delete('c', {})]                             | delete c {}                               | [5000000000]
                    [ds.deleteOldest('c', 10)]                       | deleteOldest c 10                         | [2]
                    [fazt.app.ds === ds]                             |                                           | [true]
            """)
    void passesOnWhatItIsGiven(String call, String asked, String answered) {
        assertThat(APPS.body("const ds = fazt.storage.ds; respond(" + call + ")"))
                .isEqualTo(answered);
        assertThat(String.join("", APPS.documents.calls)).isEqualTo(asked == null ? "" : asked);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    ds.insert()                           | fazt.app.ds.insert needs the name of a collection as its first argument
                    ds.find({a: 1})                       | fazt.app.ds.find needs the name of a collection
                    ds.insert('c')                        | fazt.app.ds.insert of 'c' needs a document
                    ds.insert('c', [1])                   | needs a document
                    ds.find('c', 5)                       | needs an id or a query as its second argument
                    ds.findOne('c')                       | needs an id or a query as its second argument
                    ds.delete('c')                        | {} finds all
                    ds.delete('c', null)                  | needs an id or a query
                    ds.delete('c', new Map())             | needs an id or a query
                    ds.delete('c', new Date())            | needs an id or a query
                    ds.delete('c', Promise.resolve({}))   | await it first
                    ds.delete('c', JSON.parse('{"__proto__": 1}')) | named __proto__
                    ds.update('c', {a: 1})                | needs changes as its third argument
                    ds.update('c', undefined, {a: 1})     | needs an id or a query
                    ds.find('c', {}, {limit: -1})         | needs a whole number of 0 or more as limit, not -1
                    ds.find('c', {}, {limit: 'x'})        | as limit, not x
                    ds.find('c', {}, {limit: null})       | as limit, not null
                    ds.find('c', {}, {offset: 1.5})       | as offset, not 1.5
                    ds.find('c', {}, {order: 'up'})       | needs the order 'asc' (oldest first) or 'desc'
                    ds.find('c', {}, {sort: 'a'})         | needs the options limit
                    ds.find('c', {}, 'asc')               | needs options as its third argument
                    ds.deleteOldest('c')                  | needs a whole number of 0 or more as the number of documents to keep
            """)
    void refusesWhatIsNoQuery(String call, String message) {
        Result.Failed failed = Apps.failed(APPS.run("const ds = fazt.app.ds; respond(" + call + ")"));
        assertThat(failed.message()).startsWith("TypeError: ").contains(message);
        assertThat(APPS.documents.calls).isEmpty();
    }

    @Test
    void whatIsLookedThroughIsNoMemoryOfTheScript() {
        assertThat(APPS.body("let n = 0; for (let i = 0; i < 3; i++) n += fazt.app.ds.count('large'); respond([n])"))
                .isEqualTo("[" + (3 << 20) + "]");
        assertThat(Apps.failed(
                                APPS.run(
                                        "fazt.app.ds.count('large'); const a = []; for (;;) a.push('x'.repeat(1e6) + a.length)"))
                        .reason())
                .as("its own still counts")
                .isEqualTo(Reason.MEMORY);
        String hungry = "{toJSON() { const a = []; for (;;) a.push('x'.repeat(1e6) + a.length); }}";
        assertThat(Apps.failed(APPS.run("fazt.app.ds.count('c', {a: " + hungry + "})"))
                        .reason())
                .as("also within a query")
                .isEqualTo(Reason.MEMORY);
    }

    @Test
    void anErrorHasACodeAndADiskWithoutRoomIsNoFaultOfTheApp() {
        assertThat(APPS.body("try { fazt.app.ds.insert('full', {}) } catch (e) { respond(e.code + ': ' + e.message) }"))
                .isEqualTo("not_writable: fazt.app.ds.insert of 'full' failed: the disk is full");
        assertThat(Apps.failed(APPS.run("fazt.app.ds.insert('full', {})")).reason())
                .isEqualTo(Reason.NO_STORAGE);
    }
}
