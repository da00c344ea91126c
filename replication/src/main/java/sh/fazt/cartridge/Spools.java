package sh.fazt.cartridge;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Document;
import sh.fazt.cartridge.change.Floor;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;

/** Answers to pulls: the rows that a vector lacks, read from one snapshot into memory or a temporary file. */
final class Spools {
    private static final int PART = 256 << 10;
    /** Above this the parts go to a file: a phone holds several of these at a time. */
    private static final int IN_MEMORY = 4 << 20;

    private final Schema schema;
    private final Rows rows;
    private final RowReader reader;
    private final Set<String> sentBlobs = new HashSet<>();
    private final Set<String> sentDocuments = new HashSet<>();
    private final Spool spool = new Spool();
    private RowCodec.Writer part = new RowCodec.Writer();

    private Spools(Schema schema, Session session) {
        this.schema = schema;
        this.rows = session;
        this.reader = new RowReader(session);
    }

    /** What a replica has to be told that has seen {@code since}: everything where it may lack a removed tombstone. */
    static ReplicaStore.Spool answer(Schema schema, Session session, Scope scope, VersionVector since) {
        Floor floor = Floors.read(session, scope, new RowReader(session)::origin);
        return since.covers(floor.below())
                ? read(schema, session, scope, since, Floor.NONE)
                : read(schema, session, scope, VersionVector.EMPTY, floor);
    }

    /** The rows that a vector lacks. */
    static ReplicaStore.Spool read(Schema schema, Session session, Scope scope, VersionVector since) {
        return read(schema, session, scope, since, Floor.NONE);
    }

    private static ReplicaStore.Spool read(
            Schema schema, Session session, Scope scope, VersionVector since, Floor floor) {
        Spools reader = new Spools(schema, session);
        reader.spool.floor = floor;
        try {
            return reader.read(session, scope, since);
        } catch (RuntimeException e) {
            reader.spool.close();
            throw e;
        }
    }

    private ReplicaStore.Spool read(Session session, Scope scope, VersionVector since) {
        Map<Origin, Long> vector = new HashMap<>();
        Map<Long, Long> lacking = new LinkedHashMap<>();
        session.each(
                "SELECT origin, seq FROM fazt_vector WHERE scope = ?",
                row -> {
                    Origin origin = reader.origin(row.integer(0));
                    vector.put(origin, row.integer(1));
                    if (!since.includes(origin, row.integer(1))) {
                        lacking.put(row.integer(0), since.get(origin));
                    }
                },
                scope.id());
        spool.vector = VersionVector.of(vector);
        lacking.forEach((id, after) -> {
            for (TableSql table : schema.tables.values()) {
                session.each(table.since, row -> addOnce(reader.row(table, row), table), scope.id(), id, after);
            }
            session.each(
                    RowReader.PARKED + " AND origin = ? AND seq > ?",
                    row -> add(reader.parked(row), null),
                    scope.id(),
                    id,
                    after);
        });
        if (!lacking.isEmpty()) {
            session.each(
                    Documents.PARKED,
                    row -> {
                        Row parked = reader.parked(row);
                        if (since.includes(
                                        parked.stamp().origin(), parked.stamp().sequence())
                                && Document.lacks(since, parked)) {
                            add(parked, null);
                        }
                    },
                    scope.id());
        }
        if (!part.isEmpty()) {
            spool.add(part.take());
        }
        return spool;
    }

    /** A document comes up for every origin that contributes to it. */
    private void addOnce(Row row, TableSql table) {
        if (Document.overrides(row.columns()) == null
                || sentDocuments.add(table.name + ' ' + HexFormat.of().formatHex(RowCodec.key(row.key())))) {
            add(row, table);
        }
    }

    private void add(Row row, @Nullable TableSql table) {
        part.row(row);
        spool.rows++;
        if (table != null) {
            for (String column : table.blobColumns) {
                if (row.columns().get(column) instanceof String hash && sentBlobs.add(hash)) {
                    rows.first(
                                    "SELECT body FROM fazt_chunk WHERE hash = ? AND length(body) <= ?",
                                    found -> found.bytes(0),
                                    hash,
                                    Tx.SMALL_BLOB)
                            .ifPresent(part::blob);
                }
            }
        }
        if (part.size() >= PART) {
            spool.add(part.take());
            part = new RowCodec.Writer();
        }
    }

    private static final class Spool implements ReplicaStore.Spool {
        private final List<byte @Nullable []> memory = new ArrayList<>();
        private final List<long[]> places = new ArrayList<>();
        private VersionVector vector = VersionVector.EMPTY;
        private Floor floor = Floor.NONE;
        private @Nullable FileChannel file;
        private long rows;
        private long bytes;

        private void add(byte[] part) {
            try {
                if (file == null && bytes + part.length > IN_MEMORY) {
                    Path path = Files.createTempFile("fazt-pull-", ".spool");
                    file = FileChannel.open(
                            path,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.DELETE_ON_CLOSE);
                }
                if (file == null) {
                    memory.add(part);
                    places.add(new long[] {-1, part.length});
                } else {
                    memory.add(null);
                    places.add(new long[] {file.size(), part.length});
                    file.write(ByteBuffer.wrap(part), file.size());
                }
                bytes += part.length;
            } catch (IOException e) {
                throw new UncheckedIOException("can't spool a pull", e);
            }
        }

        @Override
        public VersionVector vector() {
            return vector;
        }

        @Override
        public Floor floor() {
            return floor;
        }

        @Override
        public long rows() {
            return rows;
        }

        @Override
        public long bytes() {
            return bytes;
        }

        @Override
        public int parts() {
            return places.size();
        }

        @Override
        public byte[] part(int index) {
            byte[] kept = memory.get(index);
            if (kept != null) {
                return kept;
            }
            long[] place = places.get(index);
            ByteBuffer part = ByteBuffer.allocate((int) place[1]);
            try {
                Objects.requireNonNull(file).read(part, place[0]);
            } catch (IOException e) {
                throw new UncheckedIOException("can't read a spooled pull", e);
            }
            return part.array();
        }

        @Override
        public void close() {
            if (file != null) {
                try {
                    file.close();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }
}
