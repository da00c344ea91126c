package sh.fazt.hosting.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import sh.fazt.cartridge.CartridgeException;
import sh.fazt.cartridge.Conflict;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.Cartridges;
import sh.fazt.hosting.HostingException;
import sh.fazt.hosting.HostingException.Reason;
import sh.fazt.hosting.document.Documents.Page;

class DocumentsIT {
    private static final String APP = "fazt_app_000000000001";

    @TempDir
    Path folder;

    private final AtomicLong now = new AtomicLong(1_700_000_000_000L);
    private final InstantSource clock = () -> Instant.ofEpochMilli(now.get());
    private final AtomicInteger polls = new AtomicInteger();
    private SqliteCartridge fileOfA;
    private SqliteCartridge fileOfB;
    private Documents a;
    private Documents b;

    @BeforeEach
    void open() {
        fileOfA = Cartridges.open(folder.resolve("a.db"), 1, clock, Documents.SCHEMA);
        fileOfB = Cartridges.open(folder.resolve("b.db"), 2, clock, Documents.SCHEMA);
        a = new Documents(fileOfA, clock, new Random(1), polls::incrementAndGet);
        b = new Documents(fileOfB, clock, new Random(2), () -> {});
    }

    @AfterEach
    void close() {
        fileOfA.close();
        fileOfB.close();
    }

    /** Each learns what the other knew. */
    private void meet() throws Exception {
        Cartridges.pull(new Scope(APP), fileOfA, fileOfB);
        Cartridges.pull(new Scope(APP), fileOfB, fileOfA);
        now.addAndGet(1);
    }

    private List<String> ids(String query, Page page) {
        return a.find(APP, "c", query, page).stream()
                .map(text -> (String) JsonText.readObject(text, "a document").get("id"))
                .toList();
    }

    /** A document without its times. */
    private static String only(Documents node, String id) {
        List<String> found = node.find(APP, "c", "{\"id\":\"" + id + "\"}", Page.ALL);
        return found.isEmpty()
                ? "none"
                : found.get(0).replaceAll(",\"_(created|updated)At\":\\d+", "").replaceFirst("\"id\":\"[^\"]*\",?", "");
    }

    private static String json(String brief) {
        return brief.replace('\'', '"');
    }

    @Test
    void documentsComeAndGo() {
        String id = a.insert(APP, "c", "{\"title\":\"x\",\"n\":null,\"id\":7,\"_createdAt\":1,\"_updatedAt\":1}");
        assertThat(id).hasSize(26);
        long made = now.getAndAdd(2_500);
        assertThat(a.find(APP, "c", "{}", Page.ALL))
                .containsExactly("{\"id\":\"" + id + "\",\"n\":null,\"title\":\"x\",\"_createdAt\":" + made
                        + ",\"_updatedAt\":" + made + "}");
        assertThat(a.update(APP, "c", "{}", "{\"title\":\"y\"}")).isEqualTo(1);
        assertThat(a.find(APP, "c", "{}", Page.FIRST))
                .containsExactly("{\"id\":\"" + id + "\",\"n\":null,\"title\":\"y\",\"_createdAt\":" + made
                        + ",\"_updatedAt\":" + now.get() + "}");
        now.addAndGet(10);
        assertThat(a.update(APP, "c", "{}", "{\"title\":\"y\"}")).as("found").isEqualTo(1);
        assertThat(a.find(APP, "c", "{}", Page.FIRST).get(0)).as("not written").doesNotContain("" + now.get());
        assertThat(a.count(APP, "other", "{}")).isZero();
        assertThat(a.count("fazt_app_000000000002", "c", "{}")).isZero();
        assertThat(a.delete(APP, "c", "{\"title\":\"x\"}")).isZero();
        assertThat(a.delete(APP, "c", "{\"title\":\"y\"}")).isEqualTo(1);
        assertThat(a.count(APP, "c", "{}")).isZero();
        assertThat(a.delete(APP, "c", "{}")).isZero();
    }

    @Test
    void anIdIsThereOnce() {
        assertThat(a.insert(APP, "c", "{\"id\":\"me\",\"x\":1,\"y\":1}")).isEqualTo("me");
        assertThatThrownBy(() -> a.insert(APP, "c", "{\"id\":\"me\"}"))
                .isInstanceOfSatisfying(
                        HostingException.class, e -> assertThat(e.reason()).isEqualTo(Reason.EXISTS))
                .hasMessageContaining("\"me\" in \"c\" already");
        a.insert(APP, "d", "{\"id\":\"me\"}");
        a.delete(APP, "c", "{\"id\":\"me\"}");
        a.insert(APP, "c", "{\"id\":\"me\",\"x\":2}");
        assertThat(only(a, "me")).as("nothing of the deleted one").isEqualTo("{\"x\":2}");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    {}                                  | one two three four
                    {'n':1}                             | one
                    {'n':'1'}                           | two
                    {'n':true}                          | three
                    {'n':null}                          |
                    {'id':'two'}                        | two
                    {'id':'two','n':1}                  |
                    {'id':{'$in':['two','one','x']}}    | one two
                    {'a.b':'x'}                         | one
                    {'a.b.c':'x'}                       |
                    {'tags[0]':'red'}                   | one
                    {'tags[1]':{'$ne':'blue'}}          | two three four
                    {'list[1].k[0]':5}                  | two
                    {'n':{'$eq':1}}                     | one
                    {'n':{'$ne':1}}                     | two three four
                    {'n':{'$gt':0}}                     | one
                    {'n':{'$gte':1}}                    | one
                    {'n':{'$lt':1}}                     |
                    {'n':{'$lte':1.5}}                  | one
                    {'n':{'$gt':''}}                    | two
                    {'word':{'$gte':'b','$lt':'c'}}     | two
                    {'n':{'$in':[1,'1']}}               | one two
                    {'n':{'$in':[]}}                    |
                    {'n':{'$in':[null]}}                |
                    {'n':{'$nin':[1,'1']}}              | three four
                    {'n':{'$nin':[]}}                   | one two three four
                    {'tags':{'$contains':'blue'}}       | one two
                    {'tags':{'$contains':'re'}}         |
                    {'word':{'$contains':'bee'}}        | two
                    {'n':{'$contains':1}}               | one
                    {'a':{'$contains':1}}               |
                    {'_createdAt':{'$gt':1700000000001}} | three four
                    {'word':{'$gt':'a'},'n':'1'}        | two
                    {'x\\' OR 1=1 --':1}                |
                    {'word':'\\' OR 1=1 --'}            |
            """)
    void aQueryFindsWhatItSays(String query, String found) {
        for (String document : List.of(
                "{'id':'one','n':1,'a':{'b':'x'},'tags':['red','blue']}",
                "{'id':'two','n':'1','word':'bee','tags':'blue','list':[0,{'k':[5]}]}",
                "{'id':'three','n':true,'word':1}",
                "{'id':'four','other':{'n':1}}")) {
            a.insert(APP, "c", json(document));
            now.addAndGet(1);
        }
        String text = json(query.replace("\\'", "\u0001")).replace("\u0001", "'");
        List<String> expected = found == null ? List.of() : List.of(found.split(" "));
        assertThat(ids(text, new Page(null, 0, true))).isEqualTo(expected);
        assertThat(a.count(APP, "c", text)).isEqualTo(expected.size());
        assertThat(a.update(APP, "c", text, "{\"hit\":true}")).isEqualTo(expected.size());
        assertThat(a.count(APP, "c", "{\"hit\":true}")).isEqualTo(expected.size());
        assertThat(a.delete(APP, "c", text)).isEqualTo(expected.size());
        assertThat(a.count(APP, "c", "{}")).isEqualTo(4 - expected.size());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    {'a':{}}                 | "a" is compared with {}, but only with texts, numbers and booleans
                    {'a':{'b':1}}            | name what is inside ("a.x", "a[0]"), or use one of $eq
                    {'a':{'$gt':1,'b':1}}    | "a" is compared with
                    {'a':[1]}                | "a" is compared with [1]
                    {'a':{'$eq':{'b':1}}}    | "a" is compared with {"b":1}
                    {'a':{'$in':[[1]]}}      | "a" is compared with [1]
                    {'a':{'$in':1}}          | $in requires an array, and that of "a" is 1
                    {'a':{'$nin':null}}      | $nin requires an array
                    {'a':{'$nin':[1,null]}}  | every document would be found
                    {'a':{'$ne':null}}       | every document would be found
                    {'a':{'$like':'x'}}      | unknown operator: $like, of "a"; there are $eq, $ne
                    {'$or':[{'a':1}]}        | unknown operator: $or; a query names fields
                    {'a..b':1}               | "a..b" names no field: write name, author.name or tags[0]
                    {'a[x]':1}               | names no field
                    {'a[1':1}                | names no field
                    {'[0]':1}                | names no field
                    {'':1}                   | names no field
                    [1]                      | a query is an object in braces, not [1]
                    {'a':                    | that is no JSON: Unexpected
            """)
    void aQueryThatIsNoneSaysWhatIsAllowed(String query, String message) {
        a.insert(APP, "c", "{\"a\":{}}");
        assertThatThrownBy(() -> a.delete(APP, "c", json(query)))
                .isInstanceOfSatisfying(
                        HostingException.class, e -> assertThat(e.reason()).isEqualTo(Reason.INVALID))
                .hasMessageContaining(message);
        assertThat(a.count(APP, "c", "{}")).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    {}                                       | {'a':{'b':1},'n':5,'t':['x','y']}
                    {'n':6}                                  | {'a':{'b':1},'n':6,'t':['x','y']}
                    {'n':null}                               | {'a':{'b':1},'n':null,'t':['x','y']}
                    {'a':{'c':2}}                            | {'a':{'c':2},'n':5,'t':['x','y']}
                    {'a.c':2}                                | {'a':{'b':1,'c':2},'n':5,'t':['x','y']}
                    {'$set':{'a.d.e':2,'n':1.5}}             | {'a':{'b':1,'d':{'e':2}},'n':1.5,'t':['x','y']}
                    {'$set':{'p.q[0]':true}}                 | {'a':{'b':1},'n':5,'p':{'q':[true]},'t':['x','y']}
                    {'t[2]':'z','t[0]':''}                   | {'a':{'b':1},'n':5,'t':['','y','z']}
                    {'$unset':{'n':1,'a.b':1,'no':1}}        | {'a':{},'t':['x','y']}
                    {'$unset':['t[0]','a','x.y']}            | {'n':5,'t':['y']}
                    {'$inc':{'n':2,'a.b':-1,'m':3,'a.x':1}}  | {'a':{'b':0,'x':1},'m':3,'n':7,'t':['x','y']}
                    {'$inc':{'n':0.5},'$set':{'s':'v'},'u':1} | {'a':{'b':1},'n':5.5,'s':'v','t':['x','y'],'u':1}
                    {'n':1,'$inc':{'n':1}}                   | {'a':{'b':1},'n':2,'t':['x','y']}
                    {'id':'x','_createdAt':1,'_updatedAt':2} | {'a':{'b':1},'n':5,'t':['x','y']}
                    {'n':1e300}                              | {'a':{'b':1},'n':1.0E300,'t':['x','y']}
                    {'n':'\\ud800'}                          | {'a':{'b':1},'n':'\\ud800','t':['x','y']}
            """)
    void anUpdateChangesWhatItSays(String changes, String after) {
        a.insert(APP, "c", json("{'id':'d','n':5,'a':{'b':1},'t':['x','y']}"));
        assertThat(a.update(APP, "c", "{\"id\":\"d\"}", json(changes))).isEqualTo(1);
        assertThat(only(a, "d")).isEqualTo(json(after));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    {'$push':{'t':1}}      | unknown operator: $push; an update names fields, such as {done: true}, or uses $set
                    {'$set':1}             | $set requires an object that names fields
                    {'$unset':'n'}         | $unset requires an object that names fields
                    {'$inc':{'n':'1'}}     | the $inc of "n" requires a number to add, not "1"
                    {'$inc':{'t':1}}       | "t" can't be incremented: it holds ["x"], which is no number
                    {'$inc':{'big':1e308}} | beyond what a number can hold
                    {'n.x':1}              | "n.x" can't be set: it leads through 5, which has no fields
                    {'n[0]':1}             | it leads through 5, which is no array
                    {'t[2]':1}             | the array has 1 elements, so the next one is [1]
                    {'$inc':{'id':1}}      | $inc of "id": it belongs to the store
                    {'$unset':['_createdAt']} | it belongs to the store
                    {'_fields':1}          | no field is named _fields
                    {'a..b':1}             | names no field
                    {'$set':{'$x':{'a':1}},'$y':1} | unknown operator: $y
                    'x'                    | an update is an object in braces
            """)
    void anUpdateThatIsNoneChangesNothing(String changes, String message) {
        a.insert(APP, "c", json("{'id':'c','n':5,'t':['x'],'big':1e308}"));
        a.insert(APP, "c", json("{'id':'d','n':5,'t':['x'],'big':1e308}"));
        String before = only(a, "d");
        String text = json(changes).replaceFirst("^\\{", "{\"first\":1,");
        assertThatThrownBy(() -> a.update(APP, "c", "{}", text))
                .isInstanceOfSatisfying(
                        HostingException.class, e -> assertThat(e.reason()).isEqualTo(Reason.INVALID))
                .hasMessageContaining(message);
        assertThat(only(a, "c")).isEqualTo(before);
        assertThat(only(a, "d")).isEqualTo(before);
    }

    @Test
    void theNewestComesFirstAlsoWithinAMillisecond() {
        List<String> made = IntStream.range(0, 1_200)
                .mapToObj(i -> a.insert(APP, "c", "{\"n\":" + i + (i % 3 == 0 ? ",\"id\":\"x" + -i + "\"}" : "}")))
                .toList();
        List<String> newestFirst = new ArrayList<>(made);
        java.util.Collections.reverse(newestFirst);
        assertThat(ids("{}", Page.ALL)).isEqualTo(newestFirst);
        assertThat(ids("{}", new Page(null, 0, true))).isEqualTo(made);
        assertThat(ids("{}", new Page(3, 2, false))).isEqualTo(newestFirst.subList(2, 5));
        assertThat(ids("{}", new Page(null, 1_190, true))).isEqualTo(made.subList(1_190, 1_200));
        assertThat(ids("{}", new Page(5, 1_200, true))).isEmpty();
        assertThat(polls.get()).as("whoever looks through them can be stopped").isGreaterThan(5 * 1_200);
        assertThat(a.deleteOldest(APP, "c", 5_000)).isZero();
        assertThat(a.deleteOldest(APP, "c", 3)).isEqualTo(1_197);
        assertThat(ids("{}", Page.ALL)).isEqualTo(newestFirst.subList(0, 3));
        assertThat(a.deleteOldest(APP, "c", 0)).isEqualTo(3);
    }

    @Test
    void bothSidesOfASplitKeepTheirFields() throws Exception {
        a.insert(APP, "c", json("{'id':'d','title':'t','text':'x','n':0}"));
        meet();
        assertThat(a.update(APP, "c", "{\"id\":\"d\"}", json("{'title':'of a','n':1,'$unset':['text']}")))
                .isEqualTo(1);
        now.addAndGet(1);
        assertThat(b.update(APP, "c", "{\"id\":\"d\"}", json("{'more':['of b'],'n':2}")))
                .isEqualTo(1);
        meet();
        meet();
        for (Documents node : List.of(a, b)) {
            assertThat(only(node, "d")).isEqualTo(json("{'more':['of b'],'n':2,'title':'of a'}"));
        }
        assertThat(a.find(APP, "c", "{}", Page.ALL)).isEqualTo(b.find(APP, "c", "{}", Page.ALL));
        for (SqliteCartridge file : List.of(fileOfA, fileOfB)) {
            List<Conflict> conflicts =
                    file.conflicts().page(Optional.empty(), 0, 10).conflicts();
            assertThat(conflicts).hasSize(1);
            assertThat(conflicts.get(0).table()).isEqualTo("document/n");
            assertThat(conflicts.get(0).key()).isEqualTo(List.of("c", "d"));
            assertThat(conflicts.get(0).values()).containsExactly(java.util.Map.entry("n", "1"));
        }
    }

    @Test
    void limitsAreNamed() {
        assertThatThrownBy(() -> a.insert(APP, "", "{}")).hasMessageContaining("a collection has 1 to 256 characters");
        assertThatThrownBy(() -> a.find(APP, "k".repeat(257), "{}", Page.ALL)).hasMessageContaining("not 257");
        assertThatThrownBy(() -> a.insert(APP, "a\0b", "{}")).hasMessageContaining("NUL");
        assertThatThrownBy(() -> a.insert(APP, "c", json("{'id':'" + "k".repeat(257) + "'}")))
                .hasMessageContaining("an id has 1 to 256 characters");
        assertThatThrownBy(() -> a.insert(APP, "c", "[]")).hasMessageContaining("a document is an object");
        assertThatThrownBy(() -> a.insert(APP, "c", json("{'':1}"))).hasMessageContaining("a field's name has 1 to");
        assertThatThrownBy(() -> a.insert(APP, "c", json("{'_fields':1}"))).hasMessageContaining("no field is named");
        assertThatThrownBy(() -> a.insert(APP, "c", json("{'\\u0000':1}"))).hasMessageContaining("proper Unicode");
        assertThatThrownBy(() -> a.insert(APP, "c", json("{'\\ud800':1}"))).hasMessageContaining("no JSON");
        assertThatThrownBy(() -> new Page(0, 0, false)).hasMessageContaining("a limit is 1 to 10000, not 0");
        assertThatThrownBy(() -> new Page(1, 100_001, false)).hasMessageContaining("an offset is 0 to 100000");
        assertThatThrownBy(() -> a.deleteOldest(APP, "c", -1)).hasMessageContaining("0 or more");
        String large = "\"" + "ä".repeat(1 << 19) + "\"";
        assertThatThrownBy(() -> a.insert(APP, "c", "{\"x\":" + large + "}"))
                .isInstanceOfSatisfying(
                        HostingException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TOO_LARGE))
                .hasMessageContaining("would have 1048579 bytes as JSON");
        a.insert(APP, "c", json("{'id':'d','y':'" + "a".repeat(100) + "'}"));
        assertThatThrownBy(() -> a.update(APP, "c", "{}", "{\"x\":\"" + "a".repeat((1 << 20) - 100) + "\"}"))
                .hasMessageContaining("the limit is 1048576");
        a.update(APP, "c", "{}", "{\"y\":\"" + "a".repeat((1 << 20) - 100) + "\"}");
    }

    @Test
    void fieldsThatWereRemovedCount() {
        a.insert(APP, "c", "{\"id\":\"d\"}");
        for (int i = 0; i < 199; i++) {
            a.update(APP, "c", "{}", "{\"f" + i + "\":1" + (i > 0 ? ",\"$unset\":[\"f" + (i - 1) + "\"]}" : "}"));
        }
        assertThatThrownBy(() -> a.update(APP, "c", "{}", "{\"f199\":1}"))
                .isInstanceOf(CartridgeException.class)
                .hasMessageContaining("more than 200 fields")
                .hasMessageContaining("inside of one field");
        a.update(APP, "c", "{}", "{\"f3\":{\"x\":1}}");
        assertThat(only(a, "d")).isEqualTo("{\"f198\":1,\"f3\":{\"x\":1}}");
    }

    @Test
    void whatIsTooMuchAtOnceSaysSo() throws Exception {
        fileOfA.write(new Scope(APP), tx -> {
                    for (int i = 0; i <= Documents.MOST_FOUND; i++) {
                        tx.put("document", List.of("c", "k" + i), java.util.Map.of("_createdAt", (long) i, "n", "1"));
                    }
                    return true;
                })
                .toCompletableFuture()
                .get(30, TimeUnit.SECONDS);
        assertThatThrownBy(() -> a.find(APP, "c", "{}", Page.ALL))
                .hasMessageContaining("at most 10000 documents")
                .hasMessageContaining("set a limit");
        assertThatThrownBy(() -> a.update(APP, "c", "{\"n\":1}", "{\"n\":2}"))
                .hasMessageContaining("changes at most 10000 documents");
        assertThat(a.count(APP, "c", "{\"n\":1}")).isEqualTo(10_001);
        assertThat(ids("{}", new Page(2, 9_999, false))).containsExactly("k1", "k0");
        assertThat(a.deleteOldest(APP, "c", 10_000)).isEqualTo(1);
        assertThat(ids("{}", new Page(1, 0, true))).containsExactly("k1");
        a.insert(APP, "c", "{}");
        assertThat(a.delete(APP, "c", "{}")).as("in two transactions").isEqualTo(10_001);
        assertThat(a.count(APP, "c", "{}")).isZero();
    }
}
