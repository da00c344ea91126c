package sh.fazt.cartridge;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Queries against one snapshot. SQL lives in text blocks of the one store that owns the table; deleted rows
 * of replicated tables are hidden by the table's view, see {@link ReplicatedTable}. Confined to the call
 * that it was handed to.
 */
public interface Rows {
    /** Arguments are {@code Long, Integer, Double, String, byte[], Boolean} or null. */
    <T> List<T> query(String sql, RowMapper<T> mapper, @Nullable Object... args);

    <T> Optional<T> first(String sql, RowMapper<T> mapper, @Nullable Object... args);

    /** Makes a value of the current row. */
    interface RowMapper<T> {
        T map(ResultRow row);
    }

    /** The current row; columns count from 0. */
    interface ResultRow {
        long integer(int column);

        double real(int column);

        /** Fails where the column is NULL. */
        String text(int column);

        @Nullable
        String textOrNull(int column);

        byte[] bytes(int column);

        byte @Nullable [] bytesOrNull(int column);

        boolean isNull(int column);
    }
}
