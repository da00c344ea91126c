package sh.fazt.cartridge.change;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A version of a row of policy document: every column is a register of its own, a field, and travels with the others.
 * The row's own stamp is that of the last write to any of them, and it alone decides whether the document is deleted.
 * A field that another transaction wrote has an override, its own stamp; so has one that was removed. A deleted
 * document keeps its fields until its tombstone is collected, for the case that a concurrent write of a field wins
 * over the deletion. A row that came without overrides was written whole. Immutable and pure.
 */
public final class Document {
    /** The column that holds the overrides; every document has it, so that it is known as one where it is parked. */
    public static final String FIELDS = "_fields";

    /** A register. A null value: it was removed. */
    private record Field(Stamp stamp, @Nullable Object value) {}

    /** What a row that was written whole has in {@link #FIELDS}. It counts as nothing, as older rows have none. */
    public static final byte[] NO_OVERRIDES = {0, 0};

    private final Stamp own;
    private final boolean deleted;
    private final Map<String, Field> fields;

    private Document(Stamp own, boolean deleted, Map<String, Field> fields) {
        this.own = own;
        this.deleted = deleted;
        this.fields = fields;
    }

    /**
     * What lost: a field's value, or with a null field the deletion of the whole.
     *
     * @param value null where the field had been removed
     */
    public record Loser(
            @Nullable String field, Stamp stamp, @Nullable Object value, Stamp winner) {}

    /** What a merge came to. */
    public record Merged(Document document, List<Loser> losers) {}

    /** The overrides among a row's columns; null where there are none. */
    public static byte @Nullable [] overrides(Map<String, ? extends @Nullable Object> columns) {
        return columns.get(FIELDS) instanceof byte[] bytes && bytes.length > NO_OVERRIDES.length ? bytes : null;
    }

    /** Whether these are a document's columns. */
    public static boolean is(Map<String, ? extends @Nullable Object> columns) {
        return columns.get(FIELDS) instanceof byte[];
    }

    /**
     * The document that a row is.
     *
     * @throws IllegalArgumentException when its overrides are damaged
     */
    public static Document of(Stamp own, boolean deleted, Map<String, ? extends @Nullable Object> columns) {
        Map<String, Field> fields = new TreeMap<>();
        Map<String, Stamp> overrides =
                columns.get(FIELDS) instanceof byte[] bytes ? RowCodec.overrides(bytes, own) : Map.of();
        overrides.forEach((name, stamp) -> fields.put(name, new Field(stamp, columns.get(name))));
        values(columns).forEach((name, value) -> fields.putIfAbsent(name, new Field(own, value)));
        return new Document(own, deleted, fields);
    }

    /** A document's columns without the overrides, and without those that say nothing. */
    public static Map<String, @Nullable Object> values(Map<String, ? extends @Nullable Object> columns) {
        Map<String, @Nullable Object> values = new LinkedHashMap<>(columns);
        values.remove(FIELDS);
        values.values().removeIf(Objects::isNull);
        return values;
    }

    public Stamp own() {
        return own;
    }

    public boolean deleted() {
        return deleted;
    }

    /** Who wrote the field last; null where nobody has. */
    public @Nullable Stamp stamp(String name) {
        Field field = fields.get(name);
        return field == null ? null : field.stamp();
    }

    /** How many fields it has or had. */
    public int size() {
        return fields.size();
    }

    /** The fields of a row that are no declared columns, as the table's view has them: none for null. */
    public static Map<String, @Nullable Object> fields(byte @Nullable [] stored) {
        return stored == null ? Map.of() : RowCodec.columns(stored);
    }

    /** Every stamp that still contributes, beside the document's own. */
    public Set<Stamp> others() {
        Set<Stamp> others = new TreeSet<>();
        fields.values().forEach(field -> others.add(field.stamp()));
        others.remove(own);
        return others;
    }

    /** The document as a row has it, the overrides among the columns. */
    public Map<String, @Nullable Object> columns() {
        Map<String, @Nullable Object> columns = new LinkedHashMap<>();
        TreeMap<String, Stamp> overrides = new TreeMap<>();
        fields.forEach((name, field) -> {
            if (field.value() != null) {
                columns.put(name, field.value());
            }
            if (field.value() == null || !field.stamp().equals(own)) {
                overrides.put(name, field.stamp());
            }
        });
        columns.put(FIELDS, RowCodec.overrides(overrides, own));
        return columns;
    }

    /** A new document. */
    public static Document create(Stamp stamp, Map<String, ? extends @Nullable Object> values) {
        return of(stamp, false, values(values));
    }

    /**
     * Some fields changed by one write; those that say what they said before are not written. On a deleted document
     * all of it is written anew, so that what the deletion hid does not come back with it.
     *
     * @param changes a null value removes
     */
    public Document update(Stamp stamp, Map<String, ? extends @Nullable Object> changes) {
        Map<String, Field> next = new TreeMap<>();
        fields.forEach((name, field) -> next.put(name, deleted ? new Field(stamp, null) : field));
        changes.forEach((name, value) -> {
            Field before = next.get(name);
            if (deleted || !Objects.deepEquals(before == null ? null : before.value(), value)) {
                next.put(name, new Field(stamp, value));
            }
        });
        return new Document(stamp, false, next);
    }

    /** Whether these changes change nothing. */
    public boolean says(Map<String, ? extends @Nullable Object> changes) {
        return !deleted
                && changes.entrySet().stream()
                        .allMatch(change -> Objects.deepEquals(value(change.getKey()), change.getValue()));
    }

    /** The changes that make the document say this and nothing else: what is left out is removed. */
    public Map<String, @Nullable Object> changesTo(Map<String, ? extends @Nullable Object> values) {
        Map<String, @Nullable Object> changes = new TreeMap<>(values);
        fields.keySet().forEach(name -> changes.putIfAbsent(name, null));
        return changes;
    }

    /** A field written back, and the document with it if it was deleted: its other fields say what they said. */
    public Document revive(Stamp stamp, String name, @Nullable Object value) {
        Map<String, Field> next = new TreeMap<>(fields);
        next.put(name, new Field(stamp, value));
        return new Document(stamp, false, next);
    }

    /** The same, all of it written by one write: what was removed too, or else an older write of it would come back. */
    public Document anew(Stamp stamp) {
        Map<String, Field> next = new TreeMap<>();
        fields.forEach((name, field) -> next.put(name, new Field(stamp, field.value())));
        return new Document(stamp, deleted, next);
    }

    /** The same with other stamps. */
    public Document restamped(UnaryOperator<Stamp> stamps) {
        Map<String, Field> next = new TreeMap<>();
        fields.forEach((name, field) -> next.put(name, new Field(stamps.apply(field.stamp()), field.value())));
        return new Document(stamps.apply(own), deleted, next);
    }

    /** The tombstone. */
    public Document delete(Stamp stamp) {
        return new Document(stamp, true, fields);
    }

    /** What a field says; null where it is removed or was never written. */
    public @Nullable Object value(String name) {
        Field field = fields.get(name);
        return field == null ? null : field.value();
    }

    /**
     * Merges a version that arrived: {@link Merge#decide} for each field. A field that only one of the two has is
     * older than the other's knowledge, and gone, or is not known there, and stays. Being deleted is a register too:
     * the version with the greater own stamp says.
     *
     * @param receiver as for {@link Merge#decide}
     * @param sender   likewise
     * @param here     the version that is here
     */
    public static Merged merge(VersionVector receiver, VersionVector sender, Document here, Document in) {
        Map<String, Field> fields = new TreeMap<>();
        List<Loser> losers = new ArrayList<>();
        Set<String> names = new TreeSet<>(here.fields.keySet());
        names.addAll(in.fields.keySet());
        boolean newer = in.own.compareTo(here.own) > 0;
        Document greater = newer ? in : here;
        for (String name : names) {
            Field mine = here.fields.get(name);
            Field other = in.fields.get(name);
            if (mine == null || other == null) {
                Field only = mine == null ? other : mine;
                if (only != null && !knows(mine == null ? receiver : sender, only.stamp())) {
                    fields.put(name, only);
                }
            } else {
                Merge.Outcome outcome = Merge.decide(receiver, sender, mine.stamp(), other.stamp());
                Field winner = outcome.takes() ? other : mine;
                Field loser = outcome.takes() ? mine : other;
                fields.put(name, winner);
                if (outcome.concurrent() && !Objects.deepEquals(winner.value(), loser.value())) {
                    losers.add(new Loser(name, loser.stamp(), loser.value(), winner.stamp()));
                }
            }
        }
        if (here.deleted != in.deleted) {
            Document less = newer ? here : in;
            // Whether the one with the greater stamp was written by somebody who knew the other.
            VersionVector knowing = newer ? sender : receiver;
            if (less.deleted) {
                if (!knows(knowing, less.own) && !knows(newer ? receiver : sender, greater.own)) {
                    losers.add(new Loser(null, less.own, null, greater.own));
                }
            } else {
                less.hidden(fields, knowing, newer ? receiver : sender, greater.own)
                        .forEach(losers::add);
            }
        }
        return new Merged(new Document(greater.own, greater.deleted, fields), losers);
    }

    /** The fields that a deletion hides whose writer did not know of it, and of which it knew nothing. */
    private List<Loser> hidden(
            Map<String, Field> merged, VersionVector deletersKnowledge, VersionVector known, Stamp deletion) {
        List<Loser> hidden = new ArrayList<>();
        if (!knows(known, deletion)) {
            fields.forEach((name, field) -> {
                if (field.equals(merged.get(name)) && !knows(deletersKnowledge, field.stamp())) {
                    hidden.add(new Loser(name, field.stamp(), field.value(), deletion));
                }
            });
        }
        return hidden;
    }

    private static boolean knows(VersionVector vector, Stamp stamp) {
        return vector.includes(stamp.origin(), stamp.sequence());
    }

    /** Whether both are the same version: then they say the same too. */
    public boolean isSame(Document other) {
        return own.equals(other.own)
                && deleted == other.deleted
                && fields.keySet().equals(other.fields.keySet())
                && fields.entrySet().stream()
                        .allMatch(field -> field.getValue()
                                .stamp()
                                .equals(Objects.requireNonNull(other.fields.get(field.getKey()))
                                        .stamp()));
    }

    /** Whether a vector lacks something that contributes to the row. */
    public static boolean lacks(VersionVector vector, Row row) {
        return row.stamps().stream().anyMatch(stamp -> !knows(vector, stamp));
    }

    /** The document that a row is. */
    public static Document of(Row row) {
        return of(row.stamp(), row.deleted(), row.columns());
    }

    /** This version as a row. */
    public Row row(String table, List<Object> key) {
        return new Row(table, false, key, own, deleted, columns());
    }

    /** Names that a document's fields can't have. */
    public static void check(Collection<String> names) {
        if (names.contains(FIELDS)) {
            throw new IllegalArgumentException("a field is not named " + FIELDS + ": that is what the cartridge keeps"
                    + " a document's clocks in");
        }
    }
}
