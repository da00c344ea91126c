package sh.fazt.cartridge;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Scope;

/** Hears of commits, on the {@code writer} thread, in commit order; must hand over and return. */
public interface CommitListener {
    void committed(Commit commit);

    /**
     * What one committed transaction changed.
     *
     * @param scope     null for a local transaction
     * @param changeset what to push on: of a local write, or a peer's changeset that was new; null for pulls
     *     and local transactions
     * @param local     whether this node wrote it
     * @param changed   table and key of every row that changed here; of a local transaction only the tables
     *     that it named, and of a large pull those that it changed, with an empty key
     */
    record Commit(@Nullable Scope scope, @Nullable Changeset changeset, boolean local, List<Change> changed) {
        /** The tables among {@link #changed}. */
        public Set<String> tables() {
            return changed.stream().map(Change::table).collect(java.util.stream.Collectors.toUnmodifiableSet());
        }
    }

    /** One changed row: its table and its key columns. */
    record Change(String table, List<Object> key) {}
}
