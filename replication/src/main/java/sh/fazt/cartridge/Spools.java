package sh.fazt.cartridge;

import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

/** Answers to pulls: the rows that a vector lacks, read from one snapshot into a scratch file. */
final class Spools {
    private static final int PART = 256 << 10;

    private final Schema schema;
    private final Rows rows;
    private final RowReader reader;
    private final Set<String> sentBlobs = new HashSet<>();
    private final Set<String> sentDocuments = new HashSet<>();
    private final Spool spool;
    private RowCodec.Writer part = new RowCodec.Writer();

    private Spools(Schema schema, Session session, ReplicaStore.Scratch scratch) {
        this.spool = new Spool(scratch);
        this.schema = schema;
        this.rows = session;
        this.reader = new RowReader(session);
    }

    /** What a replica has to be told that has seen {@code since}: everything where it may lack a removed tombstone. */
    static ReplicaStore.Spool answer(
            Schema schema, Session session, Scope scope, VersionVector since, ReplicaStore.Scratch scratch) {
        Floor floor = Floors.read(session, scope, new RowReader(session)::origin);
        return since.covers(floor.below())
                ? read(schema, session, scope, since, Floor.NONE, scratch)
                : read(schema, session, scope, VersionVector.EMPTY, floor, scratch);
    }

    /** The rows that a vector lacks. */
    static ReplicaStore.Spool read(
            Schema schema, Session session, Scope scope, VersionVector since, ReplicaStore.Scratch scratch) {
        return read(schema, session, scope, since, Floor.NONE, scratch);
    }

    private static ReplicaStore.Spool read(
            Schema schema,
            Session session,
            Scope scope,
            VersionVector since,
            Floor floor,
            ReplicaStore.Scratch scratch) {
        Spools reader = new Spools(schema, session, scratch);
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
        spool.digest = spool.all.digest();
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
                    smallBlob(hash).ifPresent(part::blob);
                }
            }
        }
        if (part.size() >= PART) {
            spool.add(part.take());
            part = new RowCodec.Writer();
        }
    }

    /** One that can't be read does not keep the rows back: whoever gets them fetches it elsewhere. */
    private Optional<byte[]> smallBlob(String hash) {
        try {
            return rows.first(
                    "SELECT body FROM fazt_chunk WHERE hash = ? AND length(body) <= ?",
                    found -> found.bytes(0),
                    hash,
                    Tx.SMALL_BLOB);
        } catch (CartridgeException e) {
            if (e.reason() == CartridgeException.Reason.DAMAGED) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static final class Spool implements ReplicaStore.Spool {
        private final ReplicaStore.Scratch scratch;
        private final List<Long> places = new ArrayList<>();
        private final MessageDigest all = Engine.sha256();
        private byte[] digest = new byte[0];
        private VersionVector vector = VersionVector.EMPTY;
        private Floor floor = Floor.NONE;
        private long rows;
        private long bytes;

        Spool(ReplicaStore.Scratch scratch) {
            this.scratch = scratch;
        }

        private void add(byte[] part) {
            scratch.write(bytes, part);
            all.update(part);
            places.add(bytes);
            bytes += part.length;
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
        public byte[] digest() {
            return digest.clone();
        }

        @Override
        public int parts() {
            return places.size();
        }

        @Override
        public int size(int index) {
            long end = index + 1 < places.size() ? places.get(index + 1) : bytes;
            return (int) (end - places.get(index));
        }

        @Override
        public byte[] piece(int index, int offset, int most) {
            return scratch.read(places.get(index) + offset, Math.min(most, size(index) - offset));
        }

        @Override
        public void close() {
            scratch.close();
        }
    }
}
