package sh.fazt.cartridge;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Scope;

/**
 * Two nodes wrote one row without knowing of each other: which version lost, and what it said. Immutable.
 *
 * @param table   the table's name; with a slash and the field's where a document's field lost
 * @param key     the row's key columns
 * @param winner  {@code node/epoch:sequence} of the version that won when this was noticed
 * @param loser   the same of the one that lost
 * @param values  the columns of the loser; empty when it was a deletion
 * @param deleted whether the loser had deleted the row
 * @param at      when the loser was written, by its writer's clock
 */
public record Conflict(
        Scope scope,
        String table,
        List<Object> key,
        String winner,
        String loser,
        Map<String, @Nullable Object> values,
        boolean deleted,
        Instant at) {
    /** Stands between a document's table and the field that lost, as {@code profile/name}. No table has it. */
    static final String FIELD = "/";

    /** 48 bits: short enough to type, and of a million conflicts two have the same once in 500 swarms. */
    private static final int ID_BYTES = 6;

    /** The document's field that lost; empty where it was the whole row. */
    public Optional<String> field() {
        int slash = table.indexOf(FIELD);
        return slash < 0 ? Optional.empty() : Optional.of(table.substring(slash + 1));
    }

    /** The name of the table that holds the row. */
    public String rowTable() {
        int slash = table.indexOf(FIELD);
        return slash < 0 ? table : table.substring(0, slash);
    }

    /** The same on every node: 12 hex digits of the digest of what names the loser. */
    public String id() {
        byte[] digest = HexFormat.of()
                .parseHex(Engine.sha256((scope.id()
                                + '\0'
                                + loser
                                + '\0'
                                + table
                                + '\0'
                                + HexFormat.of().formatHex(RowCodec.key(key)))
                        .getBytes(StandardCharsets.UTF_8)));
        return HexFormat.of().formatHex(digest, 0, ID_BYTES);
    }
}
