package sh.fazt.runtime.engine.nashorn;

import static sh.fazt.runtime.engine.nashorn.HostFunctions.UNDEFINED;
import static sh.fazt.runtime.engine.nashorn.HostFunctions.argument;
import static sh.fazt.runtime.engine.nashorn.HostFunctions.define;
import static sh.fazt.runtime.engine.nashorn.HostFunctions.isNothing;

import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.openjdk.nashorn.internal.objects.Global;
import org.openjdk.nashorn.internal.runtime.ECMAException;
import org.openjdk.nashorn.internal.runtime.JSType;
import org.openjdk.nashorn.internal.runtime.ScriptFunction;
import org.openjdk.nashorn.internal.runtime.ScriptObject;
import sh.fazt.runtime.binding.Documents;
import sh.fazt.runtime.binding.Documents.Page;
import sh.fazt.runtime.sandbox.Meter;

/**
 * {@code fazt.app.ds}: calls answer when the data is stored. A value that is undefined in a query or in changes counts
 * as null: left out, as JSON does it, a query would find every document. Confined to the realm's thread.
 */
final class DocumentFunctions {
    private static final double MOST_EXACT = 9_007_199_254_740_991d;
    private static final String EVERYTHING = "{}";
    private static final Page ALL = new Page(OptionalInt.empty(), 0, false);
    private static final Page NEWEST = new Page(OptionalInt.of(1), 0, false);

    private final Documents documents;
    private final String appId;
    private final Shapes shapes;
    private final Answers answers;

    DocumentFunctions(Documents documents, String appId, Shapes shapes, Answers answers) {
        this.documents = documents;
        this.appId = appId;
        this.shapes = shapes;
        this.answers = answers;
    }

    /** One call: its name, its collection and what else it was given. */
    private record Call(String name, String collection, Object[] arguments) {
        static Call of(String name, Object[] arguments) {
            Object collection = argument(arguments, 0);
            if (!JSType.isString(collection)) {
                throw HostFunctions.typeError("fazt.app.ds." + name
                        + " needs the name of a collection as its first argument, such as 'posts'");
            }
            return new Call(name, collection.toString(), arguments);
        }

        String what() {
            return "fazt.app.ds." + name + " of '" + collection + "'";
        }

        ECMAException needs(String what) {
            return HostFunctions.typeError(what() + " needs " + what);
        }
    }

    void install(ScriptObject target) {
        define(target, "insert", (self, arguments) -> {
            Call call = Call.of("insert", arguments);
            String json = json(plain(call, 1, "a document, such as {title: 'x'}"));
            return ask(call, () -> documents.insert(appId, call.collection(), json));
        });
        define(target, "find", (self, arguments) -> {
            Call call = Call.of("find", arguments);
            return Global.allocate(find(call, optionalQuery(call), page(call)));
        });
        define(target, "findOne", (self, arguments) -> {
            Call call = Call.of("findOne", arguments);
            Object[] found = find(call, query(call), NEWEST);
            return found.length == 0 ? null : found[0];
        });
        define(target, "count", (self, arguments) -> {
            Call call = Call.of("count", arguments);
            String query = optionalQuery(call);
            return Answers.number(ask(call, () -> documents.count(appId, call.collection(), query)));
        });
        define(target, "update", (self, arguments) -> {
            Call call = Call.of("update", arguments);
            String query = query(call);
            String changes = json(defined(plain(call, 2, "changes as its third argument, such as {done: true}"), 1));
            return Answers.number(ask(call, () -> documents.update(appId, call.collection(), query, changes)));
        });
        define(target, "delete", (self, arguments) -> {
            Call call = Call.of("delete", arguments);
            String query = query(call);
            return Answers.number(ask(call, () -> documents.delete(appId, call.collection(), query)));
        });
        define(target, "deleteOldest", (self, arguments) -> {
            Call call = Call.of("deleteOldest", arguments);
            double keep = whole(call, "the number of documents to keep", argument(arguments, 1));
            return Answers.number(ask(call, () -> documents.deleteOldest(appId, call.collection(), (long) keep)));
        });
    }

    /**
     * Asks on this thread: what is looked through to find an answer is no memory of the script's. The question itself
     * runs no code of the script, whose memory would not count then.
     */
    private <T> T ask(Call call, Supplier<CompletionStage<T>> question) {
        return answers.await(call.what(), Meter.current().uncounted(question));
    }

    private Object[] find(Call call, String query, Page page) {
        List<String> found = ask(call, () -> documents.find(appId, call.collection(), query, page));
        Object[] items = new Object[found.size()];
        for (int i = 0; i < items.length; i++) {
            items[i] = JsonReader.read(found.get(i), shapes);
        }
        return items;
    }

    private String optionalQuery(Call call) {
        return isNothing(argument(call.arguments(), 1)) ? EVERYTHING : query(call);
    }

    /** A text is an id. */
    private String query(Call call) {
        Object query = argument(call.arguments(), 1);
        if (JSType.isString(query)) {
            return "{\"id\":" + JsonWriter.write(query, shapes) + "}";
        }
        return json(defined(
                plain(call, 1, "an id or a query as its second argument, such as {done: false}; {} finds all"), 1));
    }

    private static ScriptObject plain(Call call, int index, String what) {
        Object value = argument(call.arguments(), index);
        if (!isObject(value)) {
            throw call.needs(what);
        }
        if (((ScriptObject) value).get("then") instanceof ScriptFunction) {
            throw call.needs(what + ", and was given a promise of it: await it first");
        }
        return (ScriptObject) value;
    }

    /** Dates, maps and the like have no fields of their own: as a query they would find every document. */
    private static boolean isObject(@Nullable Object value) {
        return value instanceof ScriptObject object && object.getClassName().equals("Object");
    }

    /** The same, with null where it says undefined, down to the operators. */
    private static ScriptObject defined(ScriptObject object, int deeper) {
        ScriptObject copy = HostFunctions.object();
        for (String key : object.getOwnKeys(false)) {
            if (key.equals("__proto__")) {
                throw HostFunctions.typeError("no field of a query or of changes is named __proto__");
            }
            Object value = object.get(key);
            boolean inside = deeper > 0 && isObject(value) && !((ScriptObject) value).has("toJSON");
            copy.set(key, inside ? defined((ScriptObject) value, deeper - 1) : value == UNDEFINED ? null : value, 0);
        }
        return copy;
    }

    private String json(ScriptObject value) {
        return JsonWriter.write(value, shapes).toString();
    }

    private static Page page(Call call) {
        Object options = argument(call.arguments(), 2);
        if (isNothing(options)) {
            return ALL;
        }
        OptionalInt limit = OptionalInt.empty();
        int offset = 0;
        boolean oldestFirst = false;
        ScriptObject given = plain(call, 2, "options as its third argument, such as {limit: 20, order: 'asc'}");
        for (String name : given.getOwnKeys(false)) {
            Object value = given.get(name);
            if (value == UNDEFINED) {
                continue;
            }
            switch (name) {
                case "limit" -> limit = OptionalInt.of(number(call, "limit", value));
                case "offset" -> offset = number(call, "offset", value);
                case "order" -> oldestFirst = oldestFirst(call, value);
                default -> throw call.needs("the options limit, offset and order, and has no '" + name + "'");
            }
        }
        return new Page(limit, offset, oldestFirst);
    }

    /** Beyond what an int holds it is beyond any limit as well. */
    private static int number(Call call, String name, Object value) {
        return (int) whole(call, name, value);
    }

    private static double whole(Call call, String name, Object value) {
        double number = isNothing(value) ? Double.NaN : JSType.toNumber(value);
        if (!(number >= 0 && number <= MOST_EXACT) || number != Math.rint(number)) {
            throw call.needs("a whole number of 0 or more as " + name + ", not " + JSType.toString(value));
        }
        return number;
    }

    private static boolean oldestFirst(Call call, Object value) {
        String order = JSType.toString(value);
        if (!order.equals("asc") && !order.equals("desc")) {
            throw call.needs("the order 'asc' (oldest first) or 'desc', not '" + order + "'");
        }
        return order.equals("asc");
    }
}
