package sh.fazt.cartridge.change;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * How changesets travel behind one another to one peer: what both sides remember of the ones before need not be said
 * again. Scopes and origins are written in full once and by number after that; a sequence, a clock and a vector as
 * what differs from what the last changeset lets expect. So a message can only be read behind the one before it:
 * where one is lost, another stream is begun. Pure.
 */
public final class ChangeStream {
    /** What both sides remember, in entries of vectors: a few megabytes. */
    static final int MOST = 1 << 16;

    private ChangeStream() {}

    /** Writes to one peer. Confined to its maker. */
    public static final class Writer {
        private final int stream;
        private long messages;
        private final Map<Scope, Integer> scopes = new HashMap<>();
        private final Map<Origin, Integer> origins = new HashMap<>();
        /** The vector behind the last changeset of each scope: the next one most likely depends on that. */
        private final Map<Scope, VersionVector> last = new HashMap<>();

        private int entries;
        private long hlc;

        /** @param stream a number that tells it from those before it; 21 bits of it travel */
        public Writer(int stream) {
            this.stream = stream & 0x1f_ffff;
        }

        /** The scopes that it has carried changes of: where a message is lost, the others can't be read. */
        public Set<Scope> carried() {
            return Set.copyOf(scopes.keySet());
        }

        /** Whether both sides remember so much that another stream is to be begun. */
        public boolean isFull() {
            return entries > MOST / 2;
        }

        /** Several changesets as one message. */
        public byte[] write(List<Changeset> changesets) {
            RowCodec.Buffer out = new RowCodec.Buffer();
            out.number(stream);
            out.number(messages++);
            changesets.forEach(changeset -> write(out, changeset));
            return out.take();
        }

        private void write(RowCodec.Buffer out, Changeset changeset) {
            Dot dot = changeset.dot();
            if (number(out, scopes, dot.scope())) {
                out.text(dot.scope().id());
            }
            origin(out, dot.origin());
            VersionVector before = last.getOrDefault(dot.scope(), VersionVector.EMPTY);
            out.signed(dot.sequence() - before.get(dot.origin()));
            out.signed(changeset.hlc().value() - hlc);
            differences(out, before, changeset.deps());
            out.number(changeset.rows().length);
            out.raw(changeset.rows());
            VersionVector behind = changeset.deps().with(dot.origin(), dot.sequence());
            last.put(dot.scope(), behind);
            entries += behind.entries().size() - before.entries().size();
            hlc = changeset.hlc().value();
        }

        private void differences(RowCodec.Buffer out, VersionVector before, VersionVector now) {
            Set<Origin> differing = new TreeSet<>(before.entries().keySet());
            differing.addAll(now.entries().keySet());
            differing.removeIf(origin -> before.get(origin) == now.get(origin));
            out.number(differing.size());
            for (Origin origin : differing) {
                origin(out, origin);
                out.signed(now.get(origin) - before.get(origin));
            }
        }

        private void origin(RowCodec.Buffer out, Origin origin) {
            if (number(out, origins, origin)) {
                out.raw(origin.node().bytes());
                out.number(origin.epoch());
            }
        }

        /** Writes the number that a thing has; answers true when it has none yet and must follow. */
        private static <T> boolean number(RowCodec.Buffer out, Map<T, Integer> known, T thing) {
            Integer number = known.putIfAbsent(thing, known.size() + 1);
            out.number(number == null ? 0 : number);
            return number == null;
        }
    }

    /** Reads what one peer writes. Confined to its maker. */
    public static final class Reader {
        private long stream = -1;
        private long messages;
        private final List<Scope> scopes = new ArrayList<>();
        private final List<Origin> origins = new ArrayList<>();
        /** The vector behind the last changeset of each scope: the next one most likely depends on that. */
        private final Map<Scope, VersionVector> last = new HashMap<>();

        private int entries;
        private long hlc;

        /**
         * Reads a message.
         *
         * @return null when a message before it is lacking: it and those behind it can't be read
         * @throws IllegalArgumentException when it is damaged; nor can those behind it be read then
         */
        public @Nullable List<Changeset> read(byte[] message) {
            RowCodec.Reader in = new RowCodec.Reader(message);
            long ofStream = in.number();
            long number = in.number();
            if (number == 0) {
                stream = ofStream;
                scopes.clear();
                origins.clear();
                last.clear();
                entries = 0;
                hlc = 0;
            } else if (ofStream != stream || number != messages) {
                stream = -1;
                return null;
            }
            // Until it is read to its end.
            long reading = stream;
            stream = -1;
            List<Changeset> changesets = new ArrayList<>();
            while (in.hasMore()) {
                changesets.add(changeset(in));
            }
            stream = reading;
            messages = number + 1;
            return changesets;
        }

        private Changeset changeset(RowCodec.Reader in) {
            if (entries > MOST || scopes.size() + origins.size() > MOST) {
                throw in.damaged("a stream with more than " + MOST + " names");
            }
            long known = in.number();
            if (known == 0) {
                scopes.add(new Scope(in.text()));
            }
            Scope scope = one(in, scopes, known);
            Origin origin = origin(in);
            VersionVector before = last.getOrDefault(scope, VersionVector.EMPTY);
            long sequence = before.get(origin) + in.signed();
            if (sequence < 1) {
                throw in.damaged("sequence " + sequence);
            }
            hlc += in.signed();
            VersionVector deps = differing(in, before);
            byte[] rows = in.raw();
            VersionVector behind = deps.with(origin, sequence);
            last.put(scope, behind);
            entries += behind.entries().size() - before.entries().size();
            return new Changeset(new Dot(scope, origin, sequence), new Hlc(hlc), deps, rows);
        }

        private VersionVector differing(RowCodec.Reader in, VersionVector before) {
            int count = in.count(MOST);
            if (count == 0) {
                return before;
            }
            Map<Origin, Long> vector = new HashMap<>(before.entries());
            for (int i = 0; i < count; i++) {
                Origin origin = origin(in);
                long sequence = before.get(origin) + in.signed();
                if (sequence < 0) {
                    throw in.damaged("a vector with sequence " + sequence);
                }
                vector.put(origin, sequence);
            }
            return VersionVector.of(vector);
        }

        private Origin origin(RowCodec.Reader in) {
            long known = in.number();
            if (known == 0) {
                origins.add(in.newOrigin());
            }
            return one(in, origins, known);
        }

        private static <T> T one(RowCodec.Reader in, List<T> known, long number) {
            if (number < 0 || number > known.size()) {
                throw in.damaged("name " + number + " was not given");
            }
            return known.get(number == 0 ? known.size() - 1 : (int) number - 1);
        }
    }
}
