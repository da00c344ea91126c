package sh.fazt.cartridge;

import org.jspecify.annotations.Nullable;

/** A write transaction on local and consensus tables. Confined to the {@code writer} thread. */
public interface LocalTx extends Rows {
    /** Runs one statement; answers how many rows it changed. Refused for replicated tables. */
    int execute(String sql, @Nullable Object... args);
}
