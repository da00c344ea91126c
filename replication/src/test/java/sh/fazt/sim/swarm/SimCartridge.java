package sh.fazt.sim.swarm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.CommitListener;
import sh.fazt.cartridge.ReplicatedTable;
import sh.fazt.cartridge.ReplicatedTable.Column;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.ReplicatedTable.Type;
import sh.fazt.cartridge.Rows;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.HybridClock;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.sync.Holders;
import sh.fazt.sync.Tombstones;

/** A real cartridge. */
final class SimCartridge implements SimReplica {
    private static final Scope APP = new Scope("fazt_app_000000000001");
    private static final List<Column> NAME = List.of(new Column("name", Type.TEXT));
    private static final Column VALUE = new Column("value", Type.TEXT);
    private static final List<Column> NOTED = List.of(VALUE, new Column(NOTE, Type.TEXT));
    private static final ReplicatedTable SUMS = new ReplicatedTable("total", Policy.COUNTER, NAME, List.of());
    private static final SchemaPart ROOM = new SchemaPart(
            "sim", List.of(), List.of(new ReplicatedTable("pair", Policy.REGISTER, NAME, List.of(VALUE)), SUMS));
    /** Schema level 2: a column and a table more. */
    private static final SchemaPart LATER = new SchemaPart(
            "sim",
            List.of(),
            List.of(
                    new ReplicatedTable("pair", Policy.REGISTER, NAME, NOTED),
                    new ReplicatedTable("late", Policy.REGISTER, NAME, NOTED),
                    SUMS));

    /** What a cartridge is on the disk while it is open. */
    private static final List<String> PARTS = List.of("", "-wal", ".marker");
    /** Where a copy of all that lies. */
    private static final String FOLDER = ".folder";

    private final Path file;
    private final Path kept;
    private final NodeId node;
    private final InstantSource wall;
    /** What the writer told since the last look, in order. */
    private final List<CommitListener.Commit> commits = new ArrayList<>();

    private SqliteCartridge cartridge;
    private int level;

    /** @param clone whose kept copy to begin with under an identity of its own; null to begin empty */
    SimCartridge(Path folder, NodeId node, InstantSource wall, int level, @Nullable SimCartridge clone) {
        this(folder, node, node, wall, level, begun -> {
            if (clone != null) {
                move(clone.kept, begun, false);
            }
        });
        copy();
    }

    /** @param begin puts there what the file begins with */
    private SimCartridge(Path folder, NodeId place, NodeId node, InstantSource wall, int level, Consumer<Path> begin) {
        this.file = folder.resolve(place.shortText() + ".db");
        this.kept = folder.resolve(place.shortText() + ".copy");
        this.node = node;
        this.wall = wall;
        this.level = level;
        begin.accept(file);
        this.cartridge = open();
    }

    /** Another process on the copy that was kept of the folder, to which nothing tells that it is one. */
    SimCartridge twin(NodeId place, InstantSource itsWall) {
        Path folder = Objects.requireNonNull(file.getParent());
        return new SimCartridge(
                folder,
                place,
                node,
                itsWall,
                level,
                begun -> PARTS.forEach(
                        part -> move(beside(FOLDER + part), begun.resolveSibling(begun.getFileName() + part), false)));
    }

    private static void move(Path from, Path to, boolean away) {
        try {
            if (away) {
                Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
            } else {
                Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private SqliteCartridge open() {
        SqliteCartridge opened = SqliteCartridge.open(
                file, CartridgeOptions.standard().withWall(wall), List.of(level > 1 ? LATER : ROOM));
        opened.bind(node);
        opened.listen(commit -> {
            synchronized (commits) {
                commits.add(commit);
            }
        });
        return opened;
    }

    @Override
    public Scope scope() {
        return APP;
    }

    @Override
    public ReplicaStore store() {
        return cartridge.replica();
    }

    @Override
    public Changeset transact(Map<String, @Nullable String> puts, Map<String, Long> adds) {
        return written(tx -> {
            puts.forEach((name, value) -> {
                String table = table(name);
                Map<String, @Nullable Object> columns = new TreeMap<>();
                if (value != null) {
                    columns.put("value", value);
                    if (level > 1) {
                        columns.put(NOTE, "~" + value);
                    }
                }
                // A deletion leaves a tombstone of its own even where nothing is left to delete.
                tx.put(table, List.of(name), columns);
                if (value == null) {
                    tx.delete(table, List.of(name));
                }
            });
            adds.forEach((name, by) -> tx.increment("total", List.of(name), by));
            return true;
        });
    }

    private static String table(String name) {
        return name.startsWith(LATE) ? "late" : "pair";
    }

    private <T> Changeset written(Cartridge.WriteBody<T> body) {
        int before = told();
        cartridge.write(scope(), body).toCompletableFuture().join();
        synchronized (commits) {
            for (CommitListener.Commit commit : commits.subList(before, commits.size())) {
                if (commit.changeset() != null) {
                    return commit.changeset();
                }
            }
        }
        throw new AssertionError("a write that told nobody");
    }

    private int told() {
        synchronized (commits) {
            return commits.size();
        }
    }

    @Override
    public List<CommitListener.Commit> commits() {
        synchronized (commits) {
            List<CommitListener.Commit> taken = List.copyOf(commits);
            commits.clear();
            return taken;
        }
    }

    @Override
    public @Nullable String value(String name) {
        Version version = view().registers().get(name);
        return version == null ? null : version.value();
    }

    @Override
    public Set<String> losers() {
        Set<String> losers = new TreeSet<>();
        cartridge
                .read(rows -> rows.query(
                        "SELECT loser, row_key FROM fazt_conflict_live WHERE scope = ?",
                        row -> row.text(0) + " " + RowCodec.key(row.bytes(1)).get(0),
                        scope().id()))
                .forEach(losers::add);
        return losers;
    }

    @Override
    public View view() {
        return cartridge.read(rows -> {
            Map<String, Version> registers = new TreeMap<>();
            for (String table : level > 1 ? List.of("pair", "late") : List.of("pair")) {
                rows.query(
                                "SELECT p.name, p.value, " + (level > 1 ? "p." + NOTE : "NULL")
                                        + ", o.node, o.epoch, p._seq, p._hlc, p._deleted FROM " + table
                                        + " p JOIN fazt_origin o ON o.id = p._origin WHERE p.scope = ?",
                                row -> Map.entry(
                                        row.text(0),
                                        new Version(
                                                row.integer(7) != 0 ? null : row.textOrNull(1),
                                                row.integer(7) != 0 ? null : row.textOrNull(2),
                                                new Stamp(
                                                        new Origin(NodeId.of(row.bytes(3)), (int) row.integer(4)),
                                                        row.integer(5),
                                                        new Hlc(row.integer(6))))),
                                scope().id())
                        .forEach(row -> registers.put(row.getKey(), row.getValue()));
            }
            Map<String, Long> sums = new TreeMap<>();
            rows.query(
                            "SELECT name, value FROM total_live WHERE scope = ?",
                            row -> Map.entry(row.text(0), row.integer(1)),
                            scope().id())
                    .forEach(sum -> sums.put(sum.getKey(), sum.getValue()));
            return new View(registers, sums, vector(rows));
        });
    }

    /** The vector as the file has it. */
    private VersionVector vector(Rows rows) {
        Map<Origin, Long> vector = new TreeMap<>();
        rows.query(
                        "SELECT o.node, o.epoch, v.seq FROM fazt_vector v JOIN fazt_origin o ON o.id = v.origin"
                                + " WHERE v.scope = ?",
                        row -> Map.entry(new Origin(NodeId.of(row.bytes(0)), (int) row.integer(1)), row.integer(2)),
                        scope().id())
                .forEach(seen -> vector.put(seen.getKey(), seen.getValue()));
        return VersionVector.of(vector);
    }

    @Override
    public long rowCount() {
        return cartridge.read(rows -> rows.first(
                        "SELECT (SELECT count(*) FROM pair) + (SELECT count(*) FROM total)"
                                + " + (SELECT count(*) FROM fazt_conflict_live)"
                                + (level > 1 ? " + (SELECT count(*) FROM late)" : ""),
                        row -> row.integer(0))
                .orElse(0L));
    }

    /** What the system has of the files at this moment is what the next process finds. */
    @Override
    public void crash(int newLevel) {
        level = newLevel;
        for (String part : PARTS) {
            move(beside(part), beside(part + ".crash"), false);
        }
        cartridge.close();
        for (String part : PARTS) {
            move(beside(part + ".crash"), beside(part), true);
        }
        commits();
        cartridge = open();
    }

    private Path beside(String part) {
        return file.resolveSibling(file.getFileName() + part);
    }

    @Override
    public HybridClock clock() {
        return cartridge.clock();
    }

    @Override
    public void tidy(SimulatedNode node) {
        new Tombstones(
                        cartridge,
                        cartridge.replica(),
                        cartridge.clock()::now,
                        node::others,
                        node::linked,
                        Holders.EVERYBODY,
                        node::acknowledged,
                        node::inStep)
                .turn();
        if (node.plant == Plant.FORGOTTEN_FLOOR) {
            cartridge
                    .writeLocal(tx -> tx.execute("DELETE FROM fazt_floor"))
                    .toCompletableFuture()
                    .join();
        }
    }

    @Override
    public long tombstones() {
        return cartridge.read(rows -> rows.first(
                        "SELECT (SELECT count(*) FROM pair WHERE _deleted)"
                                + (level > 1 ? " + (SELECT count(*) FROM late WHERE _deleted)" : ""),
                        row -> row.integer(0))
                .orElse(0L));
    }

    @Override
    public void copy() {
        try {
            Files.deleteIfExists(kept);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        cartridge.backup(kept);
        // A backup says of itself that it is one; the files as they lie there do not.
        PARTS.forEach(part -> move(beside(part), beside(FOLDER + part), false));
    }

    @Override
    public void setBack() {
        cartridge.close();
        PARTS.forEach(part -> move(beside(FOLDER + part), beside(part), false));
        cartridge = open();
    }

    @Override
    public void restore() {
        cartridge.close();
        move(kept, file, false);
        cartridge = open();
    }

    @Override
    public List<String> damage() {
        List<String> damage = new ArrayList<>(cartridge.check());
        if (!view().vector().equals(store().vector(scope()))) {
            damage.add("the vector in memory is not that of the file");
        }
        return damage;
    }

    @Override
    public void close() {
        cartridge.close();
    }
}
